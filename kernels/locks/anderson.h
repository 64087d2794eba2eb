// SPDX-License-Identifier: BSD-2-Clause
// Anderson's array-based queueing lock: a ticket per acquisition, and each waiter spins on the
// slot of its ticket, a line of its own.
// Guarantees: mutual exclusion; first come, first served; the hand-over costs one line transfer
// however many wait. Collapses when workers outnumber PUs: the lock may be granted to a worker
// that is not running.
// Cost: one fetch-and-add uncontended, a plain store to release; a pair of lines per worker for
// every lock. Use it for one hot lock, `mcs` where there are many.
// Source: T. E. Anderson, IEEE TPDS 1990; slots that hold ticket numbers need no resetting.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lock.h"

struct anderson_slot {
	LINE_ALIGNED atomic_uint turn; // the ticket that may go; nobody's before the first round
};

struct anderson_node {
	unsigned ticket;
};

struct anderson_lock {
	atomic_uint next;
	/* What all read is not on the line that all write. */
	unsigned char apart[64 - sizeof(atomic_uint)];
	unsigned mask; // slots - 1; a power of two of them, so that tickets may overflow
	struct anderson_slot *slot;
};

// At least a slot per worker, and a worker waits for one acquisition at a time: no two waiters
// share a slot. It would cost time, not correctness, as each waits for its own number.
static inline int anderson_init(struct anderson_lock *l, const struct lock_team *team)
{
	unsigned slots = 1;
	while (slots < team->workers)
		slots *= 2;
	l->slot = aligned_alloc(LINE_PAIR, slots * sizeof *l->slot);
	if (!l->slot)
		return ENOMEM;
	/* Ticket 0 may go; no other slot is the one of ticket 0. */
	for (unsigned i = 0; i < slots; i++)
		atomic_init(&l->slot[i].turn, 0);
	atomic_init(&l->next, 0);
	l->mask = slots - 1;
	return 0;
}

static inline void anderson_acquire(struct anderson_lock *l, struct lock_node *space)
{
	struct anderson_node *me = (struct anderson_node *)space;
	struct anderson_slot *slot = l->slot; /* known by the time the ticket is */
	unsigned mask = l->mask;
	/* relaxed: the ticket only decides the order; A0 brings the predecessor's writes */
	unsigned ticket = fetch_add(&l->next, 1, relaxed);
	atomic_uint *turn = &slot[ticket & mask].turn;
	while (load(turn, acquire) != ticket) /* A0: acquire; pairs with A1 */
		cpu_relax();
	me->ticket = ticket;
}

static inline bool anderson_try_acquire(struct anderson_lock *l, struct lock_node *space)
{
	struct anderson_node *me = (struct anderson_node *)space;
	unsigned ticket = load(&l->next, relaxed); /* relaxed: the exchange below checks it */
	if (load(&l->slot[ticket & l->mask].turn, acquire) != ticket) /* A0 */
		return false;
	me->ticket = ticket;
	/* relaxed: A0 has brought the last holder's writes; nobody can have held it since if the
	 * ticket that may go has not been drawn */
	return compare_exchange(&l->next, &ticket, ticket + 1, relaxed, relaxed);
}

static inline void anderson_release(struct anderson_lock *l, struct lock_node *space)
{
	unsigned after = ((struct anderson_node *)space)->ticket + 1;
	store(&l->slot[after & l->mask].turn, after, release); /* A1: release; pairs with A0 */
}

static inline void anderson_fini(struct anderson_lock *l)
{
	free(l->slot);
}

LOCK(anderson, .name = "anderson", .summary = "array of slots, each waiter spins on its own",
	.source = "Anderson 1990", .family = LOCK_SPINNING, .fifo = true);
