// SPDX-License-Identifier: BSD-2-Clause
// The elimination back-off stack: who loses the head to another goes to a slot aside and waits
// there for its opposite; a push and a pop that meet are done without the stack, which a push
// followed at once by its pop leaves as it was. Alone it costs what the counted stack costs; the
// more workers, the more pairs. Lock-free.
// Source: D. Hendler, N. Shavit & L. Yerushalmi, A scalable lock-free stack algorithm, 2004; the
// slots: W. Scherer, D. Lea & M. Scott, A scalable elimination-based exchange channel, 2005.
#pragma once

#include "stack_tagged.h"

// A slot belongs to the worker that made it an offer or a wish, until that worker empties it: its
// partner only marks it. So a waiter that finds its own word knows that nothing happened.
enum stack_slot {
	STACK_SLOT_EMPTY,
	STACK_SLOT_OFFER, // a push waits; above these bits the number of its node
	STACK_SLOT_TAKEN, // a pop took that node
	STACK_SLOT_WISH,  // a pop waits
	STACK_SLOT_GIVEN  // a push gave the node above these bits
};
enum { STACK_SLOT_BITS = 3, STACK_SLOT_MASK = 7, STACK_SLOTS_MOST = 64 };

struct stack_elimination_slot {
	LINE_ALIGNED _Atomic uint64_t word;
};

struct stack_elimination_worker {
	LINE_ALIGNED uint32_t random;
	unsigned width;  // slots it chooses from: more after a collision, fewer after a vain wait
	unsigned pauses; // of the next wait
	uint64_t met;    // operations done aside
};

struct stack_elimination {
	struct stack_tagged stack;
	unsigned slots;
	struct stack_elimination_slot *slot;
	struct stack_elimination_worker *worker;
};

static inline int stack_elimination_init(struct stack_elimination *s, unsigned workers)
{
	int rc = stack_tagged_init(&s->stack, workers);
	if (rc)
		return rc;
	s->slots = workers < 2 ? 1 : workers / 2; /* pairs that can meet at once */
	s->slots = s->slots < STACK_SLOTS_MOST ? s->slots : STACK_SLOTS_MOST;
	s->slot = aligned_alloc(LINE_PAIR, s->slots * sizeof *s->slot);
	s->worker = aligned_alloc(LINE_PAIR, workers * sizeof *s->worker);
	if (!s->slot || !s->worker)
		return ENOMEM;
	for (unsigned i = 0; i < s->slots; i++)
		atomic_init(&s->slot[i].word, STACK_SLOT_EMPTY);
	memset(s->worker, 0, workers * sizeof *s->worker);
	for (unsigned i = 0; i < workers; i++)
		s->worker[i] = (struct stack_elimination_worker){
			.random = i + 1, .width = 1, .pauses = STACK_PAUSES_FIRST};
	return 0;
}

// Also after a stack_elimination_init that failed.
static inline void stack_elimination_fini(struct stack_elimination *s)
{
	free(s->slot);
	free(s->worker);
	s->slot = NULL;
	s->worker = NULL;
	stack_tagged_fini(&s->stack);
}

static inline _Atomic uint64_t *stack_elimination_choose(
	struct stack_elimination *s, struct stack_elimination_worker *me)
{
	me->random ^= me->random << 13; /* xorshift: G. Marsaglia 2003 */
	me->random ^= me->random >> 17;
	me->random ^= me->random << 5;
	return &s->slot[me->random % me->width].word;
}

static inline void stack_elimination_widen(
	struct stack_elimination *s, struct stack_elimination_worker *me)
{
	if (me->width < s->slots)
		me->width++;
}

// Waits for a partner in the slot that holds this worker's `mine`. What the partner made of it, or
// 0: nobody came, and the slot is empty again.
static inline uint64_t stack_elimination_await(
	struct stack_elimination_worker *me, _Atomic uint64_t *slot, uint64_t mine)
{
	uint64_t found = mine;
	for (unsigned i = 0; i < me->pauses && found == mine; i++) {
		cpu_relax();
		found = load(slot, relaxed); /* relaxed: X3, X4 order */
	}
	/* X3: acquire where the partner came; pairs with X1, X2 */
	if (found == mine && compare_exchange(slot, &found, STACK_SLOT_EMPTY, acquire, acquire)) {
		me->pauses *= me->pauses < STACK_PAUSES_MOST ? 2 : 1;
		me->width -= me->width > 1;
		return 0;
	}
	found = load(slot, acquire);            /* X4: acquire; pairs with X1, X2 */
	store(slot, STACK_SLOT_EMPTY, release); /* X5: release; pairs with X0 */
	return found;
}

