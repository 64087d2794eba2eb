// SPDX-License-Identifier: BSD-2-Clause
// The C library's reader-writer lock, of its default kind.
// Guarantees: a writer excludes all others, readers only writers; waiters sleep; no order. The
// default kind prefers readers: they enter while a writer waits, so a stream of readers that
// overlap keeps writers out for ever. Works where workers outnumber PUs.
// Cost: readers too change one shared word, an atomic each way plus a call: they exclude no reader
// but wait for the line. Pays only where readers stay for microseconds.
// Source: POSIX; glibc's implementation since 2.25 (T. Riegel, 2017).
#pragma once

#include <pthread.h>

#include "lock.h"

struct rwlock_lock {
	pthread_rwlock_t rwlock;
};

static inline int rwlock_init(struct rwlock_lock *l, const struct lock_team *team)
{
	(void)team;
	return pthread_rwlock_init(&l->rwlock, NULL);
}

static inline void rwlock_acquire(struct rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_rwlock_wrlock(&l->rwlock);
}

static inline bool rwlock_try_acquire(struct rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	return pthread_rwlock_trywrlock(&l->rwlock) == 0;
}

static inline void rwlock_release(struct rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_rwlock_unlock(&l->rwlock);
}

static inline void rwlock_read_acquire(struct rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_rwlock_rdlock(&l->rwlock);
}

static inline bool rwlock_read_try_acquire(struct rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	return pthread_rwlock_tryrdlock(&l->rwlock) == 0;
}

static inline bool rwlock_read_release(struct rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	pthread_rwlock_unlock(&l->rwlock);
	return true;
}

static inline void rwlock_fini(struct rwlock_lock *l)
{
	pthread_rwlock_destroy(&l->rwlock);
}

LOCK_READS(rwlock)
LOCK(rwlock, .name = "rwlock", .summary = "C library reader-writer lock, readers preferred",
	.source = "POSIX; glibc", .family = LOCK_READER_WRITER, .standard = true, .sleeps = true,
	READS(rwlock));
