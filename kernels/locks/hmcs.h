// SPDX-License-Identifier: BSD-2-Clause
// Hierarchical MCS: a tree of MCS queues, one per group of workers at each level (cache, NUMA
// node, package) under a root. Who holds a group's queue waits for the level above on its behalf;
// the group then hands the lock on among its own.
// Guarantees: mutual exclusion; not first come, first served, but nearly: every queue is, and a
// group hands the lock on at most HMCS_HANDOVERS times before its level has the next group's
// turn. So a turn of a group at the n-th level is at most (HMCS_HANDOVERS + 1)^n acquisitions.
// Collapses when workers outnumber PUs: the lock may be granted to a worker that is not running.
// Cost: one exchange per level to acquire and one compare-and-swap per level to release
// uncontended. Where no workers are closer than others it is `mcs`, at its cost. Use it on
// machines with several levels and a contended lock; `cna` is smaller and shallower.
// Source: Chabbi, Fagan & Mellor-Crummey, PPoPP 2015.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lock.h"

// Long enough that the line transfers between groups are a small part; three levels of it, 32768
// acquisitions, still are but some milliseconds.
enum { HMCS_HANDOVERS = 31 };

// What a waiter is told, and what a holder remembers: else how many of its group had the lock in
// this turn, itself included.
enum {
	HMCS_CLIMB = 0, // the group's queue is yours, the level above is not
	HMCS_FIRST = 1,
	HMCS_ALONE = -2, // holds the root without its groups
	HMCS_WAIT = -1,
};

// Between uses `next` is null: the owner clears it when it hands the lock on, so that an
// acquisition nobody contends writes nothing to its node where there are no groups.
struct hmcs_node {
	_Atomic(struct hmcs_node *) next;
	atomic_int told;
};

struct hmcs_group {
	LINE_ALIGNED _Atomic(struct hmcs_node *) tail;
	struct hmcs_group *parent; // null: the root
	/* For the level above; of whoever holds this queue. */
	LINE_ALIGNED struct hmcs_node node;
};

struct hmcs_lock {
	_Atomic(struct hmcs_node *) tail; // the root's
	/* What all read is not on the line that each turn of the root writes. */
	unsigned char apart[64 - sizeof(void *)];
	struct hmcs_group *groups; // null: only the root
	const unsigned *innermost; // of each worker, its group at the first level
};

// Groups of all levels, innermost first. Any worker of a group tells its parent: levels nest.
static inline int hmcs_init(struct hmcs_lock *l, const struct lock_team *team)
{
	unsigned groups = 0;
	atomic_init(&l->tail, NULL);
	l->groups = NULL;
	if (!team->levels)
		return 0;
	for (unsigned i = 0; i < team->levels; i++)
		groups += team->level[i].groups;
	l->innermost = team->level[0].group;
	l->groups = aligned_alloc(LINE_PAIR, groups * sizeof *l->groups);
	if (!l->groups)
		return ENOMEM;
	for (unsigned i = 0; i < groups; i++) {
		struct hmcs_group *g = &l->groups[i];
		atomic_init(&g->tail, NULL);
		g->parent = NULL;
		atomic_init(&g->node.next, NULL);
		atomic_init(&g->node.told, HMCS_FIRST);
	}
	struct hmcs_group *level = l->groups;
	for (unsigned i = 0; i + 1 < team->levels; i++) {
		struct hmcs_group *above = level + team->level[i].groups;
		for (unsigned w = 0; w < team->workers; w++)
			level[team->level[i].group[w]].parent = &above[team->level[i + 1].group[w]];
		level = above;
	}
	return 0;
}

// Joins a queue; returns who is before us. The node is written first: afterwards its line is the
// neighbours', and each write would have to fetch it back.
static ALWAYS_INLINE struct hmcs_node *hmcs_join(
	_Atomic(struct hmcs_node *) *tail, struct hmcs_node *me)
{
	store(&me->next, NULL, relaxed); /* relaxed: A0 publishes both */
	store(&me->told, HMCS_WAIT, relaxed);
	/* A0: acquire, release; pairs with A0 of the successor (node) and with A1 (free queue) */
	return exchange(tail, me, acq_rel);
}

