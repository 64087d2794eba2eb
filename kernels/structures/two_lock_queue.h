// SPDX-License-Identifier: BSD-2-Clause
// A FIFO queue with a lock at each end, so that an enqueue and a dequeue run at the same time: a
// list whose first node is a dummy keeps them from ever meeting. Unbounded, linearizable.
// Source: M. Michael & M. Scott, Simple, fast, and practical non-blocking and blocking concurrent
// queue algorithms, 1996.
#pragma once

#include "lock.h"
#include "nodes.h"

struct two_lock_node {
	_Atomic(struct two_lock_node *) next;
	uint64_t value;
};

struct two_lock_end { // the node and its lock side by side: who gets the lock needs both
	LINE_ALIGNED struct two_lock_node *node;
	_Alignas(LOCK_ALIGN) unsigned char lock[LOCK_SIZE];
};

struct two_lock_queue {
	struct two_lock_end head; // node: the dummy, before the oldest item
	struct two_lock_end tail;
	struct nodes nodes;
};

// Returns 0 or a positive errno.
static inline int two_lock_queue_init(struct two_lock_queue *q, const struct lock_class *lock,
	const struct lock_team *team, unsigned workers)
{
	int rc = nodes_init(&q->nodes, sizeof(struct two_lock_node), workers);
	struct two_lock_node *dummy = rc ? NULL : nodes_get(&q->nodes, 0);
	if (!dummy)
		return rc ? rc : ENOMEM;
	store(&dummy->next, NULL, relaxed); /* relaxed: no other worker is there yet */
	q->head.node = q->tail.node = dummy;
	rc = lock->init(q->head.lock, team);
	return rc ? rc : lock->init(q->tail.lock, team);
}

// Also after a two_lock_queue_init that failed.
static inline void two_lock_queue_fini(struct two_lock_queue *q, const struct lock_class *lock)
{
	if (q->head.node) {
		lock->fini(q->head.lock);
		lock->fini(q->tail.lock);
	}
	while (NODES_MALLOC && q->head.node) {
		struct two_lock_node *next = load(&q->head.node->next, relaxed); /* at rest */
		nodes_put(&q->nodes, 0, q->head.node);
		q->head.node = next;
	}
	nodes_fini(&q->nodes);
}

static inline void two_lock_queue_append(void *end, void *node)
{
	struct two_lock_end *tail = end;
	/* A0: release: the item is written before a dequeue finds it; pairs with A1 */
	store(&tail->node->next, (struct two_lock_node *)node, release);
	tail->node = node;
}

struct two_lock_taken {
	struct two_lock_node *node; // the old dummy; null: the queue was empty
	uint64_t value;
};

static inline void two_lock_queue_advance(void *end, void *taken)
{
	struct two_lock_end *head = end;
	struct two_lock_taken *t = taken;
	/* A1: acquire; pairs with A0. Null: nothing was behind the dummy when it was read. */
	struct two_lock_node *next = load(&head->node->next, acquire);
	t->node = next ? head->node : NULL;
	if (next) {
		t->value = next->value;
		head->node = next; /* the new dummy */
	}
}

// False: no memory.
static ALWAYS_INLINE bool two_lock_queue_enqueue(struct two_lock_queue *q,
	const struct lock_class *lock, struct lock_node *lock_node, unsigned worker, uint64_t value)
{
	struct two_lock_node *node = nodes_get(&q->nodes, worker);
	if (!node)
		return false;
	node->value = value;
	store(&node->next, NULL, relaxed); /* relaxed: A0 publishes it */
	lock_execute(lock, q->tail.lock, lock_node, two_lock_queue_append, &q->tail, node);
	return true;
}

static ALWAYS_INLINE bool two_lock_queue_dequeue(struct two_lock_queue *q,
	const struct lock_class *lock, struct lock_node *lock_node, unsigned worker,
	uint64_t *value)
{
	struct two_lock_taken taken;
	lock_execute(lock, q->head.lock, lock_node, two_lock_queue_advance, &q->head, &taken);
	if (!taken.node)
		return false;
	*value = taken.value;
	/* The tail left it behind before A0 let it be found: nobody can reach it. */
	nodes_put(&q->nodes, worker, taken.node);
	return true;
}

// Visits what is in it, oldest first, all workers at rest.
static inline void two_lock_queue_walk(
	struct two_lock_queue *q, void (*visit)(void *context, uint64_t value), void *context)
{
	struct two_lock_node *node = q->head.node;
	while ((node = load(&node->next, relaxed))) /* relaxed: at rest */
		visit(context, node->value);
}
