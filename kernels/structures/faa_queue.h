// SPDX-License-Identifier: BSD-2-Clause
// A lock-free FIFO queue without a retry loop on a shared word: a fetch-and-add gives each enqueue
// and each dequeue a slot of its own, in a list of segments. A dequeue that comes to its slot
// before the item closes it, and both try their next. Unbounded, linearizable; three locked
// instructions for an item's way through; memory is reclaimed by the segment.
// Source: the queue of infinite length in A. Morrison & Y. Afek, Fast concurrent queues for x86
// processors, 2013; as segments that are used once, P. Ramalhete & A. Correia, FAAArrayQueue, 2016.
#pragma once

#include "nodes.h"
#include "reclaim.h"

#ifndef FAA_SLOTS /* an exploring build has its own number */
#define FAA_SLOTS 512
#endif
#define FAA_EMPTY ((uint64_t)0)
#define FAA_CLOSED UINT64_MAX

// Counters lie apart by padding: nodes are aligned to 16 only. They may exceed the slots.
struct faa_segment {
	_Atomic uint64_t enqueues; // tickets given out
	char pad1[LINE_PAIR - sizeof(uint64_t)];
	_Atomic uint64_t dequeues;
	char pad2[LINE_PAIR - sizeof(uint64_t)];
	_Atomic uintptr_t next; // written once, after the last slot's ticket was given out
	char pad3[LINE_PAIR - sizeof(uintptr_t)];
	_Atomic uint64_t slot[FAA_SLOTS]; // FAA_EMPTY, then an item or FAA_CLOSED for ever
};

struct faa_queue {
	LINE_ALIGNED _Atomic uintptr_t head; // the first segment with slots to take
	LINE_ALIGNED _Atomic uintptr_t tail; // the last, or the one before it; never before head
	LINE_ALIGNED struct nodes nodes;
	struct reclaim reclaim;
};

// A segment with so many items, none or the one; null: no memory.
static inline struct faa_segment *faa_segment_new(
	struct faa_queue *q, unsigned worker, uint64_t items, uint64_t value)
{
	struct faa_segment *s = nodes_get(&q->nodes, worker);
	if (!s)
		return NULL;
	/* relaxed, all: whoever links it publishes it */
	store(&s->enqueues, items, relaxed);
	store(&s->dequeues, 0, relaxed);
	store(&s->next, 0, relaxed);
	store(&s->slot[0], items ? value : FAA_EMPTY, relaxed);
	for (unsigned i = 1; i < FAA_SLOTS; i++)
		store(&s->slot[i], FAA_EMPTY, relaxed);
	return s;
}

// Returns 0 or a positive errno.
static inline int faa_queue_init(
	struct faa_queue *q, const struct reclaim_class *scheme, unsigned workers)
{
	int rc = nodes_init(&q->nodes, sizeof(struct faa_segment), workers);
	struct faa_segment *first = rc ? NULL : faa_segment_new(q, 0, 0, 0);
	if (!first)
		return rc ? rc : ENOMEM;
	store(&q->head, (uintptr_t)first, relaxed); /* relaxed: no other worker is there yet */
	store(&q->tail, (uintptr_t)first, relaxed);
	return reclaim_init(&q->reclaim, scheme, workers, nodes_reclaimed, &q->nodes);
}

// Also after a faa_queue_init that failed.
static inline void faa_queue_fini(struct faa_queue *q)
{
	reclaim_fini(&q->reclaim);
	struct faa_segment *s = (struct faa_segment *)load(&q->head, relaxed); /* at rest */
	while (NODES_MALLOC && s) {
		struct faa_segment *next = (struct faa_segment *)load(&s->next, relaxed);
		nodes_put(&q->nodes, 0, s);
		s = next;
	}
	nodes_fini(&q->nodes);
}

// The segment is full: puts the item into a new one behind it, or, where somebody else was faster,
// moves the tail there. Returns 1 with the item put, 0 to try again, -1 without memory.
static __attribute__((noinline, unused)) int faa_queue_append(
	struct faa_queue *q, struct faa_segment *last, unsigned worker, uint64_t value)
{
	uintptr_t tail = (uintptr_t)last, next = load(&last->next, acquire); /* pairs with F3 */
	struct faa_segment *own = NULL;
	if (!next) {
		own = faa_segment_new(q, worker, 1, value);
		if (!own)
			return -1;
		/* F3: release: the segment is written before it is found */
		if (compare_exchange(&last->next, &next, (uintptr_t)own, acq_rel, acquire))
			next = (uintptr_t)own;
		else
			nodes_put(&q->nodes, worker, own);
	}
	/* F4: release; pairs with protect. Where it fails, somebody else did it. */
	compare_exchange(&q->tail, &tail, next, release, relaxed);
	return own && next == (uintptr_t)own;
}

