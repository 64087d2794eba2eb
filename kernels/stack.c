// SPDX-License-Identifier: BSD-2-Clause
// stack: all workers push to one stack and pop from it, each in turn: `burst` pushes, then as many
// pops, half the workers the other way round. All of them want the same line, the head: the
// structure that gains least from more cores, unless pushes and pops meet elsewhere (elimination).
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_CK
#include <ck_stack.h>
#endif
#ifdef HAVE_URCU
#include <urcu/lfstack.h>
#endif

#include "kernel.h"
#include "locks.h"
#include "structures/reclamation.h"
#include "structures/stack_array.h"
#include "structures/stack_elimination.h"
#include "structures/stack_tagged.h"
#include "structures/stack_treiber.h"

struct settings {
	unsigned items, burst;
	const struct reclaim_class *reclaim;
};

struct tally {
	uint64_t count, sum;
};

struct stack {
	const struct settings *settings;
	const struct reclaim_class *reclaim;
	struct tally first; // of the values pushed before the measurement
	/* Side by side, as one would declare them: one line moves, not two. */
	LINE_ALIGNED struct stack_array array;
	_Alignas(LOCK_ALIGN) unsigned char lock[LOCK_SIZE]; // of the array
	struct stack_treiber treiber;
	struct stack_elimination elimination; // its stack also for lock-free-tagged
#ifdef HAVE_CK
	LINE_ALIGNED ck_stack_t ck;
#endif
#ifdef HAVE_URCU
	LINE_ALIGNED struct cds_lfs_stack urcu;
#endif
	LINE_ALIGNED struct nodes nodes; // of a library's stack
};

struct stack_own {
	uint64_t next; // value to push: different from all others
	uint64_t left; // operations until pushes follow pops, or pops pushes
	bool pops;
	struct tally pushed, popped;
};

/* One operation of each strategy; `with` is its lock or its reclamation. */

struct verbs {
	bool (*push)(struct stack *s, struct worker *w, uint64_t value, const void *with);
	bool (*pop)(struct stack *s, struct worker *w, uint64_t *value, const void *with);
};

static ALWAYS_INLINE bool array_push(
	struct stack *s, struct worker *w, uint64_t value, const void *none)
{
	(void)w;
	(void)none;
	return stack_array_push(&s->array, value);
}

static ALWAYS_INLINE bool array_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *none)
{
	(void)w;
	(void)none;
	return stack_array_pop(&s->array, value);
}

static const struct verbs array_verbs = {array_push, array_pop};

struct call { // of a section under the lock
	uint64_t value;
	bool done;
};

static inline void push_section(void *array, void *argument)
{
	struct call *call = argument;
	call->done = stack_array_push(array, call->value);
}

static inline void pop_section(void *array, void *argument)
{
	struct call *call = argument;
	call->done = stack_array_pop(array, &call->value);
}

static ALWAYS_INLINE bool locked_push(
	struct stack *s, struct worker *w, uint64_t value, const void *lock)
{
	struct call call = {.value = value};
	lock_execute(lock, &s->lock, &w->node[0], push_section, &s->array, &call);
	return call.done;
}

static ALWAYS_INLINE bool locked_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *lock)
{
	struct call call = {0};
	lock_execute(lock, &s->lock, &w->node[0], pop_section, &s->array, &call);
	*value = call.value;
	return call.done;
}

static const struct verbs locked_verbs = {locked_push, locked_pop};

static ALWAYS_INLINE bool treiber_push(
	struct stack *s, struct worker *w, uint64_t value, const void *reclaim)
{
	(void)reclaim;
	return stack_treiber_push(&s->treiber, w->index, value);
}

static ALWAYS_INLINE bool treiber_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *reclaim)
{
	return stack_treiber_pop(&s->treiber, w->index, value, reclaim);
}

static const struct verbs treiber_verbs = {treiber_push, treiber_pop};

static ALWAYS_INLINE bool tagged_push(
	struct stack *s, struct worker *w, uint64_t value, const void *none)
{
	(void)none;
	return stack_tagged_push(&s->elimination.stack, w->index, value);
}

static ALWAYS_INLINE bool tagged_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *none)
{
	(void)none;
	return stack_tagged_pop(&s->elimination.stack, w->index, value);
}

static const struct verbs tagged_verbs = {tagged_push, tagged_pop};

