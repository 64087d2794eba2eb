// SPDX-License-Identifier: BSD-2-Clause
// Sequence lock: readers write nothing; they read again where a writer came between.
// Guarantees: writers exclude each other and spoil what readers read meanwhile, which
// read_release tells; no order; a stream of writers keeps readers reading again. What is read may
// be torn until then: copy it, follow no pointer in it. Writers spin, so it collapses when workers
// outnumber PUs and writers are frequent.
// Cost: a reader two loads of a line that only writers change, no atomic; a writer one
// compare-and-swap and a plain store. Use it for small data that is read far more than written.
// Source: S. Hemminger, Linux 2.5, 2002; the orderings: Boehm, "Can seqlocks get along with
// programming language memory models?", MSPC 2012.
#pragma once

#include "lock.h"

struct seqlock_lock {
	_Atomic uint64_t sequence; // odd while a writer is inside; never comes round in practice
};

struct seqlock_node {
	uint64_t sequence; // when the reader began: even
};

enum { SEQLOCK_PAUSES_FIRST = 64, SEQLOCK_PAUSES_MOST = 2048 };

// Fences order the data's relaxed accesses, which are the kernel's, and cost no instruction on
// x86. ThreadSanitizer does not model them, which gcc warns of; it misses nothing here, since
// relaxed atomics do not race.
#if defined __SANITIZE_THREAD__ && !defined __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static ALWAYS_INLINE void seqlock_release_fence(void)
{
	atomic_thread_fence(memory_order_release);
}

static ALWAYS_INLINE void seqlock_acquire_fence(void)
{
	atomic_thread_fence(memory_order_acquire);
}
#if defined __SANITIZE_THREAD__ && !defined __clang__
#pragma GCC diagnostic pop
#endif

static inline int seqlock_init(struct seqlock_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->sequence, 0);
	return 0;
}

static inline bool seqlock_try_acquire(struct seqlock_lock *l, struct lock_node *node)
{
	(void)node;
	uint64_t seen = load(&l->sequence, relaxed); /* relaxed: the exchange orders */
	/* A0: acquire; pairs with A1 of the last writer */
	if (seen & 1 || !compare_exchange(&l->sequence, &seen, seen + 1, acquire, relaxed))
		return false;
	/* B0: a reader that sees any of the writes to come finds, after B1, this sequence */
	seqlock_release_fence();
	return true;
}

static __attribute__((noinline, unused)) void seqlock_wait(
	struct seqlock_lock *l, struct lock_node *node)
{
	unsigned pauses = SEQLOCK_PAUSES_FIRST;
	do {
		for (unsigned i = 0; i < pauses; i++)
			cpu_relax();
		if (pauses < SEQLOCK_PAUSES_MOST)
			pauses *= 2;
	} while (!seqlock_try_acquire(l, node));
}

static inline void seqlock_acquire(struct seqlock_lock *l, struct lock_node *node)
{
	if (!seqlock_try_acquire(l, node))
		seqlock_wait(l, node);
}

static inline void seqlock_release(struct seqlock_lock *l, struct lock_node *node)
{
	(void)node;
	/* relaxed load: only the holder writes it. A1: release; pairs with A0 */
	store(&l->sequence, load(&l->sequence, relaxed) + 1, release);
}

static inline bool seqlock_read_try_acquire(struct seqlock_lock *l, struct lock_node *node)
{
	uint64_t seen = load(&l->sequence, acquire); /* A0: acquire; pairs with A1 */
	((struct seqlock_node *)node)->sequence = seen;
	return !(seen & 1);
}

static __attribute__((noinline, unused)) void seqlock_read_wait(
	struct seqlock_lock *l, struct lock_node *node)
{
	do
		cpu_relax();
	while (!seqlock_read_try_acquire(l, node));
}

static inline void seqlock_read_acquire(struct seqlock_lock *l, struct lock_node *node)
{
	if (!seqlock_read_try_acquire(l, node))
		seqlock_read_wait(l, node);
}

static inline bool seqlock_read_release(struct seqlock_lock *l, struct lock_node *node)
{
	/* B1: pairs with B0, through whichever of a writer's words was read */
	seqlock_acquire_fence();
	/* relaxed: B1 keeps it behind the reads */
	return load(&l->sequence, relaxed) == ((struct seqlock_node *)node)->sequence;
}

static inline void seqlock_fini(struct seqlock_lock *l)
{
	(void)l;
}

LOCK_READS(seqlock)
LOCK(seqlock, .name = "seqlock", .summary = "readers write nothing, and read again after a writer",
	.source = "Hemminger 2002; Boehm 2012", .family = LOCK_READER_WRITER, .standard = true,
	READS(seqlock));
