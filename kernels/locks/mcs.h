// SPDX-License-Identifier: BSD-2-Clause
// MCS queue lock: each waiter spins on a line of its own.
// Guarantees: mutual exclusion; first come, first served; the hand-over costs one line transfer
// however many wait. Collapses when workers outnumber PUs: the lock may be granted to a worker
// that is not running.
// Cost: one exchange to acquire and one compare-and-swap to release uncontended; a node per
// acquisition, which must stay in place until the release has returned.
// Source: Mellor-Crummey & Scott, ACM TOCS 1991.
#pragma once

#include "lock.h"

// Its owner writes it before it joins the queue: afterwards its line is the neighbours', and each
// write would first have to fetch it back.
struct mcs_node {
	_Atomic(struct mcs_node *) next;
	atomic_bool waiting;
};

struct mcs_lock {
	_Atomic(struct mcs_node *) tail;
};

static inline int mcs_init(struct mcs_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->tail, NULL);
	return 0;
}

static inline void mcs_acquire(struct mcs_lock *l, struct lock_node *space)
{
	struct mcs_node *me = (struct mcs_node *)space;
	store(&me->next, NULL, relaxed); /* relaxed: A0 publishes both */
	store(&me->waiting, true, relaxed);
	/* A0: acquire, release; pairs with A0 of the successor (node) and with A1 (free lock) */
	struct mcs_node *before = exchange(&l->tail, me, acq_rel);
	if (!before)
		return;
	store(&before->next, me, release);  /* B0: release; pairs with B1 */
	while (load(&me->waiting, acquire)) /* C1: acquire; pairs with C0 */
		cpu_relax();
}

static inline bool mcs_try_acquire(struct mcs_lock *l, struct lock_node *space)
{
	struct mcs_node *me = (struct mcs_node *)space, *nobody = NULL;
	store(&me->next, NULL, relaxed); /* relaxed: A0 publishes it */
	return compare_exchange(&l->tail, &nobody, me, acq_rel, relaxed); /* A0 */
}

static inline void mcs_release(struct mcs_lock *l, struct lock_node *space)
{
	struct mcs_node *me = (struct mcs_node *)space;
	struct mcs_node *after = load(&me->next, acquire); /* B1: acquire; pairs with B0 */
	if (!after) {
		struct mcs_node *expected = me;
		/* relaxed load: only whether the exchange, which would take the line from whoever
		 * joins, can succeed. A1: release; pairs with A0 of whoever finds the lock free */
		if (load(&l->tail, relaxed) == me &&
			compare_exchange(&l->tail, &expected, NULL, release, relaxed))
			return;
		/* Somebody is between A0 and B0. */
		while (!(after = load(&me->next, acquire))) /* B1 */
			cpu_relax();
	}
	store(&after->waiting, false, release); /* C0: release; pairs with C1 */
}

static inline void mcs_fini(struct mcs_lock *l)
{
	(void)l;
}

LOCK(mcs, .name = "mcs", .summary = "queue, each waiter spins on a line of its own",
	.source = "Mellor-Crummey & Scott 1991", .family = LOCK_SPINNING, .fifo = true,
	.standard = true);
