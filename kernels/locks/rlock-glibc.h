// SPDX-License-Identifier: BSD-2-Clause
// The C library's recursive mutex.
// Guarantees: mutual exclusion; its holder may acquire it again, and releases it as often; waiters
// sleep; no order among them. Works oversubscribed.
// Cost: as `mutex`, and the look at the owner (a thread id kept in thread-local storage). Use it
// to compare `rlock` with.
// Source: POSIX, PTHREAD_MUTEX_RECURSIVE; glibc.
#pragma once

#include <pthread.h>

#include "lock.h"

struct rlock_glibc_lock {
	pthread_mutex_t mutex;
};

static inline int rlock_glibc_init(struct rlock_glibc_lock *l, const struct lock_team *team)
{
	(void)team;
	pthread_mutexattr_t kind;
	int rc = pthread_mutexattr_init(&kind);
	if (rc)
		return rc;
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init(&l->mutex, &kind);
	pthread_mutexattr_destroy(&kind);
	return rc;
}

static inline void rlock_glibc_acquire(struct rlock_glibc_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_lock(&l->mutex);
}

static inline bool rlock_glibc_try_acquire(struct rlock_glibc_lock *l, struct lock_node *node)
{
	(void)node;
	return pthread_mutex_trylock(&l->mutex) == 0;
}

static inline void rlock_glibc_release(struct rlock_glibc_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_unlock(&l->mutex);
}

static inline void rlock_glibc_fini(struct rlock_glibc_lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

LOCK(rlock_glibc, .name = "rlock-glibc", .summary = "C library recursive mutex",
	.source = "POSIX; glibc", .family = LOCK_BLOCKING, .reentrant = true, .sleeps = true);
