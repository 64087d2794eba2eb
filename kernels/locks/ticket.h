// SPDX-License-Identifier: BSD-2-Clause
// Ticket lock with proportional backoff.
// Guarantees: mutual exclusion; first come, first served. Collapses when workers outnumber
// PUs: the lock may be granted to a worker that is not running.
// Cost: one fetch-and-add uncontended, a plain store to release; each release invalidates the
// line in all waiters, so the hand-over grows with their number. Use it for fairness among few
// workers; `mcs` for many.
// Source: Reed & Kanodia 1979; proportional backoff: Mellor-Crummey & Scott 1991.
#pragma once

#include "lock.h"

struct ticket_lock {
	/* Apart so that a release is a store to one and the taking of a ticket an atomic on the
	 * other: one word for both would make each atomic wait for the store before it. */
	atomic_uint next;
	atomic_uint serving;
};

// Pauses per worker ahead: about a third of a hand-over, so that a waiter looks a few times
// while each predecessor passes, instead of stealing the line from all of them all the time.
enum { TICKET_PAUSES_PER_WAITER = 16 };

static inline int ticket_init(struct ticket_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->next, 0);
	atomic_init(&l->serving, 0);
	return 0;
}

static inline void ticket_acquire(struct ticket_lock *l, struct lock_node *node)
{
	(void)node;
	/* relaxed: the ticket only decides the order; A0 brings the predecessor's writes */
	unsigned mine = fetch_add(&l->next, 1, relaxed);
	for (;;) {
		unsigned ahead = mine - load(&l->serving, acquire); /* A0: pairs with A1 */
		if (ahead == 0)
			return;
		/* The next in line looks all the time. */
		for (unsigned i = (ahead - 1) * TICKET_PAUSES_PER_WAITER + 1; i > 0; i--)
			cpu_relax();
	}
}

static inline bool ticket_try_acquire(struct ticket_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned serving = load(&l->serving, acquire); /* A0: acquire; pairs with A1 */
	/* relaxed: A0 has brought the last holder's writes; nobody can have held it since if the
	 * ticket is still the one being served */
	return compare_exchange(&l->next, &serving, serving + 1, relaxed, relaxed);
}

static inline void ticket_release(struct ticket_lock *l, struct lock_node *node)
{
	(void)node;
	/* relaxed load: only the holder writes it. A1: release; pairs with A0 */
	store(&l->serving, load(&l->serving, relaxed) + 1, release);
}

static inline void ticket_fini(struct ticket_lock *l)
{
	(void)l;
}

LOCK(ticket, .name = "ticket", .summary = "ticket, proportional backoff",
	.source = "Reed & Kanodia 1979; Mellor-Crummey & Scott 1991", .family = LOCK_SPINNING,
	.fifo = true, .standard = true);