// Gives the node to a pop. False: none came.
static __attribute__((noinline, unused)) bool stack_elimination_give(
	struct stack_elimination *s, struct stack_elimination_worker *me, uint64_t number)
{
	_Atomic uint64_t *slot = stack_elimination_choose(s, me);
	uint64_t found = load(slot, relaxed); /* relaxed: the exchanges below order */
	uint64_t offer = number << STACK_SLOT_BITS | STACK_SLOT_OFFER;
	uint64_t given = number << STACK_SLOT_BITS | STACK_SLOT_GIVEN;
	/* X1: release: the node is whole; pairs with X3, X4 */
	if (found == STACK_SLOT_WISH && compare_exchange(slot, &found, given, acq_rel, relaxed))
		return true;
	/* X0: release: as X1, pairs with X2; acquire: pairs with X5 */
	if (found == STACK_SLOT_EMPTY && compare_exchange(slot, &found, offer, acq_rel, relaxed))
		return stack_elimination_await(me, slot, offer) != 0;
	stack_elimination_widen(s, me);
	return false;
}

// The number of a node that a push gave, or 0.
static __attribute__((noinline, unused)) uint64_t stack_elimination_take(
	struct stack_elimination *s, struct stack_elimination_worker *me)
{
	_Atomic uint64_t *slot = stack_elimination_choose(s, me);
	uint64_t found = load(slot, relaxed); /* relaxed: the exchanges below order */
	if ((found & STACK_SLOT_MASK) == STACK_SLOT_OFFER) {
		uint64_t number = found >> STACK_SLOT_BITS;
		/* X2: acquire: the node is whole, pairs with X0; release: pairs with X3, X4 */
		if (compare_exchange(slot, &found, STACK_SLOT_TAKEN, acq_rel, relaxed))
			return number;
	}
	/* X0: as above */
	if (found == STACK_SLOT_EMPTY &&
		compare_exchange(slot, &found, STACK_SLOT_WISH, acq_rel, relaxed))
		return stack_elimination_await(me, slot, STACK_SLOT_WISH) >> STACK_SLOT_BITS;
	stack_elimination_widen(s, me);
	return 0;
}

// False: no node left.
static ALWAYS_INLINE bool stack_elimination_push(
	struct stack_elimination *s, unsigned worker, uint64_t value)
{
	struct stack_tagged *stack = &s->stack;
	struct stack_elimination_worker *me = &s->worker[worker];
	struct stack_tagged_node *node = nodes_get(&stack->nodes, worker);
	if (!node)
		return false;
	node->value = value;
	for (;;) {
		uint64_t seen = load(&stack->head, relaxed); /* relaxed: only linked to */
		if (stack_tagged_try_push(stack, node, &seen))
			return true;
		if (stack_elimination_give(s, me, nodes_number(&stack->nodes, node))) {
			me->met++;
			me->pauses = STACK_PAUSES_FIRST;
			return true;
		}
	}
}

// False: empty.
static ALWAYS_INLINE bool stack_elimination_pop(
	struct stack_elimination *s, unsigned worker, uint64_t *value)
{
	struct stack_tagged *stack = &s->stack;
	struct stack_elimination_worker *me = &s->worker[worker];
	for (;;) {
		uint64_t seen = load(&stack->head, acquire); /* as T2 */
		struct stack_tagged_node *node = stack_tagged_first(stack, seen);
		if (!node)
			return false;
		if (!stack_tagged_try_pop(stack, &seen)) {
			uint64_t number = stack_elimination_take(s, me);
			if (!number)
				continue;
			me->met++;
			me->pauses = STACK_PAUSES_FIRST;
			node = nodes_numbered(&stack->nodes, number);
		}
		*value = node->value;
		nodes_put(&stack->nodes, worker, node);
		return true;
	}
}