static ALWAYS_INLINE bool elimination_push(
	struct stack *s, struct worker *w, uint64_t value, const void *none)
{
	(void)none;
	return stack_elimination_push(&s->elimination, w->index, value);
}

static ALWAYS_INLINE bool elimination_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *none)
{
	(void)none;
	return stack_elimination_pop(&s->elimination, w->index, value);
}

static const struct verbs elimination_verbs = {elimination_push, elimination_pop};

/* The libraries' stacks link what their user allocates: stable nodes, used again at once. */

#ifdef HAVE_CK
struct ck_node {
	ck_stack_entry_t entry;
	uint64_t value;
};

static ALWAYS_INLINE bool ck_push(
	struct stack *s, struct worker *w, uint64_t value, const void *none)
{
	(void)none;
	struct ck_node *node = nodes_get(&s->nodes, w->index);
	if (!node)
		return false;
	node->value = value;
	ck_stack_push_mpmc(&s->ck, &node->entry);
	return true;
}

static ALWAYS_INLINE bool ck_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *none)
{
	(void)none;
	struct ck_node *node = (struct ck_node *)ck_stack_pop_mpmc(&s->ck);
	if (!node)
		return false;
	*value = node->value;
	nodes_put(&s->nodes, w->index, node);
	return true;
}

static const struct verbs ck_verbs = {ck_push, ck_pop};
#endif

#ifdef HAVE_URCU
struct urcu_node {
	struct cds_lfs_node entry;
	uint64_t value;
};

static ALWAYS_INLINE bool urcu_push(
	struct stack *s, struct worker *w, uint64_t value, const void *none)
{
	(void)none;
	struct urcu_node *node = nodes_get(&s->nodes, w->index);
	if (!node)
		return false;
	cds_lfs_node_init(&node->entry);
	node->value = value;
	cds_lfs_push(&s->urcu, &node->entry);
	return true;
}

// Of the ways that its documentation offers the one that lets a node be used again at once: under
// the stack's own mutex.
static ALWAYS_INLINE bool urcu_pop(
	struct stack *s, struct worker *w, uint64_t *value, const void *none)
{
	(void)none;
	struct urcu_node *node = (struct urcu_node *)cds_lfs_pop_blocking(&s->urcu);
	if (!node)
		return false;
	*value = node->value;
	nodes_put(&s->nodes, w->index, node);
	return true;
}

static const struct verbs urcu_verbs = {urcu_push, urcu_pop};
#endif

/* Batches. */

// What a batch keeps in registers of its worker's own state.
static ALWAYS_INLINE uint64_t work(
	struct stack *s, struct worker *w, uint64_t n, const struct verbs *verbs, const void *with)
{
	struct stack_own *own = w->own;
	const uint64_t burst = s->settings->burst;
	struct tally pushed = own->pushed, popped = own->popped;
	const uint64_t before = pushed.count + popped.count;
	uint64_t next = own->next, left = own->left;
	bool pops = own->pops;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t value;
		if (pops) {
			if (verbs->pop(s, w, &value, with)) {
				popped.count++;
				popped.sum += value;
			}
		} else if (verbs->push(s, w, next, with)) {
			pushed.count++;
			pushed.sum += next++;
		}
		if (--left == 0) {
			left = burst;
			pops = !pops;
		}
	}
	own->pushed = pushed;
	own->popped = popped;
	own->next = next;
	own->left = left;
	own->pops = pops;
	uint64_t done = pushed.count + popped.count - before;
	w->failed += n - done;
	return done;
}

static ALWAYS_INLINE bool one(struct stack *s, struct worker *w, struct operation *op,
	const struct verbs *verbs, const void *with)
{
	return op->verb == VERB_INSERT ? verbs->push(s, w, op->value, with)
				       : verbs->pop(s, w, &op->value, with);
}

#define STACK_STRATEGY(NAME)                                                                       \
	static uint64_t NAME##_batch(void *state, struct worker *w, uint64_t n)                    \
	{                                                                                          \
		return work(state, w, n, &NAME##_verbs, NULL);                                     \
	}                                                                                          \
	static bool NAME##_operate(void *state, struct worker *w, struct operation *op)            \
	{                                                                                          \
		return one(state, w, op, &NAME##_verbs, NULL);                                     \
	}

STACK_STRATEGY(array)
STACK_STRATEGY(tagged)
STACK_STRATEGY(elimination)
#ifdef HAVE_CK
STACK_STRATEGY(ck)
#endif
#ifdef HAVE_URCU
STACK_STRATEGY(urcu)
#endif

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, &locked_verbs, lock);
}
LOCKED_BATCH(global_lock)

