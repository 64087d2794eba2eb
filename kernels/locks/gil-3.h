// SPDX-License-Identifier: BSD-2-Clause
// The interpreter lock of Python 3.2 and later: who has waited for 5 ms in which nobody else took
// the lock asks its holder to drop it, and the holder then waits until another has taken it.
// Guarantees: mutual exclusion; waiters sleep; no order among them, but a holder that comes to safe
// points does not keep others out for long. A release that nobody has asked for may be followed by
// an acquisition of the same worker. Works oversubscribed.
// Cost: two mutexes and a signal to acquire, a mutex and a signal to release; a load at a safe
// point. A waiter beside busy holders waits 5 ms or more: the "convoy" of interpreters with
// threads. Use it to see what such an interpreter can win from more cores. Source: Pitrou 2009;
// CPython 3.2 to 3.13, Python/ceval_gil.h (take_gil, drop_gil).
#pragma once

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "kernels/futex.h"
#include "lock.h"

// A mutex and what is waited for under it.
struct gil_3_event {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
};

struct gil_3_lock {
	struct gil_3_event freed;    // the lock is free
	struct gil_3_event switched; // somebody else is the last holder. Nested within `freed`
	bool locked;                 // under freed.mutex
	unsigned last_holder;        // worker + 1; written under both mutexes
	uint64_t switch_number;      // how often the holder changed; under freed.mutex
	atomic_bool drop_request;    // set under freed.mutex by a waiter, while locked
	unsigned waiting;            // on freed.cond, not woken yet; under freed.mutex
	unsigned waiting_switch;     // on switched.cond, likewise; under switched.mutex
	unsigned interval_us;        // under freed.mutex

	/* What happened. Under freed.mutex. */
	uint64_t releases, failed_acquires, drop_requests;
	uint64_t futex_calls;        // waits for freed, and signals that found somebody
	uint64_t switch_futex_calls; // as that, of switched, under its mutex
};

enum { GIL_3_INTERVAL_US = 5000 };

static inline int gil_3_event_init(struct gil_3_event *e)
{
	pthread_condattr_t clock;
	int rc = pthread_condattr_init(&clock);
	if (rc)
		return rc;
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&e->cond, &clock);
	pthread_condattr_destroy(&clock);
	if (rc)
		return rc;
	rc = pthread_mutex_init(&e->mutex, NULL);
	if (rc)
		pthread_cond_destroy(&e->cond);
	return rc;
}

static inline void gil_3_event_fini(struct gil_3_event *e)
{
	pthread_mutex_destroy(&e->mutex);
	pthread_cond_destroy(&e->cond);
}

static inline int gil_3_init(struct gil_3_lock *l, const struct lock_team *team)
{
	(void)team;
	l->locked = false;
	l->last_holder = 0;
	l->switch_number = 0;
	atomic_init(&l->drop_request, false);
	l->waiting = l->waiting_switch = 0;
	l->interval_us = GIL_3_INTERVAL_US;
	l->releases = l->failed_acquires = l->drop_requests = 0;
	l->futex_calls = l->switch_futex_calls = 0;
	int rc = gil_3_event_init(&l->freed);
	if (rc)
		return rc;
	rc = gil_3_event_init(&l->switched);
	if (rc)
		gil_3_event_fini(&l->freed);
	return rc;
}

// Under freed.mutex, which it gives up while it sleeps. Each wake-up and each switch between others
// starts the interval anew.
static __attribute__((noinline, unused)) void gil_3_await(struct gil_3_lock *l)
{
	lock_tally(&l->failed_acquires, true);
	while (l->locked) {
		uint64_t wait_ns = (uint64_t)l->interval_us * 1000;
		uint64_t seen = l->switch_number, until = futex_now_ns() + wait_ns;
		struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
		lock_tally_sleep(&l->waiting, &l->futex_calls);
		int rc = pthread_cond_timedwait(&l->freed.cond, &l->freed.mutex, &t);
		l->waiting -= rc == ETIMEDOUT && l->waiting;
		if (rc == ETIMEDOUT && l->locked && l->switch_number == seen) {
			lock_tally(&l->drop_requests, true);
			/* relaxed: the holder sees it soon; the mutexes order the rest */
			store(&l->drop_request, true, relaxed);
		}
	}
}

// Under freed.mutex, with the lock free. The request was the last holder's: who still waits asks
// again.
static inline void gil_3_take(struct gil_3_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->switched.mutex);
	l->locked = true;
	if (l->last_holder != node->worker + 1) {
		l->last_holder = node->worker + 1;
		l->switch_number++;
	}
	lock_tally_wake(&l->waiting_switch, &l->switch_futex_calls);
	pthread_cond_signal(&l->switched.cond);
	pthread_mutex_unlock(&l->switched.mutex);
	store(&l->drop_request, false, relaxed); /* relaxed: under freed.mutex, as its setting */
}

static inline void gil_3_acquire(struct gil_3_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->freed.mutex);
	if (l->locked)
		gil_3_await(l);
	gil_3_take(l, node);
	pthread_mutex_unlock(&l->freed.mutex);
}

static inline bool gil_3_try_acquire(struct gil_3_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->freed.mutex);
	bool was_free = !l->locked;
	if (was_free)
		gil_3_take(l, node);
	pthread_mutex_unlock(&l->freed.mutex);
	return was_free;
}

// Nobody waits in vain: a request that is seen while we are the last holder was made during our
// turn, by a waiter that stays until it has the lock; it or whoever comes before it signals.
static __attribute__((noinline, unused)) void gil_3_await_switch(
	struct gil_3_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->switched.mutex);
	if (l->last_holder == node->worker + 1) {
		store(&l->drop_request, false, relaxed); /* relaxed: see gil_3_await */
		lock_tally_sleep(&l->waiting_switch, &l->switch_futex_calls);
		pthread_cond_wait(&l->switched.cond, &l->switched.mutex);
	}
	pthread_mutex_unlock(&l->switched.mutex);
}

static inline void gil_3_release(struct gil_3_lock *l, struct lock_node *node)
{
	pthread_mutex_lock(&l->freed.mutex);
	l->locked = false;
	lock_tally(&l->releases, true);
	lock_tally_wake(&l->waiting, &l->futex_calls);
	pthread_cond_signal(&l->freed.cond);
	pthread_mutex_unlock(&l->freed.mutex);
	/* relaxed: one made for a later holder does no harm, gil_3_await_switch looks again */
	if (load(&l->drop_request, relaxed))
		gil_3_await_switch(l, node);
}

static __attribute__((noinline, unused)) void gil_3_give_way(
	struct gil_3_lock *l, struct lock_node *node)
{
	gil_3_release(l, node);
	gil_3_acquire(l, node);
}

static inline void gil_3_safepoint(struct gil_3_lock *l, struct lock_node *node)
{
	if (load(&l->drop_request, relaxed)) /* relaxed: seen soon is soon enough */
		gil_3_give_way(l, node);
}

static inline void gil_3_fini(struct gil_3_lock *l)
{
	gil_3_event_fini(&l->switched);
	gil_3_event_fini(&l->freed);
}

LOCK_SAFEPOINT(gil_3)
LOCK(gil_3, .name = "gil-3", .summary = "Python 3's lock: dropped on request after 5 ms",
	.source = "Pitrou 2009; CPython 3.2", .family = LOCK_INTERPRETER, .sleeps = true,
	SAFEPOINT(gil_3));
