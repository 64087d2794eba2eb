// SPDX-License-Identifier: BSD-2-Clause
// pqueue: a priority queue as a scheduler of events uses it: workers insert and remove in turn, and
// what is inserted comes some time after what was removed last. So the queue neither grows nor
// shrinks, and its content looks alike at all times (random priorities would not: soon nearly
// each insertion would be the next removal). Source of the load: D. Jones, An empirical comparison
// of priority-queue and event-set implementations, 1986.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include "kernel.h"
#include "locks.h"
#include "structures/heap.h"
#include "structures/multiqueue.h"
#include "structures/reclamation.h"
#include "structures/skiplist_lockfree.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

enum {
	ITEMS_MOST = 1 << 20,
	DRAWN = 1 << 14,
	DELAY_MEAN = 1 << 26, // so that two of a million items seldom have the same priority
	LEVELS_FOR = 1 << 10, // items, at the least: a queue that is empty at first may grow
	KEY_LOW = 2           // a skip list's word: the priority, the state
};

struct delays { // drawn before the measurement
	unsigned items;
	const struct reclaim_class *scheme;
	uint32_t delay[DRAWN];
};

struct pqueue {
	struct any_lock lock;              // global-lock
	LINE_ALIGNED struct heap heap;     // sequential, global-lock
	LINE_ALIGNED struct skiplist list; // lock-free
	struct reclaim reclaim;
	struct multiqueue multi; // relaxed
	const struct delays *delays;
	uint64_t first_sum; // of the first items' priorities
};

struct pqueue_own {
	unsigned turn;    // even: insert, odd: remove
	uint64_t removed; // the last one's priority
	uint64_t insertions, removals;
	uint64_t sum; // of priorities inserted, less those removed
	struct multiqueue_worker multi;
};

static int prepare(struct input *in)
{
	struct delays *d = in->data = calloc(1, sizeof *d);
	if (!d)
		return ENOMEM;
	int rc = input_whole(in, "items", 0, ITEMS_MOST, &d->items);
	if (rc)
		return rc;
	d->scheme = reclaim_chosen(in);
	if (!d->scheme)
		return EINVAL;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same */
	if (!rng)
		return ENOMEM;
	for (unsigned i = 0; i < DRAWN; i++) {
		double delay = gsl_ran_exponential(rng, DELAY_MEAN);
		d->delay[i] = delay < UINT32_MAX ? (uint32_t)delay : UINT32_MAX;
	}
	gsl_rng_free(rng);
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

// What one operation inserts, or has removed.
struct step {
	bool insert, done;
	uint64_t priority; // 1 or more
};

static ALWAYS_INLINE struct step next_step(const struct pqueue *p, struct pqueue_own *own)
{
	unsigned turn = own->turn++;
	uint64_t delay = p->delays->delay[turn / 2 % DRAWN];
	return (struct step){.insert = turn % 2 == 0, .priority = own->removed + delay + 1};
}

// Returns whether the operation counts.
static ALWAYS_INLINE unsigned count_step(struct pqueue_own *own, const struct step *s)
{
	if (s->done && s->insert) {
		own->insertions++;
		own->sum += s->priority;
	} else if (s->done) {
		own->removals++;
		own->sum -= s->priority;
		own->removed = s->priority;
	}
	return s->done;
}

// The item of an operation is its key; of a bag's, its value.
static bool operate_by(void (*take)(struct pqueue *p, struct worker *w, struct step *s),
	void *state, struct worker *w, struct operation *op, bool bag)
{
	if (op->verb == VERB_LOOKUP)
		return false;
	struct step s = {.insert = op->verb == VERB_INSERT, .priority = bag ? op->value : op->key};
	take(state, w, &s);
	if (s.done && !s.insert)
		op->key = op->value = s.priority;
	return s.done;
}

/* A heap, and a heap under a lock. */

static ALWAYS_INLINE void heap_take(struct heap *h, struct step *s)
{
	s->done = s->insert ? heap_push(h, s->priority) : heap_pop(h, &s->priority);
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct pqueue *p = state;
	struct pqueue_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct step s = next_step(p, own);
		heap_take(&p->heap, &s);
		done += count_step(own, &s);
	}
	w->failed += n - done;
	return done;
}

// Not inlined: one text for all locks.
static __attribute__((noinline)) void in_turn_take(struct pqueue *p, struct step *s)
{
	heap_take(&p->heap, s);
}

