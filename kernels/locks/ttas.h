// SPDX-License-Identifier: BSD-2-Clause
// Test-and-test-and-set with bounded exponential backoff.
// Guarantees: mutual exclusion; no order: the backoff favours whoever had the lock last, which
// is why it is fast (the data stays in one cache) and unfair. Collapses when workers outnumber
// PUs. Use it for very short critical sections among few workers.
// Cost: one atomic exchange uncontended, a plain store to release.
// Source: Rudolph & Segall 1984 (test first); Anderson 1990 (backoff).
#pragma once

#include "lock.h"

struct ttas_lock {
	atomic_uint held;
};

// A pause takes 15 to 45 ns, a line 50 to 450 ns from core to core: the first wait, 1 to 3
// microseconds, lets the holder go on for some time before a look takes its line away; the longest
// bounds how long a waiter may oversleep.
enum { TTAS_PAUSES_FIRST = 64, TTAS_PAUSES_MOST = 2048 };

static inline int ttas_init(struct ttas_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->held, 0);
	return 0;
}

static inline bool ttas_try_acquire(struct ttas_lock *l, struct lock_node *node)
{
	(void)node;
	/* relaxed: only a hint whether the exchange is worth its price */
	return !load(&l->held, relaxed) && !exchange(&l->held, 1, acquire); /* A0: pairs with A1 */
}

// Out of the callers' loops: a waiter has time, the uncontended path has not.
static __attribute__((noinline, unused)) void ttas_wait(struct ttas_lock *l)
{
	unsigned pauses = TTAS_PAUSES_FIRST;
	do {
		do {
			for (unsigned i = 0; i < pauses; i++)
				cpu_relax();
			if (pauses < TTAS_PAUSES_MOST)
				pauses *= 2;
		} while (load(&l->held, relaxed)); /* relaxed: the exchange below orders */
	} while (exchange(&l->held, 1, acquire));  /* A0: acquire; pairs with A1 */
}

static inline void ttas_acquire(struct ttas_lock *l, struct lock_node *node)
{
	(void)node;
	/* The first attempt goes straight to the exchange: where nobody waits, a load before it
	 * would fetch the line twice, once to read and once to own. */
	if (exchange(&l->held, 1, acquire)) /* A0: acquire; pairs with A1 */
		ttas_wait(l);
}

static inline void ttas_release(struct ttas_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->held, 0, release); /* A1: release; pairs with A0 */
}

static inline void ttas_fini(struct ttas_lock *l)
{
	(void)l;
}

LOCK(ttas, .name = "ttas", .summary = "test-and-test-and-set, exponential backoff",
	.source = "Rudolph & Segall 1984; Anderson 1990", .family = LOCK_SPINNING,
	.standard = true);
