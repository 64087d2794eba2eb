// SPDX-License-Identifier: BSD-2-Clause
// Re-entrant lock: a `futex` with an owner and a count.
// Guarantees: mutual exclusion; its holder may acquire it again, and releases it as often; waiters
// sleep; no order among them. Works oversubscribed.
// Cost: as `futex`, and a few loads and stores on the line that the lock brings anyway; acquiring
// again is a load and an addition. Use it where a function that locks is also called by
// one that has locked; a lock that need not be re-entrant is simpler to reason about.
// Source: textbook (Schmidt et al., POSA2, 2000, "Thread-Safe Interface"); Drepper 2011.
#pragma once

#include "kernels/locks/futex.h"
#include "lock.h"

struct rlock_lock {
	struct futex_lock lock;
	atomic_uint owner; // worker + 1; 0: nobody. Written by the holder
	unsigned count;    // how often its owner has yet to release it; the holder's
};

static inline int rlock_init(struct rlock_lock *l, const struct lock_team *team)
{
	atomic_init(&l->owner, 0);
	l->count = 0;
	return futex_init(&l->lock, team);
}

// relaxed: a worker finds its own number only where it is the holder. It alone writes that number,
// and overwrites it itself before it releases, so it cannot read it later; and what it reads of
// others may be as old as it likes, for it is never equal.
static inline bool rlock_is_mine(struct rlock_lock *l, struct lock_node *node)
{
	return load(&l->owner, relaxed) == node->worker + 1;
}

static inline void rlock_own(struct rlock_lock *l, struct lock_node *node)
{
	store(&l->owner, node->worker + 1, relaxed); /* relaxed: see rlock_is_mine */
	l->count = 1;
}

static inline void rlock_acquire(struct rlock_lock *l, struct lock_node *node)
{
	if (rlock_is_mine(l, node)) {
		l->count++;
		return;
	}
	futex_acquire(&l->lock, node);
	rlock_own(l, node);
}

static inline bool rlock_try_acquire(struct rlock_lock *l, struct lock_node *node)
{
	if (rlock_is_mine(l, node)) {
		l->count++;
		return true;
	}
	if (!futex_try_acquire(&l->lock, node))
		return false;
	rlock_own(l, node);
	return true;
}

static inline void rlock_release(struct rlock_lock *l, struct lock_node *node)
{
	if (--l->count > 0)
		return;
	store(&l->owner, 0, relaxed); /* relaxed: see rlock_is_mine */
	futex_release(&l->lock, node);
}

static inline void rlock_fini(struct rlock_lock *l)
{
	futex_fini(&l->lock);
}

LOCK(rlock, .name = "rlock", .summary = "owner and count over a futex",
	.source = "textbook; Drepper 2011", .family = LOCK_BLOCKING, .reentrant = true,
	.sleeps = true);
