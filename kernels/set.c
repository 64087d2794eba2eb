// SPDX-License-Identifier: BSD-2-Clause
// set: a sorted linked list of keys with their values. A lookup walks half of the list, each hop a
// load that waits for the one before; whoever changes a link meets all who walk over it.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include "kernel.h"
#include "locks.h"
#include "structures/list.h"
#include "structures/list_coupling.h"
#include "structures/list_lazy.h"
#include "structures/list_lockfree.h"
#include "structures/ordered.h"
#include "structures/reclamation.h"

enum { KEYS_FEWEST = 4, KEYS_MOST = 1 << 16 };

struct set {
	struct any_lock lock; // global-lock
	struct list list;
	struct reclaim reclaim; // of the strategies that walk without the global lock
	const struct ordered *ordered;
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

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct set *s = state;
	struct ordered_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct request q = ordered_next(s->ordered->drawn, own);
		done += ordered_count(own, &q, list_request(&s->list, &q));
	}
	w->failed += n - done;
	return done;
}

static bool sequential_request(void *state, struct worker *w, struct request *q)
{
	(void)w;
	return list_request(&((struct set *)state)->list, q);
}

static bool sequential_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, sequential_request);
}

/* One lock for the list. */

struct section {
	struct request q;
	bool done;
};

static inline void in_turn(void *state, void *argument)
{
	struct section *s = argument;
	s->done = sequential_request(state, NULL, &s->q);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct set *s = state;
	struct ordered_own *own = w->own;
	uint64_t done = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct section section = {.q = ordered_next(s->ordered->drawn, own)};
		lock_execute(lock, &s->lock, &w->node[0], in_turn, s, &section);
		done += ordered_count(own, &section.q, section.done);
	}
	w->failed += n - done;
	return done;
}
LOCKED_BATCH(global_lock)

static bool global_request(void *state, struct worker *w, struct request *q)
{
	struct set *s = state;
	struct section section = {.q = *q};
	lock_execute(w->lock, &s->lock, &w->node[0], in_turn, s, &section);
	*q = section.q;
	return section.done;
}

static bool global_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, global_request);
}

/* A lock for each node. The scheme of reclamation is called through its pointers here: twice an
 * operation is little beside a walk, and there is one text for each lock, not one for each pair. */

static ALWAYS_INLINE uint64_t locked_nodes(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock, bool coupling)
{
	struct set *s = state;
	struct ordered_own *own = w->own;
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	uint64_t done = 0;
	reclaim_online(me);
	for (uint64_t i = 0; i < n; i++) {
		struct request q = ordered_next(s->ordered->drawn, own);
		bool found;
		reclaim_enter(me);
		if (coupling)
			found = list_coupling_request(lock, &s->list, me, w->node, &q);
		else
			found = list_lazy_request(lock, &s->list, me, w->node, &q);
		reclaim_leave(me);
		done += ordered_count(own, &q, found);
	}
	reclaim_offline(me);
	w->failed += n - done;
	return done;
}

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return locked_nodes(state, w, n, lock, true);
}
LOCKED_BATCH(fine_lock)

static ALWAYS_INLINE uint64_t fine_lock_lazy(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return locked_nodes(state, w, n, lock, false);
}
LOCKED_BATCH(fine_lock_lazy)

// A request by itself, online for as long as it takes.
static ALWAYS_INLINE bool alone(struct set *s, struct worker *w, struct request *q,
	bool (*request)(
		struct set *s, struct worker *w, struct reclaim_worker *me, struct request *q))
{
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	const struct reclaim_class *scheme = s->reclaim.class;
	scheme->online(me);
	scheme->enter(me);
	bool done = request(s, w, me, q);
	scheme->leave(me);
	scheme->offline(me);
	return done;
}

static bool coupling_alone(
	struct set *s, struct worker *w, struct reclaim_worker *me, struct request *q)
{
	return list_coupling_request(w->lock, &s->list, me, w->node, q);
}

static bool coupling_request(void *state, struct worker *w, struct request *q)
{
	return alone(state, w, q, coupling_alone);
}

static bool coupling_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, coupling_request);
}

