// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's lock cohorting, ticket over ticket: a cohort per group of workers of the
// outermost level there is, and one of all where there is none.
// Guarantees: mutual exclusion; cohorts take turns in the order in which they asked, a turn is at
// most CK_COHORT_DEFAULT_LOCAL_PASS_LIMIT acquisitions. Collapses when workers outnumber PUs.
// Source: Concurrency Kit, ck_cohort.h, after Dice, Marathe & Shavit 2012
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <ck_cohort.h>
#include <ck_spinlock.h>

#include "locks/ck-ticket.h"

static inline void ck_cohort_ticket_lock(void *lock, void *context)
{
	(void)context;
	ck_spinlock_ticket_lock(lock);
}

static inline void ck_cohort_ticket_unlock(void *lock, void *context)
{
	(void)context;
	ck_spinlock_ticket_unlock(lock);
}

static inline bool ck_cohort_ticket_locked(void *lock, void *context)
{
	(void)context;
	return ck_spinlock_ticket_locked(lock);
}

CK_COHORT_PROTOTYPE(ticket_ticket, ck_cohort_ticket_lock, ck_cohort_ticket_unlock,
	ck_cohort_ticket_locked, ck_cohort_ticket_lock, ck_cohort_ticket_unlock,
	ck_cohort_ticket_locked)

struct ck_cohort_group {
	LINE_ALIGNED ck_spinlock_ticket_t local;
	CK_COHORT_INSTANCE(ticket_ticket) cohort;
};

struct ck_cohort_lock {
	ck_spinlock_ticket_t global;
	/* What all read is not on the line that each hand-over between groups writes. */
	unsigned char apart[64 - sizeof(ck_spinlock_ticket_t)];
	struct ck_cohort_group *groups;
	const unsigned *group_of; // null: all are in the first
};

static inline int ck_cohort_init(struct ck_cohort_lock *l, const struct lock_team *team)
{
	const struct lock_level *level = team->levels ? &team->level[team->levels - 1] : NULL;
	unsigned groups = level ? level->groups : 1;
	l->group_of = level ? level->group : NULL;
	l->groups = aligned_alloc(LINE_PAIR, groups * sizeof *l->groups);
	if (!l->groups)
		return ENOMEM;
	ck_spinlock_ticket_init(&l->global);
	for (unsigned i = 0; i < groups; i++) {
		struct ck_cohort_group *g = &l->groups[i];
		ck_spinlock_ticket_init(&g->local);
		CK_COHORT_INIT(ticket_ticket, &g->cohort, &l->global, &g->local,
			CK_COHORT_DEFAULT_LOCAL_PASS_LIMIT);
	}
	return 0;
}

static inline struct ck_cohort_group *ck_cohort_group_of(
	const struct ck_cohort_lock *l, const struct lock_node *node)
{
	return &l->groups[l->group_of ? l->group_of[node->worker] : 0];
}

static inline void ck_cohort_acquire(struct ck_cohort_lock *l, struct lock_node *node)
{
	CK_COHORT_LOCK(ticket_ticket, &ck_cohort_group_of(l, node)->cohort, NULL, NULL);
}

// Not CK's own, which counts a trier among the waiters: its group may then hand the global lock
// on to a trier that has given up, and keep it for ever.
static inline bool ck_cohort_try_acquire(struct ck_cohort_lock *l, struct lock_node *node)
{
	struct ck_cohort_group *g = ck_cohort_group_of(l, node);
	if (!ck_ticket_try(&g->local))
		return false;
	if (g->cohort.release_state == CK_COHORT_STATE_GLOBAL && !ck_ticket_try(&l->global)) {
		ck_spinlock_ticket_unlock(&g->local);
		return false;
	}
	g->cohort.acquire_count++;
	return true;
}

static inline void ck_cohort_release(struct ck_cohort_lock *l, struct lock_node *node)
{
	CK_COHORT_UNLOCK(ticket_ticket, &ck_cohort_group_of(l, node)->cohort, NULL, NULL);
}

static inline void ck_cohort_fini(struct ck_cohort_lock *l)
{
	free(l->groups);
}

LOCK(ck_cohort, .name = "ck-cohort",
	.summary = "Concurrency Kit's cohorts, ticket over ticket, turns of 10",
	.source = "Concurrency Kit", .family = LOCK_NUMA_AWARE, .peer = true);
