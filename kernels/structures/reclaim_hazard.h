// SPDX-License-Identifier: BSD-2-Clause
// Hazard pointers: a worker publishes each node it is about to read; a retired node is freed when
// nobody publishes it. A publication costs at each step of a walk; what can be held back is bounded
// whatever the others do. Source: M. Michael, Hazard pointers, 2004.
#pragma once

#include "reclaim.h"

enum { HAZARD_LEAST = 64 }; // retired nodes before a worker looks which are held

static inline int hazard_init(struct reclaim *r)
{
	(void)r;
	return 0;
}

static inline void hazard_fini(struct reclaim *r)
{
	for (unsigned i = 0; i < r->workers; i++)
		reclaim_bag_empty(&r->worker[i], &r->worker[i].bag[0]);
}

static inline void hazard_nothing(struct reclaim_worker *me)
{
	(void)me;
}

static ALWAYS_INLINE void hazard_leave(struct reclaim_worker *me)
{
	for (unsigned i = 0; i < me->slots_used; i++)
		/* H3: release: what was read of the node happens before H2 finds it free */
		store(&me->slot[i], NULL, release);
}

static ALWAYS_INLINE void hazard_publish(struct reclaim_worker *me, unsigned slot, void *node)
{
	if (slot >= me->slots_used)
		me->slots_used = slot + 1;
	/* H0: seq_cst: published before the link is read again (H1) */
	exchange(&me->slot[slot], node, seq_cst);
}

static ALWAYS_INLINE uintptr_t hazard_protect(
	struct reclaim_worker *me, unsigned slot, const _Atomic uintptr_t *link)
{
	uintptr_t seen = load(link, acquire), again; /* acquire; pairs with the publisher's */
	for (;;) {
		hazard_publish(me, slot, (void *)(seen & ~RECLAIM_TAG));
		again = load(link, seq_cst); /* H1: after H0: still linked, so H2 will see it */
		if (again == seen)
			return seen;
		seen = again;
	}
}

static ALWAYS_INLINE void hazard_hold(struct reclaim_worker *me, unsigned slot, void *node)
{
	hazard_publish(me, slot, node);
}

static inline bool hazard_held(const struct reclaim *r, const void *node)
{
	for (unsigned i = 0; i < r->workers; i++)
		for (unsigned j = 0; j < RECLAIM_SLOTS; j++)
			/* H2: seq_cst; pairs with H0, H3 */
			if (load(&r->worker[i].slot[j], seq_cst) == node)
				return true;
	return false;
}

static __attribute__((noinline, unused)) void hazard_scan(struct reclaim_worker *me)
{
	struct reclaim *r = me->domain;
	struct reclaim_bag *bag = &me->bag[0];
	size_t kept = 0;
	for (size_t i = 0; i < bag->count; i++)
		if (hazard_held(r, bag->node[i]))
			bag->node[kept++] = bag->node[i];
		else
			r->free(r->context, me->index, bag->node[i]);
	bag->count = kept;
}

static inline void hazard_retire(struct reclaim_worker *me, void *node)
{
	if (reclaim_bag_put(&me->bag[0], node))
		abort(); /* out of memory with no way back: the node is unlinked already */
	if (me->bag[0].count >= HAZARD_LEAST + 2 * me->domain->workers * me->slots_used)
		hazard_scan(me);
}

static const struct reclaim_class hazard_reclaim = {.name = "hazard",
	.summary = "a publication at each step of a walk; what is held back is bounded",
	.source = "Michael 2004",
	.validates = true,
	.init = hazard_init,
	.fini = hazard_fini,
	.online = hazard_nothing,
	.offline = hazard_nothing,
	.enter = hazard_nothing,
	.leave = hazard_leave,
	.protect = hazard_protect,
	.hold = hazard_hold,
	.retire = hazard_retire};