static inline void in_turn(void *state, void *step)
{
	in_turn_take(state, step);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct pqueue *p = state;
	struct pqueue_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct step s = next_step(p, own);
		lock_execute(lock, &p->lock, &w->node[0], in_turn, p, &s);
		done += count_step(own, &s);
	}
	w->failed += n - done;
	return done;
}
LOCKED_BATCH(global_lock)

static void take_alone(struct pqueue *p, struct worker *w, struct step *s)
{
	(void)w;
	heap_take(&p->heap, s);
}

static bool sequential_operate(void *state, struct worker *w, struct operation *op)
{
	return operate_by(take_alone, state, w, op, false);
}

static void take_locked(struct pqueue *p, struct worker *w, struct step *s)
{
	lock_execute(w->lock, &p->lock, &w->node[0], in_turn, p, s);
}

static bool global_operate(void *state, struct worker *w, struct operation *op)
{
	return operate_by(take_locked, state, w, op, false);
}

/* A skip list without locks. It holds each key once: where a priority is taken, the item gets the
 * next one that is free. */

static ALWAYS_INLINE void list_take(const struct reclaim_class *scheme, struct skiplist *l,
	struct reclaim_worker *me, struct step *s)
{
	uint64_t word = 0;
	if (!s->insert) {
		s->done = skiplist_lockfree_remove_first(scheme, l, me, &word);
		if (s->done)
			s->priority = word >> KEY_LOW;
		return;
	}
	while (!skiplist_lockfree_insert(scheme, l, me, s->priority << KEY_LOW))
		s->priority++;
	s->done = true;
}

static ALWAYS_INLINE uint64_t lock_free(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	struct pqueue *p = state;
	struct pqueue_own *own = w->own;
	struct reclaim_worker *me = &p->reclaim.worker[w->index];
	uint64_t done = 0;
	scheme->online(me);
	for (uint64_t i = 0; i < n; i++) {
		struct step s = next_step(p, own);
		scheme->enter(me);
		list_take(scheme, &p->list, me, &s);
		scheme->leave(me);
		done += count_step(own, &s);
	}
	scheme->offline(me);
	w->failed += n - done;
	return done;
}

static const struct reclaim_class *scheme_of(const void *state)
{
	return ((const struct pqueue *)state)->reclaim.class;
}
RECLAIMED_BATCH(lock_free, scheme_of)

static void take_lock_free(struct pqueue *p, struct worker *w, struct step *s)
{
	struct reclaim_worker *me = &p->reclaim.worker[w->index];
	const struct reclaim_class *scheme = p->reclaim.class;
	scheme->online(me);
	scheme->enter(me);
	list_take(scheme, &p->list, me, s);
	scheme->leave(me);
	scheme->offline(me);
}

static bool lock_free_operate(void *state, struct worker *w, struct operation *op)
{
	return operate_by(take_lock_free, state, w, op, false);
}

/* Many heaps. */

static ALWAYS_INLINE void multi_take(
	struct multiqueue *q, struct multiqueue_worker *me, struct step *s)
{
	s->done = s->insert ? multiqueue_insert(q, me, s->priority)
			    : multiqueue_remove(q, me, &s->priority);
}

static uint64_t relaxed_batch(void *state, struct worker *w, uint64_t n)
{
	struct pqueue *p = state;
	struct pqueue_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct step s = next_step(p, own);
		multi_take(&p->multi, &own->multi, &s);
		done += count_step(own, &s);
	}
	w->failed += n - done;
	return done;
}

static void take_relaxed(struct pqueue *p, struct worker *w, struct step *s)
{
	multi_take(&p->multi, &((struct pqueue_own *)w->own)->multi, s);
}

static bool relaxed_operate(void *state, struct worker *w, struct operation *op)
{
	return operate_by(take_relaxed, state, w, op, true);
}

/* The state. */

static int make_list(struct pqueue *p, struct run *r)
{
	unsigned items = p->delays->items < LEVELS_FOR ? LEVELS_FOR : p->delays->items;
	/* Priorities grow without end: no first bits tell them apart. */
	int rc = skiplist_init(
		&p->list, items, UINT64_MAX >> KEY_LOW, KEY_LOW, NULL, r->team, r->count);
	return rc ? rc
		  : reclaim_init(&p->reclaim, p->delays->scheme, r->count, skiplist_free, &p->list);
}