static bool global_lock_operate(void *state, struct worker *w, struct operation *op)
{
	return one(state, w, op, &locked_verbs, w->lock);
}

static ALWAYS_INLINE uint64_t lock_free(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *reclaim)
{
	struct stack *s = state;
	struct reclaim_worker *me = &s->treiber.reclaim.worker[w->index];
	reclaim->online(me);
	uint64_t done = work(s, w, n, &treiber_verbs, reclaim);
	reclaim->offline(me);
	return done;
}

static const struct reclaim_class *reclaim_of(void *state)
{
	return ((struct stack *)state)->reclaim;
}
RECLAIMED_BATCH(lock_free, reclaim_of)

static bool lock_free_operate(void *state, struct worker *w, struct operation *op)
{
	struct stack *s = state;
	struct reclaim_worker *me = &s->treiber.reclaim.worker[w->index];
	s->reclaim->online(me);
	bool done = one(s, w, op, &treiber_verbs, s->reclaim);
	s->reclaim->offline(me);
	return done;
}

/* What is on a stack at rest. */

static void add(struct tally *t, uint64_t value)
{
	t->count++;
	t->sum += value;
}

static struct tally array_content(struct stack *s)
{
	struct tally t = {0};
	for (size_t i = 0; i < s->array.count; i++)
		add(&t, s->array.value[i]);
	return t;
}

static struct tally treiber_content(struct stack *s)
{
	struct tally t = {0};
	const struct stack_treiber_node *node;
	/* relaxed: at rest */
	for (uintptr_t at = load(&s->treiber.head, relaxed); at; at = node->next) {
		node = (void *)at;
		add(&t, node->value);
	}
	return t;
}

static struct tally tagged_content(struct stack *s)
{
	struct tally t = {0};
	const struct stack_tagged *stack = &s->elimination.stack;
	const struct stack_tagged_node *node;
	/* relaxed: at rest */
	for (uint64_t at = load(&stack->head, relaxed); (node = stack_tagged_first(stack, at));
		at = load(&node->next, relaxed))
		add(&t, node->value);
	return t;
}

#ifdef HAVE_CK
static struct tally ck_content(struct stack *s)
{
	struct tally t = {0};
	ck_stack_entry_t *entry;
	CK_STACK_FOREACH(&s->ck, entry)
	add(&t, ((struct ck_node *)entry)->value);
	return t;
}
#endif

#ifdef HAVE_URCU
static struct tally urcu_content(struct stack *s)
{
	struct tally t = {0};
	for (struct cds_lfs_node *n = (struct cds_lfs_node *)s->urcu.head; n; n = n->next)
		add(&t, ((struct urcu_node *)n)->value);
	return t;
}
#endif

/* The strategies, as the hooks need them. */

static int array_create(struct stack *s, struct run *r)
{
	const struct lock_class *lock = r->variant->lock;
	int rc = stack_array_init(&s->array, s->settings->items + (size_t)r->count);
	return !rc && lock ? lock->init(&s->lock, r->team) : rc;
}

static int treiber_create(struct stack *s, struct run *r)
{
	return stack_treiber_init(&s->treiber, s->reclaim, r->count);
}

static int tagged_create(struct stack *s, struct run *r)
{
	return stack_elimination_init(&s->elimination, r->count);
}

#ifdef HAVE_CK
static int ck_create(struct stack *s, struct run *r)
{
	ck_stack_init(&s->ck);
	return nodes_init_stable(&s->nodes, sizeof(struct ck_node), STACK_TAGGED_MOST, r->count);
}
#endif

#ifdef HAVE_URCU
static int urcu_create(struct stack *s, struct run *r)
{
	cds_lfs_init(&s->urcu);
	return nodes_init_stable(&s->nodes, sizeof(struct urcu_node), STACK_TAGGED_MOST, r->count);
}
#endif

static const struct kind {
	const char *strategy;
	int (*create)(struct stack *s, struct run *r);
	struct tally (*content)(struct stack *s);
} kinds[] = {
	{"sequential", array_create, array_content},
	{"global-lock", array_create, array_content},
	{"lock-free", treiber_create, treiber_content},
	{"lock-free-tagged", tagged_create, tagged_content},
	{"lock-free-elimination", tagged_create, tagged_content},
#ifdef HAVE_CK
	{"ck-stack", ck_create, ck_content},
#endif
#ifdef HAVE_URCU
	{"urcu-lfstack", urcu_create, urcu_content},
#endif
};