// The item is neither FAA_EMPTY nor FAA_CLOSED. False: no memory.
static ALWAYS_INLINE bool faa_queue_enqueue(
	struct faa_queue *q, const struct reclaim_class *scheme, unsigned worker, uint64_t value)
{
	struct reclaim_worker *me = &q->reclaim.worker[worker];
	int put = 0;
	scheme->enter(me);
	while (!put) {
		/* acquire, within; pairs with F4 */
		struct faa_segment *s = (struct faa_segment *)scheme->protect(me, 0, &q->tail);
		/* F0: acq_rel: tickets are in the order in which the enqueues take effect */
		uint64_t ticket = fetch_add(&s->enqueues, 1, acq_rel);
		uint64_t empty = FAA_EMPTY;
		if (ticket >= FAA_SLOTS)
			put = faa_queue_append(q, s, worker, value);
		else /* F1: release: pairs with F2. It fails where a dequeue closed the slot. */
			put = compare_exchange(&s->slot[ticket], &empty, value, release, relaxed);
	}
	scheme->leave(me);
	return put > 0;
}

// All slots of the segment are given out: moves on to the next. False: there is none, so that the
// queue was empty when that was read.
static __attribute__((noinline, unused)) bool faa_queue_advance(struct faa_queue *q,
	struct faa_segment *first, const struct reclaim_class *scheme, struct reclaim_worker *me)
{
	uintptr_t head = (uintptr_t)first, tail = head;
	uintptr_t next = load(&first->next, acquire); /* pairs with F3 */
	if (!next)
		return false;
	/* The tail must not stay on a segment that is retired. */
	if (load(&q->tail, acquire) == head)
		compare_exchange(&q->tail, &tail, next, release, relaxed); /* as F4 */
	/* F5: release; pairs with protect */
	if (compare_exchange(&q->head, &head, next, acq_rel, relaxed))
		scheme->retire(me, first);
	return true;
}

// Whether no item is in the segment or behind it, at the moment when the number of enqueues was
// read: all tickets given out to enqueues had been given out to dequeues before.
static ALWAYS_INLINE bool faa_queue_empty(struct faa_segment *s, uint64_t dequeues)
{
	/* acquire: in this order, after `dequeues` was read */
	return dequeues >= load(&s->enqueues, acquire) && !load(&s->next, acquire);
}

static ALWAYS_INLINE bool faa_queue_dequeue(
	struct faa_queue *q, const struct reclaim_class *scheme, unsigned worker, uint64_t *value)
{
	struct reclaim_worker *me = &q->reclaim.worker[worker];
	bool found = false;
	scheme->enter(me);
	while (!found) {
		/* acquire, within; pairs with F5 */
		struct faa_segment *s = (struct faa_segment *)scheme->protect(me, 0, &q->head);
		uint64_t ticket = load(&s->dequeues, acquire); /* acquire: before enqueues */
		/* An empty queue is noticed before a slot is spent on it; an item in the slot that
		 * is probably ours saves a look at the enqueues' counter. Relaxed: a hint. */
		if (ticket < FAA_SLOTS) {
			if (load(&s->slot[ticket], relaxed) == FAA_EMPTY &&
				faa_queue_empty(s, ticket))
				break;
			ticket = fetch_add(&s->dequeues, 1, acq_rel); /* as F0 */
		}
		if (ticket >= FAA_SLOTS) {
			if (!faa_queue_advance(q, s, scheme, me))
				break;
			continue;
		}
		uint64_t item = load(&s->slot[ticket], acquire); /* F2: acquire; pairs with F1 */
		for (int i = 0; item == FAA_EMPTY && i < 32; i++) {
			cpu_relax(); /* its enqueue is under way */
			item = load(&s->slot[ticket], acquire);
		}
		/* An item in it stays for us alone; else nobody's may come any more. */
		if (item == FAA_EMPTY)
			item = exchange(&s->slot[ticket], FAA_CLOSED, acquire);
		if (item != FAA_EMPTY) {
			*value = item;
			found = true;
		}
	}
	scheme->leave(me);
	return found;
}

// Visits what is in it, oldest first, all workers at rest.
static inline void faa_queue_walk(
	struct faa_queue *q, void (*visit)(void *context, uint64_t value), void *context)
{
	/* relaxed, all: at rest */
	for (struct faa_segment *s = (struct faa_segment *)load(&q->head, relaxed); s;
		s = (struct faa_segment *)load(&s->next, relaxed)) {
		uint64_t end = load(&s->enqueues, relaxed);
		for (uint64_t i = load(&s->dequeues, relaxed); i < end && i < FAA_SLOTS; i++)
			visit(context, load(&s->slot[i], relaxed));
	}
}
