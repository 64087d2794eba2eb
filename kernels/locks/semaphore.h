// SPDX-License-Identifier: BSD-2-Clause
// A POSIX semaphore with one permit, used as a lock.
// Guarantees: mutual exclusion; waiters sleep; no order among them (a running worker may overtake
// a woken one). Works oversubscribed.
// Cost: one atomic each way uncontended, plus a call; a system call each way when it sleeps. Any
// worker may release it, which is what semaphores are used for; nothing else speaks for it.
// Source: Dijkstra 1965; POSIX; glibc's futex implementation.
#pragma once

#include <errno.h>
#include <semaphore.h>

#include "lock.h"

struct semaphore_lock {
	sem_t permit;
};

static inline int semaphore_init(struct semaphore_lock *l, const struct lock_team *team)
{
	(void)team;
	return sem_init(&l->permit, 0, 1) ? errno : 0;
}

static inline void semaphore_acquire(struct semaphore_lock *l, struct lock_node *node)
{
	(void)node;
	while (sem_wait(&l->permit) && errno == EINTR)
		;
}

static inline bool semaphore_try_acquire(struct semaphore_lock *l, struct lock_node *node)
{
	(void)node;
	int rc;
	while ((rc = sem_trywait(&l->permit)) && errno == EINTR)
		;
	return rc == 0;
}

static inline void semaphore_release(struct semaphore_lock *l, struct lock_node *node)
{
	(void)node;
	sem_post(&l->permit);
}

static inline void semaphore_fini(struct semaphore_lock *l)
{
	sem_destroy(&l->permit);
}

LOCK(semaphore, .name = "semaphore", .summary = "POSIX semaphore with one permit",
	.source = "Dijkstra 1965; POSIX", .family = LOCK_BLOCKING, .sleeps = true);
