// SPDX-License-Identifier: BSD-2-Clause
// The lock-free FIFO queue: a list whose first node is a dummy; an item is in the queue when the
// last node's link has been exchanged, and the tail follows, moved by whoever finds it behind.
// Unbounded, linearizable; three exchanges for an item's way through, and memory reclamation.
// Source: M. Michael & M. Scott, Simple, fast, and practical non-blocking and blocking concurrent
// queue algorithms, 1996; protection of nodes as M. Michael, Hazard pointers, 2004.
#pragma once

#include "nodes.h"
#include "reclaim.h"

struct ms_node {
	_Atomic uintptr_t next; // written once
	uint64_t value;
};

struct ms_queue {
	LINE_ALIGNED _Atomic uintptr_t head; // the dummy, before the oldest item
	LINE_ALIGNED _Atomic uintptr_t tail; // the last node, or the one before it; never before
					     // head
	LINE_ALIGNED struct nodes nodes;
	struct reclaim reclaim;
};

// Returns 0 or a positive errno.
static inline int ms_queue_init(
	struct ms_queue *q, const struct reclaim_class *scheme, unsigned workers)
{
	int rc = nodes_init(&q->nodes, sizeof(struct ms_node), workers);
	struct ms_node *dummy = rc ? NULL : nodes_get(&q->nodes, 0);
	if (!dummy)
		return rc ? rc : ENOMEM;
	store(&dummy->next, 0, relaxed); /* relaxed, all: no other worker is there yet */
	store(&q->head, (uintptr_t)dummy, relaxed);
	store(&q->tail, (uintptr_t)dummy, relaxed);
	return reclaim_init(&q->reclaim, scheme, workers, nodes_reclaimed, &q->nodes);
}

// Also after an ms_queue_init that failed.
static inline void ms_queue_fini(struct ms_queue *q)
{
	reclaim_fini(&q->reclaim);
	struct ms_node *node = (struct ms_node *)load(&q->head, relaxed); /* relaxed: at rest */
	while (NODES_MALLOC && node) {
		struct ms_node *next = (struct ms_node *)load(&node->next, relaxed);
		nodes_put(&q->nodes, 0, node);
		node = next;
	}
	nodes_fini(&q->nodes);
}

// False: no memory.
static ALWAYS_INLINE bool ms_queue_enqueue(
	struct ms_queue *q, const struct reclaim_class *scheme, unsigned worker, uint64_t value)
{
	struct reclaim_worker *me = &q->reclaim.worker[worker];
	struct ms_node *node = nodes_get(&q->nodes, worker);
	if (!node)
		return false;
	node->value = value;
	store(&node->next, 0, relaxed); /* relaxed: M1 publishes it */
	scheme->enter(me);
	for (;;) {
		/* M0: acquire, within; pairs with M2, M4 */
		uintptr_t tail = scheme->protect(me, 0, &q->tail), next = 0;
		/* M1: release: the item is written before it is found; pairs with M3, M5. The node
		 * is protected, so that its link is the one that was null. */
		if (compare_exchange(&((struct ms_node *)tail)->next, &next, (uintptr_t)node,
			    acq_rel, acquire /* M3; pairs with M1 */)) {
			/* M2: release; pairs with M0. Where it fails, somebody else did it. */
			compare_exchange(&q->tail, &tail, (uintptr_t)node, release, relaxed);
			break;
		}
		/* M4: as M2, for the worker that has not done so yet */
		compare_exchange(&q->tail, &tail, next, release, relaxed);
	}
	scheme->leave(me);
	return true;
}

static ALWAYS_INLINE bool ms_queue_dequeue(
	struct ms_queue *q, const struct reclaim_class *scheme, unsigned worker, uint64_t *value)
{
	struct reclaim_worker *me = &q->reclaim.worker[worker];
	bool found = false;
	scheme->enter(me);
	for (;;) {
		uintptr_t head = scheme->protect(me, 0, &q->head); /* acquire; pairs with M6 */
		/* M5: acquire, within; pairs with M1. Null: head was the last node, hence the
		 * dummy, and the queue empty, when the link was read. */
		uintptr_t next = scheme->protect(me, 1, &((struct ms_node *)head)->next);
		if (!next)
			break;
		/* seq_cst, after next was published: what is still behind the dummy cannot have
		 * been retired before */
		if (scheme->validates && load(&q->head, seq_cst) != head)
			continue;
		/* The tail must not stay on a node that is retired. Acquire: not before the head
		 * was read; if the head is still the same at M6, a tail elsewhere is behind it. */
		uintptr_t tail = load(&q->tail, acquire);
		if (tail == head)
			compare_exchange(&q->tail, &tail, next, release, relaxed); /* as M4 */
		uint64_t item = ((struct ms_node *)next)->value;
		/* M6: acq_rel: the item is read before another dequeue can free its node; and what
		 * the head's node became is seen by who finds it there */
		uintptr_t expected = head;
		if (compare_exchange(&q->head, &expected, next, acq_rel, relaxed)) {
			*value = item;
			scheme->retire(me, (void *)head);
			found = true;
			break;
		}
	}
	scheme->leave(me);
	return found;
}

// Visits what is in it, oldest first, all workers at rest.
static inline void ms_queue_walk(
	struct ms_queue *q, void (*visit)(void *context, uint64_t value), void *context)
{
	struct ms_node *node =
		(struct ms_node *)load(&q->head, relaxed); /* relaxed, all: at rest */
	while ((node = (struct ms_node *)load(&node->next, relaxed)))
		visit(context, node->value);
}
