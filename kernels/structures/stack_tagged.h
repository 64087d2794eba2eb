// SPDX-License-Identifier: BSD-2-Clause
// Treiber's stack with a counted head: 24 bits number the first node, 40 bits count the pops. A
// pop whose head was popped meanwhile sees another count, though the same node may be first again
// (ABA); so nodes are used again at once, without reclamation: they only must stay nodes (stable).
// Lock-free; one compare-and-swap of one word an operation. It would err if a worker stopped
// between two accesses for exactly a multiple of 2^40 pops: over an hour at 200 M pops a second.
// Source: R. Treiber 1986; counted pointers: IBM System/370 Principles of Operation, 1983.
#pragma once

#include "nodes.h"
#include "stack_wait.h"

enum { STACK_TAGGED_BITS = 24, STACK_TAGGED_MOST = (1 << STACK_TAGGED_BITS) - 16 };
#define STACK_TAGGED_POP ((uint64_t)1 << STACK_TAGGED_BITS)
#define STACK_TAGGED_NUMBER (STACK_TAGGED_POP - 1)

struct stack_tagged_node {
	_Atomic uint64_t next; // read by pops that come too late, whatever the node is by then
	uint64_t value;        // of the worker that pushes or popped it
};

struct stack_tagged {
	LINE_ALIGNED _Atomic uint64_t head; // pops << 24 | number of the first node
	LINE_ALIGNED struct nodes nodes;
};

static inline int stack_tagged_init(struct stack_tagged *s, unsigned workers)
{
	atomic_init(&s->head, 0);
	return nodes_init_stable(
		&s->nodes, sizeof(struct stack_tagged_node), STACK_TAGGED_MOST, workers);
}

// Also after a stack_tagged_init that failed.
static inline void stack_tagged_fini(struct stack_tagged *s)
{
	nodes_fini(&s->nodes);
}

static ALWAYS_INLINE struct stack_tagged_node *stack_tagged_first(
	const struct stack_tagged *s, uint64_t head)
{
	uint64_t number = head & STACK_TAGGED_NUMBER;
	return number ? nodes_numbered(&s->nodes, number) : NULL;
}

// Whether the node is the first now; seen is the head, and what it became where it is not.
static ALWAYS_INLINE bool stack_tagged_try_push(
	struct stack_tagged *s, struct stack_tagged_node *node, uint64_t *seen)
{
	store(&node->next, *seen & STACK_TAGGED_NUMBER, relaxed); /* relaxed: T0 publishes it */
	uint64_t pushed = (*seen & ~STACK_TAGGED_NUMBER) | nodes_number(&s->nodes, node);
	/* T0: release: the node is whole; pairs with T1 and T2, also through later exchanges of the
	 * head, which are all read-modify-write. relaxed: what is found is only linked to */
	return compare_exchange(&s->head, seen, pushed, release, relaxed);
}

// Whether the first node of *seen, which there is, was unlinked; else *seen is the head now.
static ALWAYS_INLINE bool stack_tagged_try_pop(struct stack_tagged *s, uint64_t *seen)
{
	/* relaxed: if the head is still *seen, the node is as T0 published it; else no matter */
	uint64_t next = load(&stack_tagged_first(s, *seen)->next, relaxed);
	uint64_t popped =
		((*seen + STACK_TAGGED_POP) & ~STACK_TAGGED_NUMBER) | (next & STACK_TAGGED_NUMBER);
	/* T1: acquire: the node is whole, pairs with T0 */
	return compare_exchange(&s->head, seen, popped, acquire, acquire);
}

// False: no node left.
static ALWAYS_INLINE bool stack_tagged_push(struct stack_tagged *s, unsigned worker, uint64_t value)
{
	struct stack_tagged_node *node = nodes_get(&s->nodes, worker);
	if (!node)
		return false;
	node->value = value;
	uint64_t seen = load(&s->head, relaxed); /* relaxed: only compared and linked to */
	for (unsigned pauses = STACK_PAUSES_FIRST; !stack_tagged_try_push(s, node, &seen);) {
		stack_wait(&pauses);
		seen = load(&s->head, relaxed); /* relaxed: as above */
	}
	return true;
}

// False: empty.
static ALWAYS_INLINE bool stack_tagged_pop(struct stack_tagged *s, unsigned worker, uint64_t *value)
{
	unsigned pauses = STACK_PAUSES_FIRST;
	for (;;) {
		uint64_t seen = load(&s->head, acquire); /* T2: acquire; pairs with T0 */
		struct stack_tagged_node *node = stack_tagged_first(s, seen);
		if (!node)
			return false;
		if (stack_tagged_try_pop(s, &seen)) {
			*value = node->value;
			nodes_put(&s->nodes, worker, node);
			return true;
		}
		stack_wait(&pauses);
	}
}
