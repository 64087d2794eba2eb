// SPDX-License-Identifier: BSD-2-Clause
// Epoch-based reclamation: a worker announces the epoch it works in; the epoch advances when all
// that are at work have seen it; what was retired two epochs ago can be held by nobody. One
// announcement an operation, however many nodes it visits; a worker that stops in the middle of an
// operation keeps all from freeing. Source: K. Fraser, Practical lock-freedom, 2004.
#pragma once

#include "reclaim.h"

enum { EPOCH_IDLE = 0, EPOCH_LOOK = 64 }; // operations between two looks at the others

static inline int epoch_init(struct reclaim *r)
{
	store(&r->epoch, 1, relaxed); /* relaxed: no worker is there yet */
	return 0;
}

static inline void epoch_fini(struct reclaim *r)
{
	for (unsigned i = 0; i < r->workers; i++)
		for (unsigned j = 0; j < 3; j++)
			reclaim_bag_empty(&r->worker[i], &r->worker[i].bag[j]);
}

static inline void epoch_nothing(struct reclaim_worker *me)
{
	(void)me;
}

// Advances the epoch if all workers that are at work have announced it.
static inline void epoch_advance(struct reclaim *r)
{
	uint64_t now = load(&r->epoch, seq_cst); /* E0: before the announcements */
	for (unsigned i = 0; i < r->workers; i++) {
		/* E1: seq_cst, pairs with E3, E4: whoever is missed here sees the new epoch */
		uint64_t seen = load(&r->worker[i].announced, seq_cst);
		if (seen != EPOCH_IDLE && seen != now)
			return;
	}
	/* E2: seq_cst; what the others retired in older epochs happens before it */
	compare_exchange(&r->epoch, &now, now + 1, seq_cst, relaxed);
}

// Frees what this worker retired two or more epochs ago.
static __attribute__((noinline, unused)) void epoch_look(struct reclaim_worker *me)
{
	struct reclaim *r = me->domain;
	epoch_advance(r);
	uint64_t now = load(&r->epoch, acquire); /* acquire; pairs with E2 */
	for (unsigned i = 0; i < 3; i++)
		if (me->bag[i].count && me->bag[i].epoch + 2 <= now)
			reclaim_bag_empty(me, &me->bag[i]);
}

static ALWAYS_INLINE void epoch_enter(struct reclaim_worker *me)
{
	uint64_t now = load(&me->domain->epoch, relaxed); /* relaxed: an old one holds more back */
	/* E3: seq_cst: announced before any link is read; pairs with E1 */
	exchange(&me->announced, now, seq_cst);
}

static ALWAYS_INLINE void epoch_leave(struct reclaim_worker *me)
{
	/* E4: release: all that was read happens before the advance that E1 allows */
	store(&me->announced, EPOCH_IDLE, release);
	if (me->bag[0].count + me->bag[1].count + me->bag[2].count &&
		++me->operations % EPOCH_LOOK == 0)
		epoch_look(me);
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

static inline void epoch_retire(struct reclaim_worker *me, void *node)
{
	/* acquire; pairs with E2: not older than the epoch in which anybody can still find it */
	uint64_t now = load(&me->domain->epoch, acquire);
	struct reclaim_bag *bag = &me->bag[now % 3];
	if (bag->epoch != now) {
		reclaim_bag_empty(me, bag); /* of three or more epochs ago */
		bag->epoch = now;
	}
	if (reclaim_bag_put(bag, node))
		abort(); /* out of memory with no way back: the node is unlinked already */
}

static const struct reclaim_class epoch_reclaim = {.name = "epoch",
	.summary = "one announcement an operation; a stopped worker holds up all freeing",
	.source = "Fraser 2004",
	.init = epoch_init,
	.fini = epoch_fini,
	.online = epoch_nothing,
	.offline = epoch_nothing,
	.enter = epoch_enter,
	.leave = epoch_leave,
	.protect = epoch_protect,
	.hold = epoch_hold,
	.retire = epoch_retire};
