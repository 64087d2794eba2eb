// SPDX-License-Identifier: BSD-2-Clause
// The C library's adaptive mutex: it tries again for a short while before it sleeps.
// Guarantees: mutual exclusion; no order among waiters. Works oversubscribed: the tries are
// bounded (by 100, and by about twice what recent acquisitions needed).
// Cost: one atomic each way uncontended, plus a call; no system call where the lock is freed while
// the waiter tries. Use it for critical sections shorter than a sleep; it is glibc's alone.
// Source: glibc, PTHREAD_MUTEX_ADAPTIVE_NP; spin then block: Ousterhout 1982; Karlin et al. 1991.
#pragma once

#include <pthread.h>

#include "lock.h"

struct mutex_adaptive_lock {
	pthread_mutex_t mutex;
};

static inline int mutex_adaptive_init(struct mutex_adaptive_lock *l, const struct lock_team *team)
{
	(void)team;
	pthread_mutexattr_t kind;
	int rc = pthread_mutexattr_init(&kind);
	if (rc)
		return rc;
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP);
	rc = pthread_mutex_init(&l->mutex, &kind);
	pthread_mutexattr_destroy(&kind);
	return rc;
}

static inline void mutex_adaptive_acquire(struct mutex_adaptive_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_lock(&l->mutex);
}

static inline bool mutex_adaptive_try_acquire(struct mutex_adaptive_lock *l, struct lock_node *node)
{
	(void)node;
	return pthread_mutex_trylock(&l->mutex) == 0;
}

static inline void mutex_adaptive_release(struct mutex_adaptive_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_unlock(&l->mutex);
}

static inline void mutex_adaptive_fini(struct mutex_adaptive_lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

LOCK(mutex_adaptive, .name = "mutex-adaptive",
	.summary = "C library mutex that tries for a while before it sleeps",
	.source = "glibc; Karlin et al. 1991", .family = LOCK_BLOCKING, .sleeps = true);
