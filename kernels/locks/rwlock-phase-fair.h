// SPDX-License-Identifier: BSD-2-Clause
// Phase-fair reader-writer ticket lock (PF-T): readers and writers take turns.
// Guarantees: a writer excludes all others, readers only writers. Writers are served in the order
// in which they came; a reader waits for at most one writer, a writer for at most one phase of
// readers between two writers: neither side can starve the other. Collapses when workers outnumber
// PUs: the turn may belong to a worker that is not running.
// Cost: a reader one fetch-and-add each way, all on one line, which bounds how readers scale; a
// writer three atomics. Use it where the wait must be bounded on both sides.
// Source: Brandenburg & Anderson, "Spin-based reader-writer synchronization for multiprocessor
// real-time systems", Real-Time Systems 2010.
#pragma once

#include "lock.h"

// Readers are counted in the upper bits, modulo their width. The two lowest bits of readers_in tell
// that a writer is present, and the parity of its ticket: a reader waits only while they are as it
// found them, so it passes when the next writer comes, even if it has missed the gap.
enum { PHASE_FAIR_PARITY = 1, PHASE_FAIR_WRITER = 2, PHASE_FAIR_BITS = 3, PHASE_FAIR_READER = 256 };

struct rwlock_phase_fair_lock {
	atomic_uint readers_in, readers_out;
	atomic_uint next, serving; // writers' tickets
};

static inline int rwlock_phase_fair_init(
	struct rwlock_phase_fair_lock *l, const struct lock_team *team)
{
	(void)team;
	atomic_init(&l->readers_in, 0);
	atomic_init(&l->readers_out, 0);
	atomic_init(&l->next, 0);
	atomic_init(&l->serving, 0);
	return 0;
}

static ALWAYS_INLINE unsigned rwlock_phase_fair_mark(unsigned ticket)
{
	return PHASE_FAIR_WRITER | (ticket & PHASE_FAIR_PARITY);
}

static __attribute__((noinline, unused)) void rwlock_phase_fair_wait(
	atomic_uint *word, unsigned value)
{
	while (load(word, acquire) != value) /* A0 or B0, as at the calls */
		cpu_relax();
}

static inline void rwlock_phase_fair_acquire(
	struct rwlock_phase_fair_lock *l, struct lock_node *node)
{
	(void)node;
	/* relaxed: the ticket only decides the order; A0 brings the last writer's writes */
	unsigned ticket = fetch_add(&l->next, 1, relaxed);
	if (load(&l->serving, acquire) != ticket) /* A0: acquire; pairs with A1 */
		rwlock_phase_fair_wait(&l->serving, ticket);
	/* relaxed: a reader that comes later finds the mark and waits for C1; those that came
	 * before are counted in what is returned, and B0 follows each of them */
	unsigned came = fetch_add(&l->readers_in, rwlock_phase_fair_mark(ticket), relaxed);
	if (load(&l->readers_out, acquire) != came) /* B0: acquire; pairs with B1 */
		rwlock_phase_fair_wait(&l->readers_out, came);
}

// The order of the looks matters. Who left is read before who came, so that equal means nobody was
// inside or waiting; and both after `serving`, so that a reader that still waits for an earlier
// writer is among those who came. A ticket may therefore be passed on unused: no reader waits then
// for a writer of the other parity, which alone ends its wait.
static inline bool rwlock_phase_fair_try_acquire(
	struct rwlock_phase_fair_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned ticket = load(&l->serving, acquire);   /* A0: acquire; pairs with A1 */
	unsigned left = load(&l->readers_out, acquire); /* B0: acquire; pairs with B1 */
	unsigned came = left, mine = ticket;
	if (load(&l->readers_in, relaxed) != came) /* relaxed: the last exchange looks again */
		return false;
	/* relaxed: A0 has brought the last writer's writes; nobody can have held it since */
	if (!compare_exchange(&l->next, &mine, ticket + 1, relaxed, relaxed))
		return false;
	/* relaxed: as in acquire */
	if (compare_exchange(
		    &l->readers_in, &came, came + rwlock_phase_fair_mark(ticket), relaxed, relaxed))
		return true;
	store(&l->serving, ticket + 1, release); /* A1: release; pairs with A0 */
	return false;
}

static inline void rwlock_phase_fair_release(
	struct rwlock_phase_fair_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned ticket = load(&l->serving, relaxed); /* relaxed: only the holder writes it */
	/* C1: release; pairs with C0 of the readers, also of those that find the next mark: its
	 * fetch-and-add continues what this one releases */
	fetch_sub(&l->readers_in, rwlock_phase_fair_mark(ticket), release);
	store(&l->serving, ticket + 1, release); /* A1: release; pairs with A0 */
}

static __attribute__((noinline, unused)) void rwlock_phase_fair_read_wait(
	struct rwlock_phase_fair_lock *l, unsigned mark)
{
	while ((load(&l->readers_in, acquire) & PHASE_FAIR_BITS) == mark) /* C0 */
		cpu_relax();
}

static inline void rwlock_phase_fair_read_acquire(
	struct rwlock_phase_fair_lock *l, struct lock_node *node)
{
	(void)node;
	/* C0: acquire; pairs with C1 */
	unsigned mark = fetch_add(&l->readers_in, PHASE_FAIR_READER, acquire) & PHASE_FAIR_BITS;
	if (mark)
		rwlock_phase_fair_read_wait(l, mark);
}

static inline bool rwlock_phase_fair_read_try_acquire(
	struct rwlock_phase_fair_lock *l, struct lock_node *node)
{
	(void)node;
	unsigned came = load(&l->readers_in, relaxed); /* relaxed: the exchange orders */
	do {
		if (came & PHASE_FAIR_BITS)
			return false;
		/* C0: acquire; pairs with C1 */
	} while (!compare_exchange_weak(
		&l->readers_in, &came, came + PHASE_FAIR_READER, acquire, relaxed));
	return true;
}

static inline bool rwlock_phase_fair_read_release(
	struct rwlock_phase_fair_lock *l, struct lock_node *node)
{
	(void)node;
	fetch_add(&l->readers_out, PHASE_FAIR_READER, release); /* B1: release; pairs with B0 */
	return true;
}

static inline void rwlock_phase_fair_fini(struct rwlock_phase_fair_lock *l)
{
	(void)l;
}

LOCK_READS(rwlock_phase_fair)
LOCK(rwlock_phase_fair, .name = "rwlock-phase-fair",
	.summary = "tickets, readers and writers take turns; writers in order",
	.source = "Brandenburg & Anderson 2010", .family = LOCK_READER_WRITER, .standard = true,
	.fifo = true, READS(rwlock_phase_fair));
