// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's reader-writer lock: a writer's flag and a count of readers.
// Guarantees: a writer excludes all others, readers only writers; writers are preferred, no order
// among them. Spins without backoff; collapses when workers outnumber PUs.
// Cost: two atomics uncontended each way for a reader, one and a store for a writer. Use it to
// compare.
// Source: Concurrency Kit, ck_rwlock.h
#pragma once

/* Our verb would have the same name as the Kit's own, which nobody needs. */
#define ck_rwlock_init ck_rwlock_clear
#include <ck_rwlock.h>
#undef ck_rwlock_init

#include "lock.h"

struct ck_rwlock_lock {
	ck_rwlock_t ck;
};

static inline int ck_rwlock_init(struct ck_rwlock_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_rwlock_clear(&l->ck);
	return 0;
}

static inline void ck_rwlock_acquire(struct ck_rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_rwlock_write_lock(&l->ck);
}

static inline bool ck_rwlock_try_acquire(struct ck_rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	return ck_rwlock_write_trylock(&l->ck);
}

static inline void ck_rwlock_release(struct ck_rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_rwlock_write_unlock(&l->ck);
}

static inline void ck_rwlock_read_acquire(struct ck_rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_rwlock_read_lock(&l->ck);
}

static inline bool ck_rwlock_read_try_acquire(struct ck_rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	return ck_rwlock_read_trylock(&l->ck);
}

static inline bool ck_rwlock_read_release(struct ck_rwlock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_rwlock_read_unlock(&l->ck);
	return true;
}

static inline void ck_rwlock_fini(struct ck_rwlock_lock *l)
{
	(void)l;
}

LOCK_READS(ck_rwlock)
LOCK(ck_rwlock, .name = "ck-rwlock",
	.summary = "Concurrency Kit's reader-writer lock, writers preferred",
	.source = "Concurrency Kit", .family = LOCK_READER_WRITER, .peer = true, READS(ck_rwlock));
