// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's fetch-and-store lock: tests before it tries again, no backoff.
// Source: Concurrency Kit, spinlock/fas.h
#pragma once

#include <ck_spinlock.h>

#include "lock.h"

struct ck_fas_lock {
	ck_spinlock_fas_t ck;
};

static inline int ck_fas_init(struct ck_fas_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_spinlock_fas_init(&l->ck);
	return 0;
}

static inline void ck_fas_acquire(struct ck_fas_lock *l, struct lock_node *node)
{
	(void)node;
	ck_spinlock_fas_lock(&l->ck);
}

static inline bool ck_fas_try_acquire(struct ck_fas_lock *l, struct lock_node *node)
{
	(void)node;
	return ck_spinlock_fas_trylock(&l->ck);
}

static inline void ck_fas_release(struct ck_fas_lock *l, struct lock_node *node)
{
	(void)node;
	ck_spinlock_fas_unlock(&l->ck);
}

static inline void ck_fas_fini(struct ck_fas_lock *l)
{
	(void)l;
}

LOCK(ck_fas, .name = "ck-fas",
	.summary = "Concurrency Kit's fetch-and-store, testing before it tries",
	.source = "Concurrency Kit", .family = LOCK_SPINNING, .peer = true);