// Links up behind `before` and waits; returns what we are told. Inlined: until it has linked up
// the one before may already be waiting for it.
static ALWAYS_INLINE int hmcs_wait(struct hmcs_node *before, struct hmcs_node *me)
{
	int told;
	store(&before->next, me, release);                     /* B0: release; pairs with B1 */
	while ((told = load(&me->told, acquire)) == HMCS_WAIT) /* C1: acquire; pairs with C0 */
		cpu_relax();
	return told;
}

static __attribute__((noinline, unused)) void hmcs_acquire_grouped(
	struct hmcs_lock *l, struct hmcs_group *g, struct hmcs_node *me)
{
	struct hmcs_node *before;
	for (; g; g = g->parent) {
		before = hmcs_join(&g->tail, me);
		if (before && hmcs_wait(before, me) != HMCS_CLIMB)
			return;
		store(&me->told, HMCS_FIRST, relaxed); /* relaxed: only the queue's holder looks */
		me = &g->node;
	}
	before = hmcs_join(&l->tail, me);
	if (before)
		hmcs_wait(before, me);
}

static inline void hmcs_acquire(struct hmcs_lock *l, struct lock_node *space)
{
	struct hmcs_node *me = (struct hmcs_node *)space;
	if (l->groups) {
		hmcs_acquire_grouped(l, &l->groups[l->innermost[space->worker]], me);
		return;
	}
	struct hmcs_node *before = hmcs_join(&l->tail, me);
	if (before)
		hmcs_wait(before, me);
}

// Past the groups: while the root's queue is empty no group has the lock or waits for it.
static inline bool hmcs_try_acquire(struct hmcs_lock *l, struct lock_node *space)
{
	struct hmcs_node *me = (struct hmcs_node *)space, *nobody = NULL;
	store(&me->next, NULL, relaxed); /* relaxed: A0 publishes it */
	if (!compare_exchange(&l->tail, &nobody, me, acq_rel, relaxed)) /* A0 */
		return false;
	if (l->groups)
		store(&me->told, HMCS_ALONE, relaxed); /* relaxed: nobody else looks */
	return true;
}

// Gives the queue to the next in it, or leaves it empty.
static ALWAYS_INLINE void hmcs_leave(
	_Atomic(struct hmcs_node *) *tail, struct hmcs_node *me, int tell)
{
	struct hmcs_node *after = load(&me->next, acquire); /* B1: acquire; pairs with B0 */
	if (!after) {
		struct hmcs_node *expected = me;
		/* relaxed load: only whether the exchange can succeed. A1: release; pairs with A0
		 * of whoever finds the queue empty */
		if (load(tail, relaxed) == me &&
			compare_exchange(tail, &expected, NULL, release, relaxed))
			return;
		/* Somebody is between A0 and B0. */
		while (!(after = load(&me->next, acquire))) /* B1 */
			cpu_relax();
	}
	store(&after->told, tell, release); /* C0: release; pairs with C1 */
}

// Within the group while its turn lasts; else the level above first, since the group's node is
// the next holder's once it has the queue.
static __attribute__((noinline, unused)) void hmcs_release_grouped(
	struct hmcs_lock *l, struct hmcs_group *g, struct hmcs_node *me)
{
	int told = load(&me->told, relaxed); /* relaxed: C1 has brought it, or it is ours */
	if (!g || told == HMCS_ALONE) {
		hmcs_leave(&l->tail, me, HMCS_FIRST);
		return;
	}
	struct hmcs_node *after = load(&me->next, acquire); /* B1 */
	if (after && told <= HMCS_HANDOVERS) {
		store(&after->told, told + 1, release); /* C0 */
		return;
	}
	hmcs_release_grouped(l, g->parent, &g->node);
	hmcs_leave(&g->tail, me, HMCS_CLIMB);
}

static inline void hmcs_release(struct hmcs_lock *l, struct lock_node *space)
{
	struct hmcs_node *me = (struct hmcs_node *)space;
	if (l->groups)
		hmcs_release_grouped(l, &l->groups[l->innermost[space->worker]], me);
	else
		hmcs_leave(&l->tail, me, HMCS_FIRST);
}

static inline void hmcs_fini(struct hmcs_lock *l)
{
	free(l->groups);
}

LOCK(hmcs, .name = "hmcs", .summary = "tree of MCS queues, a level per cache, node, package",
	.source = "Chabbi, Fagan & Mellor-Crummey 2015", .family = LOCK_NUMA_AWARE);
