// SPDX-License-Identifier: BSD-2-Clause
// Hemlock: a queue lock without a queue's links. The lock is one word, the last in line; a node
// is one word, in which the next in line looks for the lock and takes it.
// Guarantees: mutual exclusion; first come, first served; one line transfer per hand-over, but
// the release waits until the lock has been taken. Collapses when workers outnumber PUs: the lock
// may be granted to a worker that is not running, and then its releaser waits too.
// Cost: one exchange to acquire and one compare-and-swap to release uncontended. Use it where
// there are many locks and `mcs` nodes are too large.
// Source: Dice & Kogan, "Hemlock: compact and scalable mutual exclusion", SPAA 2021, with its
// coherence traffic reduction: words are looked at with atomics that own the line.
#pragma once

#include "lock.h"

// As a node serves one held lock at a time, it need not say which lock is granted.
struct hemlock_node {
	atomic_uint granted; // 0 between uses
};

struct hemlock_lock {
	_Atomic(struct hemlock_node *) tail;
};

static inline int hemlock_init(struct hemlock_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->tail, NULL);
	return 0;
}

// Taking what is not there yet keeps the line here, owned: a load would share it with the
// releaser first, and cost a second transfer to clear the word.
static __attribute__((noinline, unused)) void hemlock_wait(struct hemlock_node *before)
{
	unsigned granted = 1;
	/* B0: acquire the lock, pairs with B1; release the node, pairs with B2 */
	while (!compare_exchange(&before->granted, &granted, 0, acq_rel, relaxed)) {
		granted = 1;
		cpu_relax();
	}
}

static inline void hemlock_acquire(struct hemlock_lock *l, struct lock_node *space)
{
	struct hemlock_node *me = (struct hemlock_node *)space;
	/* A0: acquire, release; pairs with A0 of the successor (node) and with A1 (free lock) */
	struct hemlock_node *before = exchange(&l->tail, me, acq_rel);
	if (before)
		hemlock_wait(before);
}

static inline bool hemlock_try_acquire(struct hemlock_lock *l, struct lock_node *space)
{
	struct hemlock_node *me = (struct hemlock_node *)space, *nobody = NULL;
	return compare_exchange(&l->tail, &nobody, me, acq_rel, relaxed); /* A0 */
}

static __attribute__((noinline, unused)) void hemlock_hand_on(struct hemlock_node *me)
{
	unsigned taken = 0;
	store(&me->granted, 1, release); /* B1: release; pairs with B0 */
	/* B2: acquire; pairs with B0: the successor's last access to our node. An exchange of 0
	 * for 0, as a compiler may make a load of an addition of 0. */
	while (!compare_exchange(&me->granted, &taken, 0, acquire, relaxed)) {
		taken = 0;
		cpu_relax();
	}
}

static inline void hemlock_release(struct hemlock_lock *l, struct lock_node *space)
{
	struct hemlock_node *me = (struct hemlock_node *)space, *expected = me;
	/* A1: release; pairs with A0 of whoever finds the lock free */
	if (!compare_exchange(&l->tail, &expected, NULL, release, relaxed))
		hemlock_hand_on(me);
}

static inline void hemlock_fini(struct hemlock_lock *l)
{
	(void)l;
}

LOCK(hemlock, .name = "hemlock",
	.summary = "queue without links; the releaser waits for its successor",
	.source = "Dice & Kogan 2021", .family = LOCK_SPINNING, .fifo = true);
