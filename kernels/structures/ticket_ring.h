// SPDX-License-Identifier: BSD-2-Clause
// A bounded FIFO queue: a ring in which each slot says whose turn it is. One exchange takes a
// ticket, the ticket names the slot, and nothing else is shared: no memory is ever freed.
// Linearizable, also where it answers "full" or "empty": those are given only after both counters
// were looked at. A worker stopped between its ticket and its slot holds up who gets there next.
// Source: the ring with a sequence number per slot of D. Vyukov, Bounded MPMC queue, 2010, which
// takes an unfinished slot for an empty queue; here the worker waits for it.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "atomic.h"

struct ticket_slot {
	_Atomic uint64_t turn; // t: empty, for ticket t to fill; t + 1: full, for ticket t to take
	uint64_t value;
};

struct ticket_ring {
	LINE_ALIGNED _Atomic uint64_t head; // dequeues' tickets
	LINE_ALIGNED _Atomic uint64_t tail; // enqueues'
	LINE_ALIGNED uint64_t mask;         // slots, a power of two, less one
	struct ticket_slot *slot;
};

// With room for that many items, a power of two and at least two. Returns 0 or a positive errno.
static inline int ticket_ring_init(struct ticket_ring *r, uint64_t room)
{
	store(&r->head, 0, relaxed); /* relaxed, all: no other worker is there yet */
	store(&r->tail, 0, relaxed);
	r->mask = room - 1;
	r->slot = aligned_alloc(
		LINE_PAIR, (room * sizeof *r->slot + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1));
	for (uint64_t i = 0; r->slot && i < room; i++)
		store(&r->slot[i].turn, i, relaxed);
	return r->slot ? 0 : ENOMEM;
}

// Also after a ticket_ring_init that failed.
static inline void ticket_ring_fini(struct ticket_ring *r)
{
	free(r->slot);
	r->slot = NULL;
}

// False: the ring was full.
static ALWAYS_INLINE bool ticket_ring_enqueue(struct ticket_ring *r, uint64_t value)
{
	uint64_t ticket = load(&r->tail, acquire); /* R0: acquire: before the slot and the head */
	for (;;) {
		struct ticket_slot *slot = &r->slot[ticket & r->mask];
		uint64_t turn = load(&slot->turn, acquire); /* R1: acquire; pairs with R4 */
		if (turn == ticket) {
			/* acquire: as R0; the slot's turn passes the item on, not the counter */
			if (compare_exchange_weak(
				    &r->tail, &ticket, ticket + 1, acquire, acquire)) {
				slot->value = value;
				store(&slot->turn, ticket + 1, release); /* R2; pairs with R3 */
				return true;
			}
			continue;
		}
		/* Not emptied yet. The head was not further when it was read, and the tail not
		 * less: the ring was full at that moment. */
		if ((int64_t)(turn - ticket) < 0) {
			if ((int64_t)(ticket - load(&r->head, acquire)) > (int64_t)r->mask)
				return false;
			cpu_relax();
		}
		ticket = load(&r->tail, acquire); /* as R0 */
	}
}

// False: the ring was empty.
static ALWAYS_INLINE bool ticket_ring_dequeue(struct ticket_ring *r, uint64_t *value)
{
	uint64_t ticket = load(&r->head, acquire); /* acquire: before the slot and the tail */
	for (;;) {
		struct ticket_slot *slot = &r->slot[ticket & r->mask];
		uint64_t turn = load(&slot->turn, acquire); /* R3: acquire; pairs with R2 */
		if (turn == ticket + 1) {
			/* acquire: as the first */
			if (compare_exchange_weak(
				    &r->head, &ticket, ticket + 1, acquire, acquire)) {
				*value = slot->value;
				/* R4: release: the item is read before it is overwritten; pairs
				 * with R1 */
				store(&slot->turn, ticket + r->mask + 1, release);
				return true;
			}
			continue;
		}
		/* Not filled yet. The tail was not further when it was read, and the head not
		 * less: the ring was empty at that moment. */
		if ((int64_t)(turn - ticket) <= 0) {
			if (load(&r->tail, acquire) == ticket)
				return false;
			cpu_relax();
		}
		ticket = load(&r->head, acquire); /* as the first */
	}
}

// Visits what is in it, oldest first, all workers at rest.
static inline void ticket_ring_walk(
	struct ticket_ring *r, void (*visit)(void *context, uint64_t value), void *context)
{
	/* relaxed: at rest */
	for (uint64_t i = load(&r->head, relaxed); i != load(&r->tail, relaxed); i++)
		visit(context, r->slot[i & r->mask].value);
}
