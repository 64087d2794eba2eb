// SPDX-License-Identifier: BSD-2-Clause
// The interpreter lock of Python 1 to 3.1 where there were no semaphores: a flag under a mutex, a
// condition variable to wait for it, and the count of instructions of `gil-2`.
// Guarantees: mutual exclusion; waiters sleep; no order among them: a release wakes one waiter, and
// whoever comes first has the lock. Works oversubscribed.
// Cost: a mutex acquired and released each way, and a signal to release; safe points as in `gil-2`.
// Use it beside `gil-2`: the published measurements (Beazley 2010, macOS) were of this one.
// Source: CPython 2.7.18, Python/ceval.c, Python/thread_pthread.h.
#pragma once

#include <pthread.h>

#include "lock.h"

enum { GIL_2_COND_CHECK_INTERVAL = 100 };

struct gil_2_cond_lock {
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	bool locked;       // under mutex
	atomic_int ticker; // safe points left
	int interval;      // what the ticker starts from; the holder's
	unsigned waiting;  // on freed, not woken yet; under mutex

	/* What happened. Under mutex. */
	unsigned last_holder; // worker + 1
	uint64_t releases, failed_acquires, switches;
	uint64_t futex_calls; // waits, and releases that found a waiter
};

static inline int gil_2_cond_init(struct gil_2_cond_lock *l, const struct lock_team *team)
{
	(void)team;
	l->locked = false;
	atomic_init(&l->ticker, 0);
	l->interval = GIL_2_COND_CHECK_INTERVAL;
	l->waiting = 0;
	l->last_holder = 0;
	l->releases = l->failed_acquires = l->switches = l->futex_calls = 0;
	int rc = pthread_mutex_init(&l->mutex, NULL);
	if (rc)
		return rc;
	rc = pthread_cond_init(&l->freed, NULL);
	if (rc)
		pthread_mutex_destroy(&l->mutex);
	return rc;
}

// Under mutex, by the new holder.
static inline void gil_2_cond_taken(struct gil_2_cond_lock *l, struct lock_node *node)
{
	if (l->last_holder != node->worker + 1) {
		lock_tally(&l->switches, l->last_holder != 0);
		l->last_holder = node->worker + 1;
	}
}

static inline void gil_2_cond_acquire(struct gil_2_cond_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->mutex);
	lock_tally(&l->failed_acquires, l->locked);
	while (l->locked) {
		lock_tally_sleep(&l->waiting, &l->futex_calls);
		pthread_cond_wait(&l->freed, &l->mutex);
	}
	l->locked = true;
	gil_2_cond_taken(l, node);
	pthread_mutex_unlock(&l->mutex);
}

static inline bool gil_2_cond_try_acquire(struct gil_2_cond_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->mutex);
	bool was_free = !l->locked;
	l->locked = true;
	if (was_free)
		gil_2_cond_taken(l, node);
	pthread_mutex_unlock(&l->mutex);
	return was_free;
}

static inline void gil_2_cond_release(struct gil_2_cond_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_mutex_lock(&l->mutex);
	l->locked = false;
	lock_tally(&l->releases, true);
	lock_tally_wake(&l->waiting, &l->futex_calls);
	pthread_cond_signal(&l->freed);
	pthread_mutex_unlock(&l->mutex);
}

static __attribute__((noinline, unused)) void gil_2_cond_give_way(
	struct gil_2_cond_lock *l, struct lock_node *node)
{
	store(&l->ticker, l->interval, relaxed); /* relaxed: as below */
	gil_2_cond_release(l, node);
	gil_2_cond_acquire(l, node);
}

static inline void gil_2_cond_safepoint(struct gil_2_cond_lock *l, struct lock_node *node)
{
	/* relaxed, and no read-modify-write: the holder alone counts (see `gil-2`) */
	int left = load(&l->ticker, relaxed) - 1;
	store(&l->ticker, left, relaxed);
	if (left < 0)
		gil_2_cond_give_way(l, node);
}

static inline void gil_2_cond_fini(struct gil_2_cond_lock *l)
{
	pthread_cond_destroy(&l->freed);
	pthread_mutex_destroy(&l->mutex);
}

LOCK_SAFEPOINT(gil_2_cond)
LOCK(gil_2_cond, .name = "gil-2-cond",
	.summary = "Python 2's lock: mutex and condition, 101 ticks a turn",
	.source = "CPython 2.7; Beazley 2010", .family = LOCK_INTERPRETER, .sleeps = true,
	SAFEPOINT(gil_2_cond));
