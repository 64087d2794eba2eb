// SPDX-License-Identifier: BSD-2-Clause
// Broken on purpose: looks before it takes, so that two workers may both find the lock free.
// The kernels' checks must catch it.
#pragma once

#include "lock.h"

struct twin_two_owners_lock {
	atomic_uint held;
};

static inline int twin_two_owners_init(struct twin_two_owners_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->held, 0);
	return 0;
}

static inline void twin_two_owners_acquire(struct twin_two_owners_lock *l, struct lock_node *node)
{
	(void)node;
	while (load(&l->held, acquire))
		cpu_relax();
	store(&l->held, 1, relaxed); /* broken: another may have been here since the load */
}

static inline bool twin_two_owners_try_acquire(
	struct twin_two_owners_lock *l, struct lock_node *node)
{
	(void)node;
	if (load(&l->held, acquire))
		return false;
	store(&l->held, 1, relaxed);
	return true;
}

static inline void twin_two_owners_release(struct twin_two_owners_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->held, 0, release);
}

static inline void twin_two_owners_fini(struct twin_two_owners_lock *l)
{
	(void)l;
}

LOCK(twin_two_owners, .name = "twin-two-owners", .summary = "BROKEN: admits two owners",
	.source = "tests");
