// SPDX-License-Identifier: BSD-2-Clause
// A lock of one byte: a bit for held, a bit for parked. Waiters look a few times, then sleep in a
// queue that is kept apart from the lock, in a table hashed by the lock's address.
// Guarantees: mutual exclusion; a running worker may overtake a woken one, but not for long: who
// has waited for a millisecond is handed the lock when its turn in the queue comes. Works
// oversubscribed.
// Cost: one compare-and-swap each way uncontended, inlined; a clock and two short locks of the
// table where it sleeps. The table, 32 KiB, belongs to the process: locks whose addresses hash
// alike share a queue and its lock, which costs time, never correctness.
// Use it where there are many locks, few of them contended: one in each object.
// Source: Pizlo, "Locking in WebKit", 2016 (WTF::Lock, WTF::ParkingLot); CPython's PyMutex.
#pragma once

#include "kernels/futex.h"
#include "kernels/locks/futex.h"
#include "lock.h"

enum { PARKING_HELD = 1, PARKING_PARKED = 2 };

// PARKED is set by a worker about to park, and cleared under the bucket's lock by the holder that
// takes the last waiter from the queue.
struct parking_lock {
	atomic_uchar state;
};

// In the worker's node, or on its stack. The waiter writes it before it is in the queue, the holder
// that took it out of the queue until it sets `woken`; then it is the waiter's again.
struct parking_waiter {
	struct parking_waiter *next;
	const struct parking_lock *lock;
	uint64_t since; // when it began to wait for the lock, not for its turn in the queue
	bool holds;     // the lock was handed over
	atomic_uint woken;
};

struct parking_bucket {
	LINE_ALIGNED struct futex_lock lock; // of what follows
	struct parking_waiter *first, *last;
};

enum {
	PARKING_BUCKET_BITS = 8,
	PARKING_FAIR_NS = 1000000,
	/* as in `futex`: six looks within 248 pauses, about the price of a sleep */
	PARKING_PAUSES_FIRST = 8,
	PARKING_PAUSES_MOST = 128,
};

// Weak: one table, however many files include this one.
__attribute__((weak)) struct parking_bucket parking_lot[1 << PARKING_BUCKET_BITS];

static inline struct parking_bucket *parking_bucket(const struct parking_lock *l)
{
	/* Fibonacci hashing (Knuth 1973): the upper bits of a product depend on all bits. */
	uint64_t hash = (uint64_t)(uintptr_t)l * 0x9e3779b97f4a7c15u;
	return &parking_lot[hash >> (64 - PARKING_BUCKET_BITS)];
}

static inline int parking_init(struct parking_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->state, 0);
	return 0;
}

// Whether it took the lock; what others have parked stays as it is. *seen is what it found.
static inline bool parking_take(struct parking_lock *l, unsigned char *seen)
{
	*seen = load(&l->state, relaxed); /* relaxed: the exchange orders */
	while (!(*seen & PARKING_HELD))
		/* A0: acquire; pairs with A1 */
		if (compare_exchange(&l->state, seen, *seen | PARKING_HELD, acquire, relaxed))
			return true;
	return false;
}

// As parking_take, a few times; gives up at once where others have parked.
static inline bool parking_look(struct parking_lock *l, unsigned char *seen)
{
	for (unsigned pauses = PARKING_PAUSES_FIRST;; pauses *= 2) {
		if (parking_take(l, seen))
			return true;
		if ((*seen & PARKING_PARKED) || pauses > PARKING_PAUSES_MOST)
			return false;
		for (unsigned i = 0; i < pauses; i++)
			cpu_relax();
	}
}

// Joins the queue, unless the lock was released meanwhile: its holder would not look there again.
static inline bool parking_enqueue(struct parking_lock *l, struct parking_waiter *me)
{
	struct parking_bucket *b = parking_bucket(l);
	futex_acquire(&b->lock, NULL);
	/* relaxed: with PARKED set, HELD is cleared under the bucket's lock only */
	bool wait = load(&l->state, relaxed) == (PARKING_HELD | PARKING_PARKED);
	if (wait) {
		me->next = NULL;
		me->lock = l;
		me->holds = false;
		store(&me->woken, 0, relaxed); /* relaxed: the bucket's lock publishes it */
		if (b->last)
			b->last->next = me;
		else
			b->first = me;
		b->last = me;
	}
	futex_release(&b->lock, NULL);
	return wait;
}

