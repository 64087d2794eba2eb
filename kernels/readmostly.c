// SPDX-License-Identifier: BSD-2-Clause
// readmostly: a record that is read far more often than it is changed: where reader-writer locks
// and sequence locks belong. A read copies the whole record and must find it of one piece.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"
#include "locks.h"

enum { WORDS = 8, DRAWN = 1 << 13 };

struct decisions { // drawn before the measurement: the generator costs the workers nothing
	bool update[DRAWN];
};

struct readmostly {
	/* Apart: readers that write the lock must not take the record away from each other. */
	struct any_lock lock;
	/* The number of updates, in each word. Relaxed atomics, which compile to the plain
	 * instructions: an optimistic reader reads while a writer writes. */
	LINE_ALIGNED _Atomic uint64_t word[WORDS];
	LINE_ALIGNED const struct decisions *decisions;
};

struct readmostly_own {
	unsigned at; // next decision
	uint64_t reads, updates;
	uint64_t torn; // reads that found the record of two pieces
};

static int prepare(struct input *in)
{
	double percent;
	int rc = input_number(in, "read-percent", 50, 99.9, &percent);
	if (rc)
		return rc;
	struct decisions *d = malloc(sizeof *d);
	in->data = d;
	if (!d)
		return ENOMEM;
	/* Exactly that share, in random order; the default seed: always the same decisions. */
	for (unsigned i = 0; i < DRAWN; i++)
		d->update[i] = i < (unsigned)lround(DRAWN * (100 - percent) / 100);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_ran_shuffle(rng, d->update, DRAWN, sizeof *d->update);
	gsl_rng_free(rng);
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

static inline void update(void *state, void *unused)
{
	(void)unused;
	struct readmostly *r = state;
	/* relaxed, all: the lock orders them, or nothing does */
	uint64_t updates = load(&r->word[0], relaxed) + 1;
	for (unsigned i = 0; i < WORDS; i++)
		store(&r->word[i], updates, relaxed);
}

static inline void look(void *state, void *differs)
{
	struct readmostly *r = state;
	uint64_t first = load(&r->word[0], relaxed), found = 0; /* relaxed: as above */
	for (unsigned i = 1; i < WORDS; i++)
		found |= load(&r->word[i], relaxed) ^ first;
	*(uint64_t *)differs = found;
}

// Reads under the lock's own verbs for it where there are any, until a read counts.
static ALWAYS_INLINE void shared_look(const struct lock_class *lock, struct readmostly *r,
	struct lock_node *node, uint64_t *differs)
{
	if (!lock->read_acquire) {
		lock_execute(lock, &r->lock, node, look, r, differs);
		return;
	}
	do {
		lock->read_acquire(&r->lock, node);
		look(r, differs);
	} while (!lock->read_release(&r->lock, node));
}

// The text of all strategies: without a lock the race is the program's.
static ALWAYS_INLINE uint64_t work(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct readmostly *r = state;
	struct readmostly_own *own = w->own;
	const bool *decision = r->decisions->update;
	uint64_t updates = 0, torn = 0;
	unsigned at = own->at;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t differs = 0;
		if (decision[at++ % DRAWN]) {
			updates++;
			if (lock)
				lock_execute(lock, &r->lock, &w->node[0], update, r, NULL);
			else
				update(r, NULL);
		} else if (lock) {
			shared_look(lock, r, &w->node[0], &differs);
		} else {
			look(r, &differs);
		}
		torn += differs != 0;
	}
	own->at = at;
	own->updates += updates;
	own->reads += n - updates;
	own->torn += torn;
	return n;
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, lock);
}
LOCKED_BATCH(global_lock)

static uint64_t unlocked(void *state, struct worker *w, uint64_t n)
{
	return work(state, w, n, NULL);
}

static int create(struct run *r)
{
	struct readmostly *m = r->state;
	m->decisions = r->input->data;
	for (unsigned i = 0; i < r->count; i++)
		((struct readmostly_own *)r->workers[i]->own)->at = DRAWN / r->count * i;
	return r->variant->lock ? r->variant->lock->init(&m->lock, r->team) : 0;
}

static void destroy(struct run *r)
{
	if (r->variant->lock)
		r->variant->lock->fini(&((struct readmostly *)r->state)->lock);
}

// Updates that are not in the record, and reads that saw a record that never was.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct readmostly *m = r->state;
	uint64_t updates = 0;
	int64_t lost = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct readmostly_own *own = r->workers[i]->own;
		updates += own->updates;
		lost += (int64_t)own->torn;
		lost += llabs((int64_t)(done[i] - own->reads - own->updates));
	}
	return lost + llabs((int64_t)(updates - load(&m->word[0], relaxed))); /* relaxed: at rest */
}

static const struct variant variants[] = {{.strategy = "sequential", .batch = unlocked},
	{.strategy = "unsynchronized", .batch = unlocked},
	LOCKED_VARIANTS("global-lock", global_lock)};

static const struct param params[] = {
	{"read-percent", "99", "share of operations that only read", "50..99.9 (real)"},
	{0},
};

KERNEL(readmostly, .summary = "one record, read far more often than it is changed",
	.shared = "one record of 8 words", .standard = true, .unit = "operations", .reads = true,
	.state_size = sizeof(struct readmostly), .own_size = sizeof(struct readmostly_own),
	.params = params, VARIANTS(variants), .prepare = prepare, .unprepare = unprepare,
	.create = create, .destroy = destroy, .check = check);
