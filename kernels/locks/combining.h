// SPDX-License-Identifier: BSD-2-Clause
// Flat combining: whoever has the lock runs the sections of all that wait for it.
// Guarantees: mutual exclusion; no order. A section runs on whichever worker has the lock, so it
// must not acquire a lock itself. Acquire and release are a plain spin lock's, and exclude
// sections too. Collapses when workers outnumber PUs: waiters spin.
// Cost: uncontended, execute is one exchange and one look more than the section. Contended, the
// data stays in the combiner's cache, and a section costs two transfers of its worker's own line
// and one shared atomic. A line pair per worker. Use it for short sections on a few hot lines.
// Source: Hendler, Incze, Shavit & Tzafrir, SPAA 2010. Instead of a list of publication records
// there is a record per worker and a bit that tells that it is published.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lock.h"

// Its worker's while the bit is clear and `waiting` is false; the combiner's from the bit's
// clearing until it ends `waiting`.
struct combining_record {
	LINE_ALIGNED void (*section)(void *state, void *argument);
	void *state, *argument;
	atomic_bool waiting;
};

enum { COMBINING_WORD = 64 };
struct combining_word {
	LINE_ALIGNED _Atomic uint64_t
		published; // a bit per worker, set by it, cleared by the holder
};

struct combining_lock {
	atomic_uint held;
	unsigned words;
	struct combining_word *word;
	struct combining_record *record;
};

enum {
	/* The holder does others' work while its own waits, so not for long; who is not served
	 * takes the lock himself. */
	COMBINING_PASSES = 3,
	/* A waiter looks whether the lock is free as seldom as this many pauses: each look takes a
	 * line from the holder. */
	COMBINING_PAUSES = 8,
	COMBINING_PAUSES_FIRST = 64,
	COMBINING_PAUSES_MOST = 2048,
};

static inline int combining_init(struct combining_lock *l, const struct lock_team *team)
{
	atomic_init(&l->held, 0);
	l->words = (team->workers + COMBINING_WORD - 1) / COMBINING_WORD;
	l->word = aligned_alloc(LINE_PAIR, l->words * sizeof *l->word);
	l->record = aligned_alloc(LINE_PAIR, team->workers * sizeof *l->record);
	if (!l->word || !l->record) {
		free(l->word);
		free(l->record);
		l->word = NULL; /* for fini */
		l->record = NULL;
		return ENOMEM;
	}
	for (unsigned i = 0; i < l->words; i++)
		atomic_init(&l->word[i].published, 0);
	for (unsigned i = 0; i < team->workers; i++)
		atomic_init(&l->record[i].waiting, false);
	return 0;
}

static inline bool combining_try_acquire(struct combining_lock *l, struct lock_node *node)
{
	(void)node;
	/* relaxed: a hint; where many wait, an exchange in vain would take the holder's line */
	return !load(&l->held, relaxed) && !exchange(&l->held, 1, acquire); /* A0: pairs with A1 */
}

static __attribute__((noinline, unused)) void combining_wait(
	struct combining_lock *l, struct lock_node *node)
{
	unsigned pauses = COMBINING_PAUSES_FIRST;
	do {
		for (unsigned i = 0; i < pauses; i++)
			cpu_relax();
		if (pauses < COMBINING_PAUSES_MOST)
			pauses *= 2;
	} while (!combining_try_acquire(l, node));
}

static inline void combining_acquire(struct combining_lock *l, struct lock_node *node)
{
	if (!combining_try_acquire(l, node))
		combining_wait(l, node);
}

static inline bool combining_published(struct combining_lock *l)
{
	uint64_t any = 0;
	for (unsigned i = 0; i < l->words; i++)
		/* relaxed: a hint; whoever publishes later finds the lock free */
		any |= load(&l->word[i].published, relaxed);
	return any != 0;
}

// By the holder: runs the sections of one word's workers.
static inline void combining_serve_word(struct combining_lock *l, unsigned word)
{
	/* relaxed: a hint, as above */
	if (!load(&l->word[word].published, relaxed))
		return;
	/* B1: acquire; pairs with B0 of each bit: the atomics on the word are one chain */
	uint64_t bits = exchange(&l->word[word].published, 0, acquire);
	for (; bits; bits &= bits - 1) {
		struct combining_record *r =
			&l->record[word * COMBINING_WORD + (unsigned)__builtin_ctzll(bits)];
		r->section(r->state, r->argument);
		store(&r->waiting, false, release); /* C0: release; pairs with C1 */
	}
}

// By the holder: serves all that was published before the call, and a little of what comes after.
static __attribute__((noinline, unused)) void combining_serve(struct combining_lock *l)
{
	unsigned passes = COMBINING_PASSES;
	do
		for (unsigned i = 0; i < l->words; i++)
			combining_serve_word(l, i);
	while (--passes && combining_published(l));
}

static inline void combining_release(struct combining_lock *l, struct lock_node *node)
{
	(void)node;
	if (combining_published(l))
		combining_serve(l);
	store(&l->held, 0, release); /* A1: release; pairs with A0 */
}

// Publishes the section and waits until somebody has run it, which may be ourselves.
static __attribute__((noinline, unused)) void combining_publish(struct combining_lock *l,
	struct lock_node *node, void (*section)(void *state, void *argument), void *state,
	void *argument)
{
	struct combining_record *mine = &l->record[node->worker];
	mine->section = section;
	mine->state = state;
	mine->argument = argument;
	store(&mine->waiting, true, relaxed); /* relaxed: B0 publishes it */
	/* B0: release; pairs with B1. The bit is clear, so adding sets it. */
	fetch_add(&l->word[node->worker / COMBINING_WORD].published,
		UINT64_C(1) << node->worker % COMBINING_WORD, release);
	for (unsigned pauses = 1; load(&mine->waiting, acquire); pauses++) { /* C1: pairs with C0 */
		cpu_relax();
		/* Who has the lock and is not served yet is served by its own release. */
		if (pauses % COMBINING_PAUSES == 0 && combining_try_acquire(l, node))
			combining_release(l, node);
	}
}

static ALWAYS_INLINE void combining_execute(struct combining_lock *l, struct lock_node *node,
	void (*section)(void *state, void *argument), void *state, void *argument)
{
	if (combining_try_acquire(l, node)) {
		section(state, argument);
		combining_release(l, node);
	} else {
		combining_publish(l, node, section, state, argument);
	}
}

static inline void combining_fini(struct combining_lock *l)
{
	free(l->word);
	free(l->record);
}

LOCK_EXECUTE(combining)
LOCK(combining, .name = "combining",
	.summary = "flat combining: the holder runs all waiters' sections",
	.source = "Hendler, Incze, Shavit & Tzafrir 2010", .family = LOCK_DELEGATION,
	.standard = true, .single = true, EXECUTES(combining));
