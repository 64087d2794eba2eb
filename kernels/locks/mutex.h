// SPDX-License-Identifier: BSD-2-Clause
// The C library's default mutex.
// Guarantees: mutual exclusion; waiters sleep; no order among them (a running worker may
// overtake a woken one). Use it when critical sections are long or workers outnumber PUs.
// Cost: one atomic each way uncontended, plus a call; a system call each way when it sleeps.
// Source: POSIX; glibc's futex implementation after U. Drepper, "Futexes are tricky", 2011.
#pragma once

#include <pthread.h>

#include "lock.h"

struct mutex_lock {
	pthread_mutex_t mutex;
};

static inline int mutex_init(struct mutex_lock *l, const struct lock_team *team)
{
	(void)team;
	return pthread_mutex_init(&l->mutex, NULL);
}

static inline void mutex_acquire(struct mutex_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_lock(&l->mutex);
}

static inline bool mutex_try_acquire(struct mutex_lock *l, struct lock_node *node)
{
	(void)node;
	return pthread_mutex_trylock(&l->mutex) == 0;
}

static inline void mutex_release(struct mutex_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_unlock(&l->mutex);
}

static inline void mutex_fini(struct mutex_lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

LOCK(mutex, .name = "mutex", .summary = "C library mutex", .source = "POSIX; Drepper 2011",
	.family = LOCK_BLOCKING, .sleeps = true, .standard = true);
