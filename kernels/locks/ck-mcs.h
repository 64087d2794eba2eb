// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's MCS lock.
// Source: Concurrency Kit, spinlock/mcs.h
#pragma once

#include <ck_spinlock.h>

#include "lock.h"

struct ck_mcs_lock {
	ck_spinlock_mcs_t ck;
};

static inline int ck_mcs_init(struct ck_mcs_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_spinlock_mcs_init(&l->ck);
	return 0;
}

static inline void ck_mcs_acquire(struct ck_mcs_lock *l, struct lock_node *node)
{
	ck_spinlock_mcs_lock(&l->ck, (ck_spinlock_mcs_context_t *)node);
}

static inline bool ck_mcs_try_acquire(struct ck_mcs_lock *l, struct lock_node *node)
{
	return ck_spinlock_mcs_trylock(&l->ck, (ck_spinlock_mcs_context_t *)node);
}

static inline void ck_mcs_release(struct ck_mcs_lock *l, struct lock_node *node)
{
	ck_spinlock_mcs_unlock(&l->ck, (ck_spinlock_mcs_context_t *)node);
}

static inline void ck_mcs_fini(struct ck_mcs_lock *l)
{
	(void)l;
}

LOCK(ck_mcs, .name = "ck-mcs", .summary = "Concurrency Kit's MCS queue",
	.source = "Concurrency Kit", .family = LOCK_SPINNING, .fifo = true, .peer = true);