static const struct kind *kind_of(const struct variant *v)
{
	const struct kind *k = kinds;
	while (!STRATEGY_IS(v, k->strategy))
		k++;
	return k;
}

enum { ITEMS_MOST = 1 << 20, BURST_MOST = 1 << 12 };

static int prepare(struct input *in)
{
	struct settings *s = in->data = calloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	int rc = input_whole(in, "items", 0, ITEMS_MOST, &s->items);
	if (!rc)
		rc = input_whole(in, "burst", 1, BURST_MOST, &s->burst);
	s->reclaim = rc ? NULL : reclaim_chosen(in);
	return rc ? rc : s->reclaim ? 0 : EINVAL;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

static int create(struct run *r)
{
	struct stack *s = r->state;
	s->settings = r->input->data;
	s->reclaim = s->settings->reclaim;
	int rc = kind_of(r->variant)->create(s, r);
	for (uint64_t value = 1; value <= s->settings->items && !rc; value++) {
		struct operation push = {.verb = VERB_INSERT, .value = value};
		if (!r->variant->operate(s, r->workers[0], &push))
			rc = ENOMEM;
		add(&s->first, value);
	}
	for (unsigned i = 0; i < r->count; i++) {
		struct stack_own *own = r->workers[i]->own;
		own->next = (uint64_t)(i + 1) << 40;
		own->left = s->settings->burst;
		own->pops = i % 2;
	}
	return rc;
}

// What was not made is null, and its fini knows it.
static void destroy(struct run *r)
{
	struct stack *s = r->state;
	if (r->variant->lock && s->array.value)
		r->variant->lock->fini(&s->lock);
	stack_array_fini(&s->array);
	stack_treiber_fini(&s->treiber);
	stack_elimination_fini(&s->elimination);
#ifdef HAVE_URCU
	if (STRATEGY_IS(r->variant, "urcu-lfstack"))
		cds_lfs_destroy(&s->urcu);
#endif
	nodes_fini(&s->nodes);
}

// What was pushed is what was popped and what is there: as many values, and the same sum, which no
// value taken twice in place of another leaves as it is. Values that differ only in the sum count
// as one.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct stack *s = r->state;
	struct tally left = kind_of(r->variant)->content(s);
	uint64_t count = s->first.count - left.count, sum = s->first.sum - left.sum;
	int64_t lost = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct stack_own *own = r->workers[i]->own;
		count += own->pushed.count - own->popped.count;
		sum += own->pushed.sum - own->popped.sum;
		lost += llabs((int64_t)(done[i] - own->pushed.count - own->popped.count));
	}
	return lost + (count ? llabs((int64_t)count) : sum != 0);
}

#define STACK_VARIANT(STRATEGY, NAME)                                                              \
	{                                                                                          \
		.strategy = STRATEGY, .batch = NAME##_batch, .model = MODEL_STACK,                 \
		.operate = NAME##_operate                                                          \
	}

static const struct variant variants[] = {
	STACK_VARIANT("sequential", array),
	LOCKED_STRUCTURE("global-lock", global_lock, MODEL_STACK, global_lock_operate){
		.strategy = "lock-free",
		.batch = lock_free_reclaimed,
		.model = MODEL_STACK,
		.operate = lock_free_operate},
	STACK_VARIANT("lock-free-tagged", tagged),
	STACK_VARIANT("lock-free-elimination", elimination),
#ifdef HAVE_CK
	STACK_VARIANT("ck-stack", ck),
#endif
#ifdef HAVE_URCU
	STACK_VARIANT("urcu-lfstack", urcu),
#endif
};

static const struct param params[] = {
	{"items", "256", "values on the stack at first", "0..1048576"},
	{"burst", "1", "pushes in a row, and then pops", "1..4096"},
	RECLAIM_PARAM("hazard"),
	{0},
};

KERNEL(stack, .summary = "pushes and pops on one stack", .shared = "one stack",
	.unit = "operations", .locks = "mutex ttas mcs", .state_size = sizeof(struct stack),
	.own_size = sizeof(struct stack_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.check = check);
