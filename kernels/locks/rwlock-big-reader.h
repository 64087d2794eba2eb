// SPDX-License-Identifier: BSD-2-Clause
// Big-reader lock: each worker says in a word of its own that it reads; a writer looks at all.
// Guarantees: a writer excludes all others, readers only writers; no order; a stream of writers
// keeps readers out. Collapses when workers outnumber PUs: waiters spin.
// Cost: a reader one sequentially consistent store to its own line and a look at a word that only
// writers change, so readers scale perfectly; a writer visits a line per worker, however few read.
// A line pair per worker. Use it where writers are very rare.
// Source: the brlock of Linux 2.4 (I. Molnar and D. Miller); Hsieh & Weihl, IPPS 1992.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lock.h"

struct rwlock_big_reader_flag {
	LINE_ALIGNED atomic_uint reading; // written by its worker alone
};

struct rwlock_big_reader_lock {
	atomic_uint writing; // the writers' lock
	unsigned workers;
	struct rwlock_big_reader_flag *reader; // one per worker
};

enum { BIG_READER_PAUSES_FIRST = 64, BIG_READER_PAUSES_MOST = 2048 };

static inline int rwlock_big_reader_init(
	struct rwlock_big_reader_lock *l, const struct lock_team *team)
{
	atomic_init(&l->writing, 0);
	l->workers = team->workers;
	l->reader = aligned_alloc(LINE_PAIR, team->workers * sizeof *l->reader);
	if (!l->reader)
		return ENOMEM;
	for (unsigned i = 0; i < team->workers; i++)
		atomic_init(&l->reader[i].reading, 0);
	return 0;
}

// A0 and A1 below, B0 and B1 below are two pairs of a store by one side and a load by the other,
// all sequentially consistent: in their one order either the reader's store comes before the
// writer's look, which then finds it, or the writer's store before the reader's. So they cannot
// miss each other. Whoever finds the other inside and waits is ordered by C or D.

static inline bool rwlock_big_reader_nobody_reads(struct rwlock_big_reader_lock *l)
{
	for (unsigned i = 0; i < l->workers; i++)
		/* B1: looks for B0; C0: acquire; pairs with C1 */
		if (load(&l->reader[i].reading, seq_cst))
			return false;
	return true;
}

static inline void rwlock_big_reader_wait_for_readers(struct rwlock_big_reader_lock *l)
{
	for (unsigned i = 0; i < l->workers; i++)
		while (load(&l->reader[i].reading, seq_cst)) /* B1, C0 */
			cpu_relax();
}

static __attribute__((noinline, unused)) void rwlock_big_reader_wait(
	struct rwlock_big_reader_lock *l)
{
	unsigned pauses = BIG_READER_PAUSES_FIRST;
	do {
		do {
			for (unsigned i = 0; i < pauses; i++)
				cpu_relax();
			if (pauses < BIG_READER_PAUSES_MOST)
				pauses *= 2;
		} while (load(&l->writing, relaxed)); /* relaxed: the exchange orders */
	} while (exchange(&l->writing, 1, seq_cst));  /* A0, D0 */
}

static inline void rwlock_big_reader_acquire(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	(void)node;
	/* A0: seen by A1, or else B1 sees B0; D0: acquire; pairs with D1 */
	if (exchange(&l->writing, 1, seq_cst))
		rwlock_big_reader_wait(l);
	rwlock_big_reader_wait_for_readers(l);
}

static inline void rwlock_big_reader_release(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	(void)node;
	store(&l->writing, 0, release); /* D1: release; pairs with D0 */
}

static inline bool rwlock_big_reader_try_acquire(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	/* relaxed: only a hint whether the exchange is worth its price */
	if (load(&l->writing, relaxed) || exchange(&l->writing, 1, seq_cst)) /* A0, D0 */
		return false;
	if (rwlock_big_reader_nobody_reads(l))
		return true;
	rwlock_big_reader_release(l, node);
	return false;
}

static inline bool rwlock_big_reader_read_try_acquire(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	atomic_uint *mine = &l->reader[node->worker].reading;
	store(mine, 1, seq_cst); /* B0: seen by B1, or else A1 sees A0 */
	/* A1: looks for A0; D0: acquire; pairs with D1 */
	if (!load(&l->writing, seq_cst))
		return true;
	store(mine, 0, release); /* C1: release; for what this worker read before */
	return false;
}

static __attribute__((noinline, unused)) void rwlock_big_reader_read_wait(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	do
		while (load(&l->writing, relaxed)) /* relaxed: A1 looks again */
			cpu_relax();
	while (!rwlock_big_reader_read_try_acquire(l, node));
}

static inline void rwlock_big_reader_read_acquire(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	if (!rwlock_big_reader_read_try_acquire(l, node))
		rwlock_big_reader_read_wait(l, node);
}

static inline bool rwlock_big_reader_read_release(
	struct rwlock_big_reader_lock *l, struct lock_node *node)
{
	store(&l->reader[node->worker].reading, 0, release); /* C1: release; pairs with C0 */
	return true;
}

static inline void rwlock_big_reader_fini(struct rwlock_big_reader_lock *l)
{
	free(l->reader);
}

LOCK_READS(rwlock_big_reader)
LOCK(rwlock_big_reader, .name = "rwlock-big-reader",
	.summary = "a line per reader; a writer looks at all of them",
	.source = "Hsieh & Weihl 1992; Linux 2.4 brlock", .family = LOCK_READER_WRITER,
	.single = true, READS(rwlock_big_reader));