static bool lazy_alone(
	struct set *s, struct worker *w, struct reclaim_worker *me, struct request *q)
{
	return list_lazy_request(w->lock, &s->list, me, w->node, q);
}

static bool lazy_request(void *state, struct worker *w, struct request *q)
{
	return alone(state, w, q, lazy_alone);
}

static bool lazy_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, lazy_request);
}

/* No lock. */

static ALWAYS_INLINE uint64_t lock_free(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	struct set *s = state;
	struct ordered_own *own = w->own;
	struct reclaim_worker *me = &s->reclaim.worker[w->index];
	uint64_t done = 0;
	scheme->online(me);
	for (uint64_t i = 0; i < n; i++) {
		struct request q = ordered_next(s->ordered->drawn, own);
		scheme->enter(me);
		bool found = list_lockfree_request(scheme, &s->list, me, &q);
		scheme->leave(me);
		done += ordered_count(own, &q, found);
	}
	scheme->offline(me);
	w->failed += n - done;
	return done;
}

static const struct reclaim_class *scheme_of(const void *state)
{
	return ((const struct set *)state)->reclaim.class;
}
RECLAIMED_BATCH(lock_free, scheme_of)

static bool lock_free_alone(
	struct set *s, struct worker *w, struct reclaim_worker *me, struct request *q)
{
	(void)w;
	return list_lockfree_request(s->reclaim.class, &s->list, me, q);
}

static bool lock_free_request(void *state, struct worker *w, struct request *q)
{
	return alone(state, w, q, lock_free_alone);
}

static bool lock_free_operate(void *state, struct worker *w, struct operation *op)
{
	return ordered_operate(state, w, op, lock_free_request);
}

/* The state. */

static void *make_node(void *list, uint32_t key)
{
	return list_make(list, 0, key, key);
}

static int create(struct run *r)
{
	struct set *s = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool global = STRATEGY_IS(r->variant, "global-lock");
	s->ordered = r->input->data;
	for (unsigned i = 0; i < r->count; i++)
		ordered_begin(r->workers[i]->own, s->ordered->drawn, i, r->count);
	int rc = list_init(&s->list, global ? NULL : lock, r->team, r->count);
	if (!rc)
		rc = reclaim_init(&s->reclaim, s->ordered->scheme, r->count, list_free, &s->list);
	if (!rc && global)
		rc = lock->init(&s->lock, r->team);
	if (rc)
		return rc;
	void **node = ordered_nodes(s->ordered, &s->list, make_node);
	if (!node)
		return ENOMEM;
	list_fill(&s->list, (struct list_node *const *)node, s->ordered->drawn->keys);
	free(node);
	return 0;
}

static void destroy(struct run *r)
{
	struct set *s = r->state;
	if (STRATEGY_IS(r->variant, "global-lock"))
		r->variant->lock->fini(&s->lock);
	reclaim_fini(&s->reclaim);
	list_fini(&s->list);
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct set *s = r->state;
	uint64_t count, sum;
	bool sound = list_content(&s->list, &count, &sum);
	return ordered_check(r, s->ordered, done, sound, count, sum);
}

static const struct variant variants[] = {
	{.strategy = "sequential",
		.batch = sequential,
		.model = MODEL_MAP,
		.operate = sequential_operate},
	LOCKED_STRUCTURE("global-lock", global_lock, MODEL_MAP, global_operate)
		LOCKED_STRUCTURE("fine-lock", fine_lock, MODEL_MAP, coupling_operate)
			LOCKED_STRUCTURE("fine-lock-lazy", fine_lock_lazy, MODEL_MAP, lazy_operate){
				.strategy = "lock-free",
				.batch = lock_free_reclaimed,
				.model = MODEL_MAP,
				.operate = lock_free_operate},
};

static const struct param params[] = {DRAWN_PARAMS("512", "4..65536"), RECLAIM_PARAM("epoch"), {0}};

KERNEL(set, .summary = "a sorted linked list: mostly lookups, each a walk over half of it",
	.shared = "512 keys", .unit = "operations", .locks = "mutex ttas mcs",
	.state_size = sizeof(struct set), .own_size = sizeof(struct ordered_own), .params = params,
	VARIANTS(variants), .prepare = prepare, .unprepare = unprepare, .create = create,
	.destroy = destroy, .check = check);
