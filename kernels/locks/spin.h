// SPDX-License-Identifier: BSD-2-Clause
// The C library's spin lock.
// Guarantees: mutual exclusion; waiters spin without backoff; no order among them. Collapses
// when workers outnumber PUs: a waiter burns the time slice that the holder needs.
// Use it to compare: it is what pthread_spin_lock gives you.
// Source: POSIX; glibc nptl/pthread_spin_lock.c.
#pragma once

#include <pthread.h>

#include "lock.h"

struct spin_lock {
	pthread_spinlock_t spin;
};

static inline int spin_init(struct spin_lock *l, const struct lock_team *team)
{
	(void)team;
	return pthread_spin_init(&l->spin, PTHREAD_PROCESS_PRIVATE);
}

static inline void spin_acquire(struct spin_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_spin_lock(&l->spin);
}

static inline bool spin_try_acquire(struct spin_lock *l, struct lock_node *node)
{
	(void)node;
	return pthread_spin_trylock(&l->spin) == 0;
}

static inline void spin_release(struct spin_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_spin_unlock(&l->spin);
}

static inline void spin_fini(struct spin_lock *l)
{
	pthread_spin_destroy(&l->spin);
}

LOCK(spin, .name = "spin", .summary = "C library spin lock", .source = "POSIX; glibc",
	.family = LOCK_SPINNING);
