// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's fetch-and-store lock with exponential backoff.
// Source: Concurrency Kit, spinlock/fas.h
#pragma once

#include <ck_spinlock.h>

#include "lock.h"

struct ck_fas_eb_lock {
	ck_spinlock_fas_t ck;
};

static inline int ck_fas_eb_init(struct ck_fas_eb_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_spinlock_fas_init(&l->ck);
	return 0;
}

static inline void ck_fas_eb_acquire(struct ck_fas_eb_lock *l, struct lock_node *node)
{
	(void)node;
	ck_spinlock_fas_lock_eb(&l->ck);
}

static inline bool ck_fas_eb_try_acquire(struct ck_fas_eb_lock *l, struct lock_node *node)
{
	(void)node;
	return ck_spinlock_fas_trylock(&l->ck);
}

static inline void ck_fas_eb_release(struct ck_fas_eb_lock *l, struct lock_node *node)
{
	(void)node;
	ck_spinlock_fas_unlock(&l->ck);
}

static inline void ck_fas_eb_fini(struct ck_fas_eb_lock *l)
{
	(void)l;
}

LOCK(ck_fas_eb, .name = "ck-fas-eb",
	.summary = "Concurrency Kit's fetch-and-store, exponential backoff",
	.source = "Concurrency Kit", .family = LOCK_SPINNING, .peer = true);
