// SPDX-License-Identifier: BSD-2-Clause
// Treiber's stack: a list whose head is exchanged by compare-and-swap. Lock-free. A popped node is
// retired, so no node that a worker still looks at can come back to the head: that is what keeps a
// pop from taking a head that only looks the same (ABA). One compare-and-swap an operation, and a
// pop pays for reclamation. Source: R. Treiber, Coping with parallelism, 1986.
#pragma once

#include "nodes.h"
#include "reclaim.h"
#include "stack_wait.h"

struct stack_treiber_node {
	uintptr_t next; // written before the node is published, and then only read
	uint64_t value;
};

struct stack_treiber {
	LINE_ALIGNED _Atomic uintptr_t head;
	LINE_ALIGNED struct nodes nodes;
	struct reclaim reclaim;
};

static inline int stack_treiber_init(
	struct stack_treiber *s, const struct reclaim_class *reclaim, unsigned workers)
{
	atomic_init(&s->head, 0);
	int rc = nodes_init(&s->nodes, sizeof(struct stack_treiber_node), workers);
	return rc ? rc : reclaim_init(&s->reclaim, reclaim, workers, nodes_reclaimed, &s->nodes);
}

// Also after a stack_treiber_init that failed.
static inline void stack_treiber_fini(struct stack_treiber *s)
{
	uintptr_t at = load(&s->head, relaxed); /* relaxed: all at rest */
	while (at && s->nodes.worker) {
		struct stack_treiber_node *node = (void *)at;
		at = node->next;
		nodes_put(&s->nodes, 0, node);
	}
	reclaim_fini(&s->reclaim);
	nodes_fini(&s->nodes);
}

// False: no memory. Needs no protection: no node but the worker's own is looked into.
static ALWAYS_INLINE bool stack_treiber_push(
	struct stack_treiber *s, unsigned worker, uint64_t value)
{
	struct stack_treiber_node *node = nodes_get(&s->nodes, worker);
	if (!node)
		return false;
	node->value = value;
	unsigned pauses = STACK_PAUSES_FIRST;
	/* relaxed: what is found is only compared and linked to */
	uintptr_t seen = load(&s->head, relaxed);
	for (;;) {
		node->next = seen;
		/* S0: release: the node is whole; pairs with S1 and S2 */
		if (compare_exchange(&s->head, &seen, (uintptr_t)node, release, relaxed))
			return true;
		stack_wait(&pauses);
		seen = load(&s->head, relaxed); /* relaxed: as above */
	}
}

// False: empty.
static ALWAYS_INLINE bool stack_treiber_pop(struct stack_treiber *s, unsigned worker,
	uint64_t *value, const struct reclaim_class *reclaim)
{
	struct reclaim_worker *me = &s->reclaim.worker[worker];
	struct stack_treiber_node *node;
	unsigned pauses = STACK_PAUSES_FIRST;
	reclaim->enter(me);
	for (;;) {
		/* S1: acquire, by protect; pairs with S0 */
		uintptr_t seen = reclaim->protect(me, 0, &s->head);
		node = (void *)seen;
		if (!node) {
			reclaim->leave(me);
			return false;
		}
		/* S2: acquire; pairs with S0, also through other exchanges of the head, which are
		 * all read-modify-write */
		if (compare_exchange(&s->head, &seen, node->next, acquire, relaxed))
			break;
		stack_wait(&pauses);
	}
	*value = node->value;
	reclaim->retire(me, node);
	reclaim->leave(me);
	return true;
}
