// SPDX-License-Identifier: BSD-2-Clause
// Broken on purpose: the release lacks its release ordering, so that on weak hardware the next
// owner may not see what the last one wrote. x86 hides it; ThreadSanitizer must catch it.
#pragma once

#include "lock.h"

struct twin_no_release_lock {
	atomic_uint held;
};

static inline int twin_no_release_init(struct twin_no_release_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->held, 0);
	return 0;
}

static inline void twin_no_release_acquire(struct twin_no_release_lock *l, struct lock_node *node)
{
	(void)node;
	while (exchange(&l->held, 1, acquire))
		cpu_relax();
}

static inline bool twin_no_release_try_acquire(
	struct twin_no_release_lock *l, struct lock_node *node)
{
	(void)node;
	return !exchange(&l->held, 1, acquire);
}

static inline void twin_no_release_release(struct twin_no_release_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->held, 0, relaxed); /* broken: must be release */
}

static inline void twin_no_release_fini(struct twin_no_release_lock *l)
{
	(void)l;
}

LOCK(twin_no_release, .name = "twin-no-release", .summary = "BROKEN: releases without ordering",
	.source = "tests");
