// SPDX-License-Identifier: BSD-2-Clause
// Hazard pointers: a worker publishes each node it is about to read; a retired node is freed when
// nobody publishes it. A publication costs at each step of a walk. What a worker holds back is at
// most a batch, which grows with the number of workers, and what all publish, whatever they do.
// Source: M. Michael, Hazard pointers, 2004.
//
// Why it is safe. A look at what is published begins with a barrier, after the nodes in question
// were unlinked. A worker that published one of them before the barrier is seen; one that did later
// reads the link again later still (H1), finds it changed, and does not use the node. A node that
// hold copies from slot to slot could be missed: its new slot is looked at before the copy, its old
// one after it was overwritten. Therefore copies are counted and remembered, and whatever was
// copied during a look counts as published.
#pragma once

#include "reclaim.h"

enum { HAZARD_TRIES = 16 }; // at one worker's slots, where more is copied than is remembered

static inline int hazard_init(struct reclaim *r)
{
#ifndef LOCKSCALE_ATOMIC
	/* A look costs, and interrupts, in proportion to the workers. */
	reclaim_set_batch(r, r->batch + (size_t)r->workers * 2 * RECLAIM_SLOTS);
#else
	(void)r;
#endif
	return 0;
}

static inline void hazard_fini(struct reclaim *r)
{
	for (unsigned i = 0; i < r->workers; i++)
		reclaim_bag_empty(&r->worker[i], &r->worker[i].bag[0]);
}

static ALWAYS_INLINE void hazard_leave(struct reclaim_worker *me)
{
	for (unsigned i = 0; i < me->slots_used; i++)
		/* H3: release: what was read of the node happens before H2 finds it free */
		store(&me->slot[i], 0, release);
	me->slots_used = 0;
}

static ALWAYS_INLINE void hazard_use(struct reclaim_worker *me, unsigned slot)
{
	if (slot >= me->slots_used)
		me->slots_used = slot + 1;
}

static ALWAYS_INLINE uintptr_t hazard_protect(
	struct reclaim_worker *me, unsigned slot, const _Atomic uintptr_t *link)
{
	uintptr_t seen = load(link, acquire), again; /* acquire; pairs with the publisher's */
	hazard_use(me, slot);
	while (seen & ~RECLAIM_TAG) {
		/* H0: before the link is read again; pairs with H2. What the slot had is over. */
		reclaim_announce(me, &me->slot[slot], seen & ~RECLAIM_TAG);
		again = load(link, seq_cst); /* H1: still linked, so H2 will see it */
		if (again == seen)
			break;
		seen = again;
	}
	return seen;
}

// The node is published already, so no fence is needed.
static ALWAYS_INLINE void hazard_hold(struct reclaim_worker *me, unsigned slot, void *node)
{
	unsigned move = load(&me->moves, relaxed); /* relaxed: only this worker writes it */
	hazard_use(me, slot);
	/* H4: release, all three: a look that finds the old slot overwritten sees the count, and
	 * one that sees the count at first sees the new slot; pairs with H2, H5 */
	store(&me->slot[slot], (uintptr_t)node, release);
	store(&me->moved[move % RECLAIM_MOVES], (uintptr_t)node, release);
	store(&me->moves, move + 1, release);
}

static inline bool hazard_put(struct reclaim_bag *published, uintptr_t node)
{
	return !node || reclaim_bag_put(published, (void *)node);
}

// Adds what a worker has published, perhaps more than once. False: it could not be told, or there
// is no memory.
static inline bool hazard_published_by(struct reclaim_worker *of, struct reclaim_bag *published)
{
	for (unsigned try = 0; try < HAZARD_TRIES; try++) {
		/* H5: acquire; pairs with H4. An entry of `moved` that was overwritten meanwhile
		 * shows in the last load. */
		unsigned first = load(&of->moves, acquire), next;
		for (unsigned i = 0; i < RECLAIM_SLOTS; i++)
			/* H2: acquire, after the barrier; pairs with H0, H3, H4 */
			if (!hazard_put(published, load(&of->slot[i], acquire)))
				return false;
		next = load(&of->moves, acquire);
		if (next == first)
			return true;
		for (unsigned i = first; i != next && next - first < RECLAIM_MOVES; i++)
			if (!hazard_put(published, load(&of->moved[i % RECLAIM_MOVES], acquire)))
				return false;
		if (load(&of->moves, acquire) - first < RECLAIM_MOVES)
			return true;
	}
	return false;
}

static ALWAYS_INLINE size_t hazard_home(const void *node, size_t mask)
{
	return (size_t)((uintptr_t)node / 16 * (uintptr_t)0x9e3779b97f4a7c15 >> 20) & mask;
}

// All that anybody published as a hash table in bag[2], at least half of it empty. Returns its size
// less one; 0: it could not be made.
static inline size_t hazard_published(struct reclaim_worker *me)
{
	struct reclaim *r = me->domain;
	struct reclaim_bag *published = &me->bag[1], *table = &me->bag[2];
	published->count = 0;
	for (unsigned i = 0; i < r->workers; i++)
		if (!hazard_published_by(&r->worker[i], published))
			return 0;
	size_t room = 16;
	while (room < 2 * published->count)
		room *= 2;
	if (!reclaim_bag_reserve(table, room))
		return 0;
	memset(table->node, 0, room * sizeof *table->node);
	for (size_t i = 0; i < published->count; i++) {
		size_t at = hazard_home(published->node[i], room - 1);
		while (table->node[at])
			at = (at + 1) & (room - 1);
		table->node[at] = published->node[i];
	}
	return room - 1;
}

static inline bool hazard_held(const struct reclaim_bag *table, size_t mask, const void *node)
{
	for (size_t at = hazard_home(node, mask); table->node[at]; at = (at + 1) & mask)
		if (table->node[at] == node)
			return true;
	return false;
}

static __attribute__((noinline, unused)) void hazard_look(struct reclaim_worker *me)
{
	struct reclaim *r = me->domain;
	struct reclaim_bag *bag = &me->bag[0];
	size_t kept = 0, mask = reclaim_barrier(r) ? hazard_published(me) : 0;
	for (size_t i = 0; i < bag->count; i++)
		if (!mask || hazard_held(&me->bag[2], mask, bag->node[i]))
			bag->node[kept++] = bag->node[i];
		else
			(r->free)(r->context, me->index, bag->node[i]);
	bag->count = kept;
	me->look = kept + r->batch;
}

static ALWAYS_INLINE void hazard_retire(struct reclaim_worker *me, void *node)
{
	if (reclaim_bag_retire(me, node))
		hazard_look(me);
}

static const struct reclaim_class hazard_reclaim = {.name = "hazard",
	.summary = "a publication at each step of a walk; what is held back is bounded",
	.source = "Michael 2004",
	.validates = true,
	.init = hazard_init,
	.fini = hazard_fini,
	.online = reclaim_nothing,
	.offline = hazard_leave,
	.enter = reclaim_nothing,
	.leave = hazard_leave,
	.protect = hazard_protect,
	.hold = hazard_hold,
	.retire = hazard_retire};
