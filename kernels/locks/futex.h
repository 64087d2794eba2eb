// SPDX-License-Identifier: BSD-2-Clause
// Three states in one word: free, held, held and perhaps slept for. Waiters look a few times, then
// sleep in the kernel.
// Guarantees: mutual exclusion; no order among waiters (a running worker may overtake a woken one).
// Works oversubscribed: a waiter gives its PU away after some microseconds.
// Cost: one compare-and-swap to acquire and one exchange to release uncontended, inlined; a system
// call only where somebody sleeps. The looks are spread out over about the price of a sleep and a
// wake-up, so that at worst a wait costs twice what it must (Karlin et al. 1991), and fall away
// where others sleep already: then there are more workers than the lock can serve.
// Use it where `mutex` is used, when the call matters and critical sections are short.
// Source: Drepper, "Futexes are tricky", 2011, the third mutex; the looks are ours.
#pragma once

#include "kernels/futex.h"
#include "lock.h"

enum { FUTEX_FREE, FUTEX_HELD, FUTEX_CONTENDED };

struct futex_lock {
	atomic_uint state;
};

// Six looks within 248 pauses, 4 to 11 microseconds: each leaves the line to the holder for longer
// than the one before.
enum { FUTEX_PAUSES_FIRST = 8, FUTEX_PAUSES_MOST = 128 };

static inline int futex_init(struct futex_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->state, FUTEX_FREE);
	return 0;
}

static inline bool futex_try_acquire(struct futex_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned expected = FUTEX_FREE;
	/* A0: acquire; pairs with A1 */
	return compare_exchange(&l->state, &expected, FUTEX_HELD, acquire, relaxed);
}

// Whether it took the lock within a few looks; gives up at once where others sleep. `as` is the
// state to leave it in.
static inline bool futex_look(struct futex_lock *l, unsigned as)
{
	for (unsigned pauses = FUTEX_PAUSES_FIRST;; pauses *= 2) {
		unsigned seen = load(&l->state, relaxed); /* relaxed: A0 orders */
		if (seen == FUTEX_FREE &&
			compare_exchange(&l->state, &seen, as, acquire, relaxed)) /* A0 */
			return true;
		if (seen == FUTEX_CONTENDED || pauses > FUTEX_PAUSES_MOST)
			return false;
		for (unsigned i = 0; i < pauses; i++)
			cpu_relax();
	}
}

// Who slept does not know whether others still do: from then on it takes the lock as contended,
// at the price of at most one wake-up too many.
static __attribute__((noinline, unused)) void futex_acquire_slowly(struct futex_lock *l)
{
	unsigned as = FUTEX_HELD;
	while (!futex_look(l, as)) {
		/* A0. Either it was free and is ours, or its holder now knows that we sleep. */
		if (exchange(&l->state, FUTEX_CONTENDED, acquire) == FUTEX_FREE)
			return;
		futex_wait(&l->state, FUTEX_CONTENDED, 0);
		as = FUTEX_CONTENDED;
	}
}

static inline void futex_acquire(struct futex_lock *l, struct lock_node *node)
{
	if (!futex_try_acquire(l, node))
		futex_acquire_slowly(l);
}

static __attribute__((noinline, unused)) void futex_wake_one(struct futex_lock *l)
{
	futex_wake(&l->state, 1);
}

static inline void futex_release(struct futex_lock *l, struct lock_node *node)
{
	(void)node;
	/* A1: release; pairs with A0 */
	if (exchange(&l->state, FUTEX_FREE, release) == FUTEX_CONTENDED)
		futex_wake_one(l);
}

static inline void futex_fini(struct futex_lock *l)
{
	(void)l;
}

LOCK(futex, .name = "futex", .summary = "three states over a futex; looks a few times, then sleeps",
	.source = "Drepper 2011; Karlin et al. 1991", .family = LOCK_BLOCKING, .standard = true,
	.sleeps = true);
