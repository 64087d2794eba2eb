// SPDX-License-Identifier: BSD-2-Clause
// Broken on purpose: a waiter goes to sleep without looking again, and a release wakes only
// those that were asleep already. Sooner or later a worker sleeps for ever; the watchdog must
// end it.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "lock.h"

struct twin_lost_wakeup_lock {
	atomic_uint held;
	atomic_uint asleep;
	sem_t wake;
};

static inline int twin_lost_wakeup_init(
	struct twin_lost_wakeup_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->held, 0);
	atomic_init(&l->asleep, 0);
	sem_init(&l->wake, 0, 0);
	return 0;
}

static inline void twin_lost_wakeup_acquire(struct twin_lost_wakeup_lock *l, struct lock_node *node)
{
	(void)node;
	while (exchange(&l->held, 1, acquire)) {
		/* broken: the holder may release between the look above and the next line */
		fetch_add(&l->asleep, 1, relaxed);
		while (sem_wait(&l->wake) != 0)
			;
	}
}

static inline bool twin_lost_wakeup_try_acquire(
	struct twin_lost_wakeup_lock *l, struct lock_node *node)
{
	(void)node;
	return !exchange(&l->held, 1, acquire);
}

static inline void twin_lost_wakeup_release(struct twin_lost_wakeup_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->held, 0, release);
	if (exchange(&l->asleep, 0, relaxed))
		sem_post(&l->wake);
}

static inline void twin_lost_wakeup_fini(struct twin_lost_wakeup_lock *l)
{
	sem_destroy(&l->wake);
}

LOCK(twin_lost_wakeup, .name = "twin-lost-wakeup", .summary = "BROKEN: loses wake-ups",
	.source = "tests");
