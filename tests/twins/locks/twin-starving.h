// SPDX-License-Identifier: BSD-2-Clause
// Broken on purpose: all workers but the first look at the lock only after a long rest, so that the
// first has it nearly always. It excludes and loses nothing; the fairness table must show it.
#pragma once

#include "lock.h"

enum { TWIN_STARVING_REST = 1 << 12 };

struct twin_starving_lock {
	atomic_uint held;
};

static inline int twin_starving_init(struct twin_starving_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->held, 0);
	return 0;
}

static inline bool twin_starving_try_acquire(struct twin_starving_lock *l, struct lock_node *node)
{
	(void)node;
	return !exchange(&l->held, 1, acquire); /* A0: acquire; pairs with A1 */
}

static inline void twin_starving_acquire(struct twin_starving_lock *l, struct lock_node *node)
{
	do
		for (unsigned i = 0; node->worker > 0 && i < TWIN_STARVING_REST; i++)
			cpu_relax();
	while (!twin_starving_try_acquire(l, node));
}

static inline void twin_starving_release(struct twin_starving_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->held, 0, release); /* A1: release; pairs with A0 */
}

static inline void twin_starving_fini(struct twin_starving_lock *l)
{
	(void)l;
}

LOCK(twin_starving, .name = "twin-starving", .summary = "BROKEN: the first worker has it all",
	.source = "tests");
