// SPDX-License-Identifier: BSD-2-Clause
// A queue of queues, NOT first in, first out: each worker enqueues into a lane of its own, and
// dequeues from there, else from the lane where it last found something, else from any. The items
// of one worker come in their order; those of different workers in any. Every so often a dequeue
// goes to the next lane, so that no item waits for ever while anybody dequeues. "Empty" is
// answered only if all lanes were empty at one moment. An enqueue takes no locked instruction, a
// dequeue one. Unbounded: a lane doubles; its old arrays, together no larger, live as long as it.
// Source: a lane is the array of D. Chase & Y. Lev, Dynamic circular work-stealing deque, 2005, of
// which only the far end is taken from; lanes as queues of their own as in C. Desrochers, 2014.
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"

enum { RELAXED_ELSEWHERE = 256 }; // dequeues between two that go to another lane

struct relaxed_array {
	struct relaxed_array *older;
	uint64_t mask; // slots, a power of two, less one
	_Atomic uint64_t slot[];
};

struct relaxed_lane {
	/* Its worker's, as the one who enqueues. */
	LINE_ALIGNED _Atomic uint64_t tail;
	_Atomic(struct relaxed_array *) array;
	uint64_t head_seen; // not more than head: saves looking at it
	/* All dequeues'. */
	LINE_ALIGNED _Atomic uint64_t head;
	/* Its worker's, as one who dequeues. */
	LINE_ALIGNED unsigned source; // where it last found something
	unsigned elsewhere;           // the lane it last went to for others' sake
	unsigned patience;            // dequeues until it does so again
};

struct relaxed_queue {
	unsigned lanes;
	struct relaxed_lane *lane;
};

static inline struct relaxed_array *relaxed_array_new(uint64_t room, struct relaxed_array *older)
{
	struct relaxed_array *a = malloc(sizeof *a + room * sizeof *a->slot);
	if (a) {
		a->older = older;
		a->mask = room - 1;
	}
	return a;
}

// With lanes for that many items at first, a power of two. Returns 0 or a positive errno.
static inline int relaxed_queue_init(struct relaxed_queue *q, unsigned workers, uint64_t room)
{
	q->lanes = workers;
	q->lane = aligned_alloc(LINE_PAIR, workers * sizeof *q->lane);
	if (!q->lane)
		return ENOMEM;
	memset(q->lane, 0, workers * sizeof *q->lane);
	for (unsigned i = 0; i < workers; i++) {
		struct relaxed_array *a = relaxed_array_new(room, NULL);
		if (!a)
			return ENOMEM;
		store(&q->lane[i].array, a, relaxed); /* relaxed: nobody else is there yet */
		q->lane[i].source = q->lane[i].elsewhere = i;
		q->lane[i].patience = RELAXED_ELSEWHERE;
	}
	return 0;
}

// Also after a relaxed_queue_init that failed.
static inline void relaxed_queue_fini(struct relaxed_queue *q)
{
	for (unsigned i = 0; q->lane && i < q->lanes; i++) {
		struct relaxed_array *a = load(&q->lane[i].array, relaxed); /* at rest */
		while (a) {
			struct relaxed_array *older = a->older;
			free(a);
			a = older;
		}
	}
	free(q->lane);
	q->lane = NULL;
}

static __attribute__((noinline, unused)) bool relaxed_lane_grow(struct relaxed_lane *l)
{
	struct relaxed_array *a = load(&l->array, relaxed); /* relaxed: only its worker writes it */
	struct relaxed_array *more = relaxed_array_new(2 * (a->mask + 1), a);
	if (!more)
		return false;
	uint64_t tail = load(&l->tail, relaxed); /* relaxed: as above */
	/* relaxed, both: L0 publishes the copies; an item taken meanwhile is copied in vain */
	for (uint64_t i = l->head_seen; i != tail; i++)
		store(&more->slot[i & more->mask], load(&a->slot[i & a->mask], relaxed), relaxed);
	store(&l->array, more, release); /* L0: release; pairs with L5 */
	return true;
}

