// SPDX-License-Identifier: BSD-2-Clause
// Test-and-set: the smallest spin lock there is.
// Guarantees: mutual exclusion; no order: a worker may wait forever while others pass.
// Cost: one atomic exchange uncontended, a plain store to release. Every attempt of a waiter
// takes the line away from the holder, so it degrades with each further waiter; collapses when
// workers outnumber PUs. Use it to show why the others exist.
// Source: textbook; measured first by T. E. Anderson, IEEE TPDS 1990.
#pragma once

#include "lock.h"

struct tas_lock {
	atomic_uint held;
};

static inline int tas_init(struct tas_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->held, 0);
	return 0;
}

static inline void tas_acquire(struct tas_lock *l, struct lock_node *node)
{
	(void)node;
	while (exchange(&l->held, 1, acquire)) /* A0: acquire; pairs with A1 */
		cpu_relax();
}

static inline bool tas_try_acquire(struct tas_lock *l, struct lock_node *node)
{
	(void)node;
	return !exchange(&l->held, 1, acquire); /* A0 */
}

static inline void tas_release(struct tas_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->held, 0, release); /* A1: release; pairs with A0 */
}

static inline void tas_fini(struct tas_lock *l)
{
	(void)l;
}

LOCK(tas, .name = "tas", .summary = "test-and-set: spins on the atomic itself",
	.source = "Anderson 1990", .family = LOCK_SPINNING);
