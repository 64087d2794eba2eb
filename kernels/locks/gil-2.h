// SPDX-License-Identifier: BSD-2-Clause
// The interpreter lock of Python 1 to 3.1 on Linux: a semaphore with one permit, and a count of
// instructions after which its holder releases it and acquires it again.
// Guarantees: mutual exclusion; waiters sleep; no order among them: the holder mostly wins its lock
// back, since a woken worker takes longer to arrive. Works oversubscribed.
// Cost: one atomic each way uncontended, plus a call; a load and a store at a safe point, and every
// 101st a release and an acquisition, with a system call where somebody sleeps. Use it to see what
// that did to programs with threads.
// Source: CPython 2.7.18, Python/ceval.c, Python/thread_pthread.h; Beazley 2010.
#pragma once

#include <errno.h>
#include <semaphore.h>

#include "lock.h"

enum { GIL_2_CHECK_INTERVAL = 100 };

struct gil_2_lock {
	sem_t permit;
	atomic_int ticker;    // safe points left
	int interval;         // what the ticker starts from; the holder's
	atomic_uint sleepers; // who found the lock held and may sleep

	/* What happened. Written by the holder. */
	unsigned last_holder; // worker + 1
	uint64_t releases, failed_acquires, switches;
	uint64_t futex_calls; // waits, and releases that found a sleeper
};

static inline int gil_2_init(struct gil_2_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->ticker, 0);
	l->interval = GIL_2_CHECK_INTERVAL;
	atomic_init(&l->sleepers, 0);
	l->last_holder = 0;
	l->releases = l->failed_acquires = l->switches = l->futex_calls = 0;
	return sem_init(&l->permit, 0, 1) ? errno : 0;
}

// By the new holder.
static inline void gil_2_taken(struct gil_2_lock *l, struct lock_node *node)
{
	if (l->last_holder != node->worker + 1) {
		lock_tally(&l->switches, l->last_holder != 0);
		l->last_holder = node->worker + 1;
	}
}

static inline bool gil_2_try_acquire(struct gil_2_lock *l, struct lock_node *node)
{
	int rc;
	while ((rc = sem_trywait(&l->permit)) && errno == EINTR)
		;
	if (rc == 0)
		gil_2_taken(l, node);
	return rc == 0;
}

static inline void gil_2_acquire(struct gil_2_lock *l, struct lock_node *node)
{
	if (gil_2_try_acquire(l, node))
		return;
	fetch_add(&l->sleepers, 1, relaxed); /* relaxed, both: counts futex calls, orders nothing */
	while (sem_wait(&l->permit) && errno == EINTR)
		;
	fetch_sub(&l->sleepers, 1, relaxed);
	lock_tally(&l->failed_acquires, true);
	lock_tally(&l->futex_calls, true);
	gil_2_taken(l, node);
}

static inline void gil_2_release(struct gil_2_lock *l, struct lock_node *node)
{
	(void)node;
	lock_tally(&l->releases, true);
	lock_tally(&l->futex_calls, load(&l->sleepers, relaxed) != 0); /* relaxed: as above */
	sem_post(&l->permit);
}

static __attribute__((noinline, unused)) void gil_2_give_way(
	struct gil_2_lock *l, struct lock_node *node)
{
	store(&l->ticker, l->interval, relaxed); /* relaxed: see gil_2_safepoint */
	gil_2_release(l, node);
	gil_2_acquire(l, node);
}

static inline void gil_2_safepoint(struct gil_2_lock *l, struct lock_node *node)
{
	/* relaxed, and no read-modify-write: the holder alone counts; the ticker was a plain
	 * number that signal handlers wrote too, and a lost tick moved a switch by one */
	int left = load(&l->ticker, relaxed) - 1;
	store(&l->ticker, left, relaxed);
	if (left < 0)
		gil_2_give_way(l, node);
}

static inline void gil_2_fini(struct gil_2_lock *l)
{
	sem_destroy(&l->permit);
}

LOCK_SAFEPOINT(gil_2)
LOCK(gil_2, .name = "gil-2", .summary = "Python 2's lock: a semaphore, given way every 101 ticks",
	.source = "CPython 2.7", .family = LOCK_INTERPRETER, .sleeps = true, SAFEPOINT(gil_2));
