// SPDX-License-Identifier: BSD-2-Clause
// CLH queue lock: each waiter spins on the line of its predecessor, and keeps that line as its
// own for the next acquisition.
// Guarantees: mutual exclusion; first come, first served; the hand-over costs one line transfer
// however many wait. Collapses when workers outnumber PUs: the lock may be granted to a worker
// that is not running.
// Cost: one exchange to acquire and a plain store to release, contended or not; a pair of lines
// per lock and one per node, on the heap as they change hands. The cheapest release of the queue
// locks, but over NUMA nodes a waiter's line may be anywhere: `mcs` keeps it near.
// Source: Craig, TR UW-CSE 1993; Magnusson, Landin & Hagersten, IPPS 1994; leaving the queue
// after Scott, PODC 2002.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lock.h"

enum clh_state {
	CLH_FREE, // whoever is behind may go
	CLH_BUSY, // its owner holds the lock or waits for it
	CLH_LEFT, // its owner gave up: whoever is behind takes it over and waits for the one before
};

// A place in the queue. Its owner is the worker that put it there until it becomes free; then
// whoever is behind, or the lock when nobody is.
struct clh_place {
	LINE_ALIGNED atomic_uint state;
	struct clh_place *other; // left: the one before; spare: the next spare one
};

struct clh_node {
	struct clh_place *mine; // for the next acquisition; null: none yet
	struct clh_place *held; // of the current one
	struct clh_place *spare;
};

// Places are freed when no lock they have been in is used any more, so that try_acquire may look
// at one that it does not own.
struct clh_lock {
	_Atomic(struct clh_place *) tail; // never null
};

static inline int clh_init(struct clh_lock *l, const struct lock_team *team)
{
	(void)team;
	struct clh_place *nobody = aligned_alloc(LINE_PAIR, sizeof *nobody);
	if (!nobody)
		return ENOMEM;
	atomic_init(&nobody->state, CLH_FREE);
	atomic_init(&l->tail, nobody);
	return 0;
}

// A place for a node that has none. There is no way to say that memory is out, nor to go on.
static __attribute__((noinline, unused)) struct clh_place *clh_place(struct clh_node *me)
{
	struct clh_place *place = me->spare;
	if (place) {
		me->spare = place->other;
	} else {
		place = aligned_alloc(LINE_PAIR, sizeof *place);
		if (!place)
			abort();
		atomic_init(&place->state, CLH_FREE);
	}
	me->mine = place;
	return place;
}

// Returns the place that became free.
static __attribute__((noinline, unused)) struct clh_place *clh_wait(
	struct clh_node *me, struct clh_place *before)
{
	for (;;) {
		unsigned state = load(&before->state, acquire); /* A0: pairs with A1 and D0 */
		if (state == CLH_FREE)
			return before;
		if (state == CLH_LEFT) {
			struct clh_place *left = before;
			before = left->other;
			left->other = me->spare;
			me->spare = left;
		} else {
			cpu_relax();
		}
	}
}

static inline void clh_acquire(struct clh_lock *l, struct lock_node *space)
{
	struct clh_node *me = (struct clh_node *)space;
	struct clh_place *mine = me->mine;
	if (!mine)
		mine = clh_place(me);
	store(&mine->state, CLH_BUSY, relaxed); /* relaxed: B0 publishes it */
	/* B0: acquire, release; pairs with B0 of the predecessor: its place is seen busy, or what
	 * came after, never as its owner before left it */
	struct clh_place *before = exchange(&l->tail, mine, acq_rel);
	if (load(&before->state, acquire) != CLH_FREE) /* A0: acquire; pairs with A1 */
		before = clh_wait(me, before);
	/* Nobody else looks at it any more. */
	me->mine = before;
	me->held = mine;
}

// Takes our place, the last, out of the queue again, or has the one behind it do so.
static __attribute__((noinline, unused)) void clh_leave(
	struct clh_lock *l, struct clh_node *me, struct clh_place *before)
{
	struct clh_place *mine = me->mine, *expected = mine;
	/* C0: release; pairs with B0: hands on what our B0 has brought */
	if (compare_exchange(&l->tail, &expected, before, release, relaxed))
		return;
	mine->other = before;
	me->mine = NULL;
	store(&mine->state, CLH_LEFT, release); /* D0: release; pairs with A0 of the one behind */
}

static inline bool clh_try_acquire(struct clh_lock *l, struct lock_node *space)
{
	struct clh_node *me = (struct clh_node *)space;
	struct clh_place *mine = me->mine;
	if (!mine)
		mine = clh_place(me);
	struct clh_place *before = load(&l->tail, acquire); /* B1: acquire; pairs with B0, C0 */
	/* relaxed: only a hint whether the exchange is worth its price */
	if (load(&before->state, relaxed) != CLH_FREE)
		return false;
	store(&mine->state, CLH_BUSY, relaxed); /* relaxed: B0 publishes it */
	if (!compare_exchange(&l->tail, &before, mine, acq_rel, relaxed)) /* B0 */
		return false;
	/* The tail may have gone and come back in between, in use again: then we are in the queue
	 * behind it. Only this second look tells. */
	if (load(&before->state, acquire) != CLH_FREE) { /* A0: acquire; pairs with A1 */
		clh_leave(l, me, before);
		return false;
	}
	me->mine = before;
	me->held = mine;
	return true;
}

static inline void clh_release(struct clh_lock *l, struct lock_node *space)
{
	(void)l;
	/* A1: release; pairs with A0 */
	store(&((struct clh_node *)space)->held->state, CLH_FREE, release);
}

static inline void clh_fini(struct clh_lock *l)
{
	free(load(&l->tail, relaxed)); /* relaxed: nobody uses the lock */
}

static inline void clh_retire(struct lock_node *space)
{
	struct clh_node *me = (struct clh_node *)space;
	free(me->mine);
	while (me->spare) {
		struct clh_place *place = me->spare;
		me->spare = place->other;
		free(place);
	}
}

LOCK(clh, .name = "clh", .summary = "queue, each waiter spins on its predecessor's line",
	.source = "Craig 1993; Magnusson, Landin & Hagersten 1994", .family = LOCK_SPINNING,
	.fifo = true, .retire = clh_retire);
