// SPDX-License-Identifier: BSD-2-Clause
// Lock cohorting, ticket over ticket: a ticket lock per group of workers (package or NUMA node:
// the outermost level there is) and a global one, which the group keeps while it hands the lock
// on among its own.
// Guarantees: mutual exclusion; not first come, first served, but nearly: groups take turns in
// the order in which they asked, a turn is at most COHORT_HANDOVERS + 1 acquisitions, and within
// a group the order is kept. Collapses when workers outnumber PUs: the lock may be granted to a
// worker that is not running.
// Cost: two fetch-and-adds uncontended, two plain stores to release. Where no workers are closer
// than others it is a plain ticket lock, at its cost. Use it on machines with several NUMA nodes.
// Source: Dice, Marathe & Shavit, PPoPP 2012.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lock.h"

enum {
	// Hand-overs within a group before the others have a turn: by then the line transfers
	// between groups are a small part, and the turn still is some microseconds.
	COHORT_HANDOVERS = 64,
	// As in the ticket lock.
	COHORT_PAUSES_PER_WAITER = 16,
};

struct cohort_ticket {
	atomic_uint next;
	atomic_uint serving;
};

struct cohort_group {
	LINE_ALIGNED struct cohort_ticket local;
	/* The holder's of `local`. */
	bool owns; // the group has the global lock
	unsigned passed;
};

struct cohort_node {
	bool alone; // holds the global lock without its group
};

struct cohort_lock {
	struct cohort_ticket global; // the only one where `groups` is null
	/* What all read is not on the line that each hand-over between groups writes. */
	unsigned char apart[64 - sizeof(struct cohort_ticket)];
	struct cohort_group *groups;
	const unsigned *group_of;
};

static inline void cohort_ticket_init(struct cohort_ticket *t)
{
	atomic_init(&t->next, 0);
	atomic_init(&t->serving, 0);
}

static inline int cohort_init(struct cohort_lock *l, const struct lock_team *team)
{
	cohort_ticket_init(&l->global);
	l->groups = NULL;
	if (!team->levels)
		return 0;
	const struct lock_level *outermost = &team->level[team->levels - 1];
	l->group_of = outermost->group;
	l->groups = aligned_alloc(LINE_PAIR, outermost->groups * sizeof *l->groups);
	if (!l->groups)
		return ENOMEM;
	for (unsigned i = 0; i < outermost->groups; i++) {
		struct cohort_group *g = &l->groups[i];
		cohort_ticket_init(&g->local);
		g->owns = false;
		g->passed = 0;
	}
	return 0;
}

static ALWAYS_INLINE void cohort_wait(struct cohort_ticket *t, unsigned mine)
{
	unsigned ahead;
	while ((ahead = mine - load(&t->serving, acquire)) != 0) /* A0: acquire; pairs with A1 */
		for (unsigned i = (ahead - 1) * COHORT_PAUSES_PER_WAITER + 1; i > 0; i--)
			cpu_relax();
}

static ALWAYS_INLINE void cohort_take(struct cohort_ticket *t)
{
	/* relaxed: the ticket only decides the order; A0 brings the predecessor's writes */
	unsigned mine = fetch_add(&t->next, 1, relaxed);
	if (load(&t->serving, acquire) != mine) /* A0: acquire; pairs with A1 */
		cohort_wait(t, mine);
}

static ALWAYS_INLINE void cohort_give(struct cohort_ticket *t)
{
	/* relaxed load: only the holder writes it. A1: release; pairs with A0 */
	store(&t->serving, load(&t->serving, relaxed) + 1, release);
}

static __attribute__((noinline, unused)) void cohort_acquire_grouped(
	struct cohort_lock *l, const struct lock_node *space)
{
	struct cohort_group *g = &l->groups[l->group_of[space->worker]];
	cohort_take(&g->local);
	if (!g->owns)
		cohort_take(&l->global);
}

static inline void cohort_acquire(struct cohort_lock *l, struct lock_node *space)
{
	if (l->groups)
		cohort_acquire_grouped(l, space);
	else
		cohort_take(&l->global);
}

// Past the groups: while the global lock is free no group holds it, and nobody waits for it.
static inline bool cohort_try_acquire(struct cohort_lock *l, struct lock_node *space)
{
	unsigned serving = load(&l->global.serving, acquire); /* A0: acquire; pairs with A1 */
	/* relaxed: A0 has brought the last holder's writes; nobody can have held it since if the
	 * ticket is still the one being served */
	if (!compare_exchange(&l->global.next, &serving, serving + 1, relaxed, relaxed))
		return false;
	if (l->groups)
		((struct cohort_node *)space)->alone = true;
	return true;
}

static __attribute__((noinline, unused)) void cohort_release_grouped(
	struct cohort_lock *l, struct lock_node *space)
{
	struct cohort_node *me = (struct cohort_node *)space;
	if (me->alone) {
		me->alone = false;
		cohort_give(&l->global);
		return;
	}
	struct cohort_group *g = &l->groups[l->group_of[space->worker]];
	/* relaxed: a ticket seen drawn has somebody who will come for it; one not seen finds the
	 * global lock given back */
	bool others = load(&g->local.next, relaxed) - load(&g->local.serving, relaxed) > 1;
	g->owns = others && g->passed < COHORT_HANDOVERS;
	if (g->owns) {
		g->passed++;
	} else {
		g->passed = 0;
		cohort_give(&l->global);
	}
	cohort_give(&g->local);
}

static inline void cohort_release(struct cohort_lock *l, struct lock_node *space)
{
	if (l->groups)
		cohort_release_grouped(l, space);
	else
		cohort_give(&l->global);
}

static inline void cohort_fini(struct cohort_lock *l)
{
	free(l->groups);
}

LOCK(cohort, .name = "cohort",
	.summary = "ticket per group under a global one, turns of at most 65",
	.source = "Dice, Marathe & Shavit 2012", .family = LOCK_NUMA_AWARE);
