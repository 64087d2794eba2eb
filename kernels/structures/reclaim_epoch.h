// SPDX-License-Identifier: BSD-2-Clause
// Epoch-based reclamation: a worker announces the epoch it works in; the epoch advances when all
// that are at work have announced it; what was unlinked two epochs ago can be held by nobody. One
// announcement an operation, however many nodes it visits; a worker that stops in the middle of an
// operation keeps all from freeing. Otherwise a worker's garbage is at most three batches.
// Source: K. Fraser, Practical lock-freedom, 2004.
//
// Why it is safe. Let a bag be sealed at epoch t, read after its nodes were unlinked (E0), and let
// R have found one of them. R loaded an epoch before it announced it, and found the node after
// that; had the epoch loaded been t + 1, R would have seen the node unlinked, since E0 was before
// the advance to t + 1. So what R announced is t or older. The look that advances to t + 2 begins
// at t + 1 and passes a barrier: either it sees R's announcement and gives up, or R announced after
// the barrier, and saw the node unlinked. So the epoch stays below t + 2 until R has left.
#pragma once

#include "reclaim.h"

enum { EPOCH_IDLE = 0 }; // the first epoch is 1

static inline int epoch_init(struct reclaim *r)
{
	(void)r;
	return 0;
}

static inline void epoch_fini(struct reclaim *r)
{
	reclaim_empty_bags(r);
}

static inline bool epoch_all_in(struct reclaim *r, uintptr_t epoch)
{
	for (unsigned i = 0; i < r->workers; i++) {
		/* E1: seq_cst, pairs with E4 and, so that what was read is over, with E5 */
		uintptr_t seen = load(&r->worker[i].announced, seq_cst);
		if (seen != EPOCH_IDLE && seen != epoch)
			return false;
	}
	return true;
}

// Advances the epoch if all workers that are at work have announced it. Looks in vain are cheap:
// the barrier comes where only it is missing.
static inline void epoch_advance(struct reclaim *r)
{
	uintptr_t now = load(&r->epoch, acquire); /* acquire; pairs with E2: the barrier is later */
	if (epoch_all_in(r, now) && reclaim_barrier(r) && epoch_all_in(r, now))
		/* E2: seq_cst: what E1 saw to be over is over for all who see the new epoch */
		compare_exchange(&r->epoch, &now, now + 1, seq_cst, relaxed);
}

// The bag is full: seals it, frees the older ones and goes on with an empty one. Where there is
// none, because somebody is slow, it grows. A bag is free by the time the next but one is full if
// the epoch advances once meanwhile, through whomever: so workers share the barriers.
static __attribute__((noinline, unused)) void epoch_look(struct reclaim_worker *me)
{
	struct reclaim *r = me->domain;
	struct reclaim_bag *full = &me->bag[me->filling];
	reclaim_fence(r);
	/* E0: acquire; pairs with E2. After the fence: not older than the unlinking of any node in
	 * the bag. */
	uintptr_t now = full->epoch = load(&r->epoch, acquire);
	if (now < me->sealed + 2)
		epoch_advance(r);
	me->sealed = full->epoch;
	now = load(&r->epoch, acquire); /* acquire; pairs with E2 */
	for (unsigned i = 0; i < 3; i++)
		if (me->bag[i].count && me->bag[i].epoch + 2 <= now)
			reclaim_bag_empty(me, &me->bag[i]);
	for (unsigned i = 0; i < 3; i++)
		if (!me->bag[i].count)
			me->filling = i;
	me->look = me->bag[me->filling].count + r->batch;
}

static ALWAYS_INLINE void epoch_enter(struct reclaim_worker *me)
{
	/* E3: acquire; pairs with E2: links are read later, and not older than the epoch */
	uintptr_t now = load(&me->domain->epoch, acquire);
	reclaim_announce(me, &me->announced, now); /* E4: before links are read; pairs with E1 */
}

static ALWAYS_INLINE void epoch_leave(struct reclaim_worker *me)
{
	/* E5: release: all that was read happens before the advance that E1 allows */
	store(&me->announced, EPOCH_IDLE, release);
}

static ALWAYS_INLINE uintptr_t epoch_protect(
	struct reclaim_worker *me, unsigned slot, const _Atomic uintptr_t *link)
{
	(void)me;
	(void)slot;
	return load(link, acquire); /* acquire; pairs with the structure's release */
}

static ALWAYS_INLINE void epoch_hold(struct reclaim_worker *me, unsigned slot, void *node)
{
	(void)me;
	(void)slot;
	(void)node;
}

static ALWAYS_INLINE void epoch_retire(struct reclaim_worker *me, void *node)
{
	if (reclaim_bag_retire(me, node))
		epoch_look(me);
}

static const struct reclaim_class epoch_reclaim = {.name = "epoch",
	.summary = "one announcement an operation; a stopped worker holds up all freeing",
	.source = "Fraser 2004",
	.init = epoch_init,
	.fini = epoch_fini,
	.online = reclaim_nothing,
	.offline = epoch_leave,
	.enter = epoch_enter,
	.leave = epoch_leave,
	.protect = epoch_protect,
	.hold = epoch_hold,
	.retire = epoch_retire};