// By the lane's worker. False: no memory.
static ALWAYS_INLINE bool relaxed_queue_enqueue(
	struct relaxed_queue *q, unsigned worker, uint64_t value)
{
	struct relaxed_lane *l = &q->lane[worker];
	uint64_t tail = load(&l->tail, relaxed); /* relaxed, both: only this worker writes them */
	struct relaxed_array *a = load(&l->array, relaxed);
	if (__builtin_expect(tail - l->head_seen > a->mask, false)) {
		l->head_seen = load(&l->head, acquire); /* L1: acquire; pairs with L6 */
		if (tail - l->head_seen > a->mask) {
			if (!relaxed_lane_grow(l))
				return false;
			a = load(&l->array, relaxed);
		}
	}
	/* relaxed: L2 publishes it; L1 was after its old item's dequeue */
	store(&a->slot[tail & a->mask], value, relaxed);
	store(&l->tail, tail + 1, release); /* L2: release; pairs with L4 */
	return true;
}

// The lane's oldest item. False: it was empty when *tail, its tail, was read.
static ALWAYS_INLINE bool relaxed_lane_take(struct relaxed_lane *l, uint64_t *tail, uint64_t *value)
{
	uint64_t head = load(&l->head, acquire); /* L3: acquire: before the tail */
	for (;;) {
		*tail = load(&l->tail, acquire); /* L4: acquire; pairs with L2 */
		if (head == *tail)
			return false;
		/* L5: acquire; pairs with L0: no older than the array in which the item was put */
		struct relaxed_array *a = load(&l->array, acquire);
		/* relaxed: whatever it is, it counts only if the head is still the same at L6, and
		 * until then the lane's worker leaves it alone */
		uint64_t item = load(&a->slot[head & a->mask], relaxed);
		/* L6: release: the item is read before it is overwritten; pairs with L1. Acquire:
		 * as L3. */
		if (compare_exchange_weak(&l->head, &head, head + 1, acq_rel, acquire)) {
			*value = item;
			return true;
		}
	}
}

// From whatever lane has something. Two rounds that find all of them empty and every tail where it
// was mean that all were empty between the rounds.
static __attribute__((noinline, unused)) bool relaxed_queue_search(
	struct relaxed_queue *q, unsigned worker, uint64_t *value)
{
	struct relaxed_lane *me = &q->lane[worker];
	uint64_t before, now = 0, tail;
	bool again = false;
	for (;; again = true) {
		before = now;
		now = 0;
		for (unsigned i = 0, at = me->source; i < q->lanes; i++) {
			at = at + 1 < q->lanes ? at + 1 : 0;
			if (relaxed_lane_take(&q->lane[at], &tail, value)) {
				me->source = at;
				return true;
			}
			now += tail; /* tails only rise: equal sums mean equal tails */
		}
		if (again && now == before)
			return false;
	}
}

static __attribute__((noinline, unused)) bool relaxed_queue_elsewhere(
	struct relaxed_queue *q, struct relaxed_lane *me, uint64_t *value)
{
	uint64_t tail;
	me->patience = RELAXED_ELSEWHERE;
	me->elsewhere = me->elsewhere + 1 < q->lanes ? me->elsewhere + 1 : 0;
	return relaxed_lane_take(&q->lane[me->elsewhere], &tail, value);
}

static ALWAYS_INLINE bool relaxed_queue_dequeue(
	struct relaxed_queue *q, unsigned worker, uint64_t *value)
{
	struct relaxed_lane *me = &q->lane[worker];
	uint64_t tail;
	if (__builtin_expect(--me->patience == 0, false) && relaxed_queue_elsewhere(q, me, value))
		return true;
	if (relaxed_lane_take(me, &tail, value))
		return true;
	if (me->source != worker && relaxed_lane_take(&q->lane[me->source], &tail, value))
		return true;
	return relaxed_queue_search(q, worker, value);
}

// Visits what is in it, lane by lane, oldest first, all workers at rest.
static inline void relaxed_queue_walk(
	struct relaxed_queue *q, void (*visit)(void *context, uint64_t value), void *context)
{
	/* relaxed, all: at rest */
	for (struct relaxed_lane *l = q->lane; l < q->lane + q->lanes; l++) {
		struct relaxed_array *a = load(&l->array, relaxed);
		for (uint64_t i = load(&l->head, relaxed); i != load(&l->tail, relaxed); i++)
			visit(context, load(&a->slot[i & a->mask], relaxed));
	}
}