// Items at rest have the same law as those that come: exponential delays have no memory.
static int fill(struct pqueue *p, struct run *r)
{
	void (*take)(struct pqueue * p, struct worker * w, struct step * s) =
		STRATEGY_IS(r->variant, "lock-free") ? take_lock_free
		: STRATEGY_IS(r->variant, "relaxed") ? take_relaxed
						     : take_alone;
	for (unsigned i = 0; i < p->delays->items; i++) {
		/* A further round over the same delays lies between those of the last one. */
		uint64_t priority = p->delays->delay[i % DRAWN] + i / DRAWN * 7919 + 1;
		struct step s = {.insert = true, .priority = priority};
		take(p, r->workers[0], &s);
		if (!s.done)
			return ENOMEM;
		p->first_sum += s.priority;
	}
	return 0;
}

static int create(struct run *r)
{
	struct pqueue *p = r->state;
	const struct variant *v = r->variant;
	int rc = 0;
	p->delays = r->input->data;
	for (unsigned i = 0; i < r->count; i++) {
		struct pqueue_own *own = r->workers[i]->own;
		own->turn = DRAWN / r->count * i * 2;
		own->multi.random = i + 1;
	}
	if (STRATEGY_IS(v, "lock-free"))
		rc = make_list(p, r);
	if (STRATEGY_IS(v, "relaxed"))
		rc = multiqueue_init(&p->multi, r->count);
	if (v->lock)
		rc = v->lock->init(&p->lock, r->team);
	return rc ? rc : fill(p, r);
}

static void destroy(struct run *r)
{
	struct pqueue *p = r->state;
	if (r->variant->lock)
		r->variant->lock->fini(&p->lock);
	reclaim_fini(&p->reclaim);
	skiplist_fini(&p->list);
	multiqueue_fini(&p->multi);
	heap_fini(&p->heap);
}

static bool content(const struct run *r, uint64_t *count, uint64_t *sum)
{
	const struct pqueue *p = r->state;
	*count = *sum = 0;
	if (STRATEGY_IS(r->variant, "lock-free"))
		return skiplist_content(&p->list, count, sum);
	if (STRATEGY_IS(r->variant, "relaxed"))
		return multiqueue_content(&p->multi, count, sum);
	return heap_content(&p->heap, count, sum);
}

// Items that are missing or too many; else at least two whose priorities are not those inserted.
static int64_t check(struct run *r, const uint64_t *done)
{
	const struct pqueue *p = r->state;
	uint64_t expected = p->delays->items, expected_sum = p->first_sum, count, sum;
	bool sound = content(r, &count, &sum);
	int64_t lost = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct pqueue_own *own = r->workers[i]->own;
		expected += own->insertions - own->removals;
		expected_sum += own->sum;
		lost += llabs((int64_t)(done[i] - own->insertions - own->removals));
	}
	lost += llabs((int64_t)(expected - count));
	lost += expected == count && expected_sum != sum ? 2 : 0;
	return lost + (lost == 0 && !sound);
}

static const struct variant variants[] = {
	{.strategy = "sequential",
		.batch = sequential,
		.model = MODEL_PRIORITY_QUEUE,
		.operate = sequential_operate},
	LOCKED_STRUCTURE("global-lock", global_lock, MODEL_PRIORITY_QUEUE, global_operate){
		.strategy = "lock-free",
		.batch = lock_free_reclaimed,
		.model = MODEL_PRIORITY_QUEUE,
		.operate = lock_free_operate},
	{.strategy = "relaxed",
		.batch = relaxed_batch,
		.model = MODEL_BAG,
		.operate = relaxed_operate},
};

static const struct param params[] = {
	{"items", "16384", "items in the queue at first and on average", "0..1048576"},
	RECLAIM_PARAM("epoch"), {0}};

KERNEL(pqueue, .summary = "events inserted into a priority queue, and the next one removed",
	.shared = "16384 items", .unit = "operations", .locks = "mutex ttas mcs",
	.state_size = sizeof(struct pqueue), .own_size = sizeof(struct pqueue_own),
	.params = params, VARIANTS(variants), .prepare = prepare, .unprepare = unprepare,
	.create = create, .destroy = destroy, .check = check);
