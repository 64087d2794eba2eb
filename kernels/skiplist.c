// SPDX-License-Identifier: BSD-2-Clause
// skiplist: a sorted map of many keys. A lookup walks through about one node a level; changes are
// far apart, so that workers seldom meet.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include "kernel.h"
#include "locks.h"
#include "structures/ordered.h"
#include "structures/reclamation.h"
#include "structures/skiplist.h"
#include "structures/skiplist_lazy.h"
#include "structures/skiplist_lockfree.h"

enum { KEYS_FEWEST = 4, KEYS_MOST = 1 << 20 };

// A word: the key, the value, the state.
enum { KEY_LOW = 32, VALUE_LOW = 2 };

struct sorted {
	struct any_lock lock; // global-lock
	struct skiplist list;
	struct reclaim reclaim; // of the strategies that walk without the global lock
	const struct ordered *ordered;
};

struct skiplist_own {
	struct ordered_own account;
	struct lock_node node[SKIPLIST_LOCKS]; // fine-lock
};

static int prepare(struct input *in)
{
	struct ordered *o = NULL;
	int rc = ordered_make(in, KEYS_FEWEST, KEYS_MOST, &o);
	in->data = o;
	if (rc)
		return rc;
	o->scheme = reclaim_chosen(in);
	return o->scheme ? 0 : EINVAL;
}

static void unprepare(struct input *in)
{
	ordered_free(in->data);
}

static ALWAYS_INLINE uint64_t word_of(uint32_t key, uint32_t value)
{
	return (uint64_t)key << KEY_LOW | (uint64_t)value << VALUE_LOW;
}

static ALWAYS_INLINE uint32_t value_of(uint64_t word)
{
	return (uint32_t)word >> VALUE_LOW;
}

static ALWAYS_INLINE bool sequential_request(struct skiplist *l, struct request *q)
{
	uint64_t word = 0;
	if (q->verb == REQUEST_INSERT)
		return skiplist_insert(l, 0, word_of(q->key, q->value));
	if (q->verb == REQUEST_LOOKUP ? !skiplist_lookup(l, q->key, &word)
				      : !skiplist_remove(l, 0, q->key, &word))
		return false;
	q->value = value_of(word);
	return true;
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct sorted *s = state;
	struct skiplist_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct request q = ordered_next(s->ordered->drawn, &own->account);
		done += ordered_count(&own->account, &q, sequential_request(&s->list, &q));
	}
	w->failed += n - done;
	return done;
}

static bool alone(void *state, struct worker *w, struct request *q)
{
	(void)w;
	return sequential_request(&((struct sorted *)state)->list, q);
}

static bool sequential_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, alone);
}

/* One lock for the list. */

struct section {
	struct request q;
	bool done;
};

// Not inlined: one text for all locks.
static __attribute__((noinline)) bool in_turn_request(struct skiplist *l, struct request *q)
{
	return sequential_request(l, q);
}

static inline void in_turn(void *state, void *argument)
{
	struct sorted *s = state;
	struct section *section = argument;
	section->done = in_turn_request(&s->list, &section->q);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct sorted *s = state;
	struct skiplist_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct section section = {.q = ordered_next(s->ordered->drawn, &own->account)};
		lock_execute(lock, &s->lock, &w->node[0], in_turn, s, &section);
		done += ordered_count(&own->account, &section.q, section.done);
	}
	w->failed += n - done;
	return done;
}
LOCKED_BATCH(global_lock)

static bool global_request(void *state, struct worker *w, struct request *q)
{
	struct sorted *s = state;
	struct section section = {.q = *q};
	lock_execute(w->lock, &s->lock, &w->node[0], in_turn, s, &section);
	*q = section.q;
	return section.done;
}

static bool global_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, global_request);
}

/* A lock for each node. The scheme of reclamation is called through its pointers here: there is one
 * text for each lock, not one for each pair. */

static ALWAYS_INLINE bool lazy_request(const struct lock_class *lock, struct skiplist *l,
	struct reclaim_worker *me, struct skiplist_own *own, struct request *q)
{
	uint64_t word = 0;
	if (q->verb == REQUEST_INSERT)
		return skiplist_lazy_insert(lock, l, me, own->node, word_of(q->key, q->value));
	if (q->verb == REQUEST_LOOKUP
			? !skiplist_lazy_lookup(l, me, q->key, &word)
			: !skiplist_lazy_remove(lock, l, me, own->node, q->key, &word))
		return false;
	q->value = value_of(word);
	return true;
}

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct sorted *s = state;
	struct skiplist_own *own = w->own;
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	uint64_t done = 0;
	reclaim_online(me);
	for (uint64_t i = 0; i < n; i++) {
		struct request q = ordered_next(s->ordered->drawn, &own->account);
		reclaim_enter(me);
		bool found = lazy_request(lock, &s->list, me, own, &q);
		reclaim_leave(me);
		done += ordered_count(&own->account, &q, found);
	}
	reclaim_offline(me);
	w->failed += n - done;
	return done;
}
LOCKED_BATCH(fine_lock)

static bool fine_request(void *state, struct worker *w, struct request *q)
{
	struct sorted *s = state;
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	const struct reclaim_class *scheme = s->reclaim.class;
	scheme->online(me);
	scheme->enter(me);
	bool done = lazy_request(w->lock, &s->list, me, w->own, q);
	scheme->leave(me);
	scheme->offline(me);
	return done;
}