// Returns whether the lock was handed over.
static inline bool parking_park(struct parking_lock *l, struct parking_waiter *me)
{
	if (!parking_enqueue(l, me))
		return false;
	while (!load(&me->woken, acquire)) /* B1: acquire; pairs with B0 */
		futex_wait(&me->woken, 0, 0);
	return me->holds;
}

static __attribute__((noinline, unused)) void parking_acquire_slowly(
	struct parking_lock *l, struct parking_waiter *me)
{
	unsigned char seen;
	me->since = 0;
	while (!parking_look(l, &seen)) {
		if (!me->since)
			me->since = futex_now_ns();
		/* relaxed: only a hint to the holder, who looks again under the bucket's lock */
		if (!(seen & PARKING_PARKED) && !compare_exchange(&l->state, &seen,
							seen | PARKING_PARKED, relaxed, relaxed))
			continue;
		if (parking_park(l, me))
			return;
	}
}

// Whether the lock was free, and nobody parked: it is ours then.
static ALWAYS_INLINE bool parking_acquire_free(struct parking_lock *l)
{
	unsigned char expected = 0;
	/* A0: acquire; pairs with A1 */
	return compare_exchange(&l->state, &expected, PARKING_HELD, acquire, relaxed);
}

static inline void parking_acquire(struct parking_lock *l, struct lock_node *node)
{
	if (!parking_acquire_free(l))
		parking_acquire_slowly(l, (struct parking_waiter *)node);
}

static inline bool parking_try_acquire(struct parking_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned char seen;
	return parking_take(l, &seen);
}

// Takes the lock's first waiter out of the queue; *more says whether it has another.
static inline struct parking_waiter *parking_dequeue(
	struct parking_bucket *b, const struct parking_lock *l, bool *more)
{
	struct parking_waiter *before = NULL, *w = b->first, *after;
	for (; w && w->lock != l; w = w->next)
		before = w;
	*more = false;
	if (!w)
		return NULL;
	for (after = w->next; after && after->lock != l; after = after->next)
		;
	*more = after;
	if (before)
		before->next = w->next;
	else
		b->first = w->next;
	if (b->last == w)
		b->last = before;
	return w;
}

// With PARKED set nobody but us writes the state while we hold it: stores will do.
static __attribute__((noinline, unused)) void parking_release_slowly(struct parking_lock *l)
{
	struct parking_bucket *b = parking_bucket(l);
	bool more;
	futex_acquire(&b->lock, NULL);
	struct parking_waiter *first = parking_dequeue(b, l, &more);
	if (first)
		first->holds = futex_now_ns() - first->since >= PARKING_FAIR_NS;
	unsigned char parked = more ? PARKING_PARKED : 0;
	if (first && first->holds)
		store(&l->state, parked | PARKING_HELD, relaxed); /* relaxed: B0 hands over */
	else
		store(&l->state, parked, release); /* A1: release; pairs with A0 */
	futex_release(&b->lock, NULL);
	if (!first)
		return;
	store(&first->woken, 1, release); /* B0: release; pairs with B1 */
	/* The waiter may be gone already; waking its word is then one wake-up too many. */
	futex_wake(&first->woken, 1);
}

static inline void parking_release(struct parking_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned char expected = PARKING_HELD;
	/* A1: release; pairs with A0 */
	if (!compare_exchange(&l->state, &expected, 0, release, relaxed))
		parking_release_slowly(l);
}

static inline void parking_fini(struct parking_lock *l)
{
	(void)l;
}

LOCK(parking, .name = "parking",
	.summary = "one byte, sleepers queue elsewhere; handed over after 1 ms",
	.source = "Pizlo 2016", .family = LOCK_BLOCKING, .sleeps = true);