static bool fine_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, fine_request);
}

/* No lock. */

static ALWAYS_INLINE bool lockfree_request(const struct reclaim_class *scheme, struct skiplist *l,
	struct reclaim_worker *me, struct request *q)
{
	uint64_t word = 0;
	if (q->verb == REQUEST_INSERT)
		return skiplist_lockfree_insert(scheme, l, me, word_of(q->key, q->value));
	if (q->verb == REQUEST_LOOKUP ? !skiplist_lockfree_lookup(scheme, l, me, q->key, &word)
				      : !skiplist_lockfree_remove(scheme, l, me, q->key, &word))
		return false;
	q->value = value_of(word);
	return true;
}

static ALWAYS_INLINE uint64_t lock_free(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	struct sorted *s = state;
	struct skiplist_own *own = w->own;
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	uint64_t done = 0;
	scheme->online(me);
	for (uint64_t i = 0; i < n; i++) {
		struct request q = ordered_next(s->ordered->drawn, &own->account);
		scheme->enter(me);
		bool found = lockfree_request(scheme, &s->list, me, &q);
		scheme->leave(me);
		done += ordered_count(&own->account, &q, found);
	}
	scheme->offline(me);
	w->failed += n - done;
	return done;
}

static const struct reclaim_class *scheme_of(const void *state)
{
	return ((const struct sorted *)state)->reclaim.class;
}
RECLAIMED_BATCH(lock_free, scheme_of)

static bool lock_free_request(void *state, struct worker *w, struct request *q)
{
	struct sorted *s = state;
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	const struct reclaim_class *scheme = s->reclaim.class;
	scheme->online(me);
	scheme->enter(me);
	bool done = lockfree_request(scheme, &s->list, me, q);
	scheme->leave(me);
	scheme->offline(me);
	return done;
}

static bool lock_free_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, lock_free_request);
}

/* The state. */

// The first keys' nodes are their lasting ones: as fine-lock wants them, or without a lock.
static void *make_lazy(void *list, uint32_t key)
{
	return skiplist_make(list, 0, word_of(key, key) | SKIPLIST_LINKED);
}

static void *make_lockfree(void *list, uint32_t key)
{
	return skiplist_make(list, 0, word_of(key, key) | SKIPLIST_ONE_OWNER);
}

static int create(struct run *r)
{
	struct sorted *s = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock");
	s->ordered = r->input->data;
	const struct drawn *d = s->ordered->drawn;
	for (unsigned i = 0; i < r->count; i++) {
		struct skiplist_own *own = r->workers[i]->own;
		ordered_begin(&own->account, d, i, r->count);
		for (unsigned j = 0; j < SKIPLIST_LOCKS; j++) {
			own->node[j].worker = i;
			own->node[j].instrument = r->workers[i]->node[j & 1].instrument;
		}
	}
	int rc = skiplist_init(
		&s->list, d->keys, d->range, KEY_LOW, fine ? lock : NULL, r->team, r->count);
	if (!rc)
		rc = reclaim_init(
			&s->reclaim, s->ordered->scheme, r->count, skiplist_free, &s->list);
	if (!rc && lock && !fine)
		rc = lock->init(&s->lock, r->team);
	if (rc)
		return rc;
	void **node = ordered_nodes(s->ordered, &s->list, fine ? make_lazy : make_lockfree);
	if (!node)
		return ENOMEM;
	skiplist_fill(&s->list, (struct skiplist_node *const *)node, d->keys);
	free(node);
	return 0;
}

static void destroy(struct run *r)
{
	struct sorted *s = r->state;
	const struct lock_class *lock = r->variant->lock;
	if (STRATEGY_IS(r->variant, "global-lock"))
		lock->fini(&s->lock);
	reclaim_fini(&s->reclaim);
	skiplist_fini(&s->list);
	for (unsigned i = 0; lock && lock->retire && i < r->count; i++)
		for (unsigned j = 0; j < SKIPLIST_LOCKS; j++)
			lock->retire(&((struct skiplist_own *)r->workers[i]->own)->node[j]);
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct sorted *s = r->state;
	uint64_t count, sum;
	bool sound = skiplist_content(&s->list, &count, &sum);
	return ordered_check(r, s->ordered, done, sound, count, sum);
}

static const struct variant variants[] = {
	{.strategy = "sequential",
		.batch = sequential,
		.model = MODEL_MAP,
		.operate = sequential_operate},
	LOCKED_STRUCTURE("global-lock", global_lock, MODEL_MAP, global_operate) LOCKED_STRUCTURE(
		"fine-lock", fine_lock, MODEL_MAP, fine_operate){.strategy = "lock-free",
		.batch = lock_free_reclaimed,
		.model = MODEL_MAP,
		.operate = lock_free_operate},
};

static const struct param params[] = {
	DRAWN_PARAMS("16384", "4..1048576"), RECLAIM_PARAM("epoch"), {0}};

KERNEL(skiplist, .summary = "a sorted map of many keys, mostly looked up", .shared = "16384 keys",
	.unit = "operations", .locks = "mutex ttas mcs", .state_size = sizeof(struct sorted),
	.own_size = sizeof(struct skiplist_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.check = check);
