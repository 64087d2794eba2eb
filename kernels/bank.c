// SPDX-License-Identifier: BSD-2-Clause
// bank: workers transfer money between accounts; some accounts are far more popular than
// others (Zipf's law). The invariant is the textbook's: no money appears or vanishes.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"
#include "locks.h"

// An account is one word: the balance in the low half, the number of updates in the high half.
// Adding UPDATE + amount changes both at once, whatever the strategy, so the check can tell
// exactly how many updates were lost and whether money was: the sum of all words is known.
#define UPDATE ((uint64_t)1 << 32)

enum { DRAWN = 1 << 14, AMOUNT_MOST = 100 };

struct transfer {
	uint16_t from, to;
	uint16_t amount;
};

struct orders { // drawn before the measurement: the generator costs the workers nothing
	unsigned accounts;
	struct transfer drawn[DRAWN];
};

struct bank {
	struct any_lock lock; // global-lock
	const struct orders *orders;
	char *accounts; // cells: the word, then (fine-lock) its lock; each on its own line, but for
			// the sequential program, which has no reason to spread them
};

struct bank_own {
	unsigned at; // next drawn transfer
};

static int prepare(struct input *in)
{
	unsigned accounts;
	double theta;
	int rc = input_whole(in, "accounts", 2, UINT16_MAX, &accounts);
	if (!rc)
		rc = input_number(in, "theta", 0, 5, &theta);
	if (rc)
		return rc;
	struct orders *o = malloc(sizeof *o);
	double *weight = calloc(accounts, sizeof *weight);
	in->data = o;
	if (!o || !weight) {
		free(weight);
		return ENOMEM;
	}
	o->accounts = accounts;
	for (unsigned i = 0; i < o->accounts; i++)
		weight[i] = pow(i + 1, -theta);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same bank */
	gsl_ran_discrete_t *law = gsl_ran_discrete_preproc(o->accounts, weight);
	for (unsigned i = 0; i < DRAWN; i++) {
		struct transfer *t = &o->drawn[i];
		t->from = (uint16_t)gsl_ran_discrete(rng, law);
		do
			t->to = (uint16_t)gsl_ran_discrete(rng, law);
		while (t->to == t->from);
		t->amount = (uint16_t)(1 + gsl_rng_uniform_int(rng, AMOUNT_MOST));
	}
	gsl_ran_discrete_free(law);
	gsl_rng_free(rng);
	free(weight);
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

// How far apart accounts lie. Constant in each batch function, so that finding one costs a shift.
enum { COMPACT = sizeof(uint64_t), SPREAD = 64 };

static ALWAYS_INLINE uint64_t *account(struct bank *b, size_t stride, unsigned i)
{
	return (uint64_t *)(b->accounts + i * stride);
}

static size_t stride_of(const struct variant *v)
{
	return STRATEGY_IS(v, "sequential")  ? (size_t)COMPACT
	       : STRATEGY_IS(v, "fine-lock") ? cell_stride(sizeof(uint64_t), v->lock)
					     : (size_t)SPREAD;
}

static ALWAYS_INLINE const struct transfer *next(struct bank *b, struct bank_own *own)
{
	return &b->orders->drawn[own->at++ % DRAWN];
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct bank *b = state;
	for (uint64_t i = 0; i < n; i++) {
		const struct transfer *t = next(b, w->own);
		*account(b, COMPACT, t->from) += UPDATE - t->amount;
		*account(b, COMPACT, t->to) += UPDATE + t->amount;
	}
	return n;
}

static uint64_t unsynchronized(void *state, struct worker *w, uint64_t n)
{
	struct bank *b = state;
	for (uint64_t i = 0; i < n; i++) {
		const struct transfer *t = next(b, w->own);
		_Atomic uint64_t *from = (_Atomic uint64_t *)account(b, SPREAD, t->from);
		_Atomic uint64_t *to = (_Atomic uint64_t *)account(b, SPREAD, t->to);
		/* relaxed loads and stores: the plain instructions; the race is the program's */
		store(from, load(from, relaxed) + UPDATE - t->amount, relaxed);
		store(to, load(to, relaxed) + UPDATE + t->amount, relaxed);
	}
	return n;
}

static inline void carry_out(void *state, void *transfer)
{
	struct bank *b = state;
	const struct transfer *t = transfer;
	*account(b, SPREAD, t->from) += UPDATE - t->amount;
	*account(b, SPREAD, t->to) += UPDATE + t->amount;
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct bank *b = state;
	for (uint64_t i = 0; i < n; i++) {
		const struct transfer *t = next(b, w->own);
		lock_execute(lock, &b->lock, &w->node[0], carry_out, b, (void *)t);
	}
	return n;
}
LOCKED_BATCH(global_lock)

// Both accounts' locks, in the order of their addresses, so that no two workers can wait for
// each other.
static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct bank *b = state;
	const size_t stride = cell_stride(sizeof(uint64_t), lock);
	for (uint64_t i = 0; i < n; i++) {
		const struct transfer *t = next(b, w->own);
		uint64_t *from = account(b, stride, t->from), *to = account(b, stride, t->to);
		void *first = cell_lock(from < to ? from : to, sizeof *from);
		void *second = cell_lock(from < to ? to : from, sizeof *from);
		lock->acquire(first, &w->node[0]);
		lock->acquire(second, &w->node[1]);
		*from += UPDATE - t->amount;
		*to += UPDATE + t->amount;
		lock->release(second, &w->node[1]);
		lock->release(first, &w->node[0]);
	}
	return n;
}
LOCKED_BATCH(fine_lock)

// Two atomic steps: between them the money is on its way, which an auditor reading all
// accounts would notice; nothing is lost in the end.
static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	struct bank *b = state;
	for (uint64_t i = 0; i < n; i++) {
		const struct transfer *t = next(b, w->own);
		/* relaxed: a balance publishes nothing but itself */
		fetch_add((_Atomic uint64_t *)account(b, SPREAD, t->from), UPDATE - t->amount,
			relaxed);
		fetch_add(
			(_Atomic uint64_t *)account(b, SPREAD, t->to), UPDATE + t->amount, relaxed);
	}
	return n;
}

static int create(struct run *r)
{
	struct bank *b = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock");
	b->orders = r->input->data;
	size_t stride = stride_of(r->variant);
	b->accounts = aligned_alloc(LINE_PAIR,
		((size_t)b->orders->accounts * stride + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1));
	if (!b->accounts)
		return ENOMEM;
	memset(b->accounts, 0, b->orders->accounts * stride);
	int rc = lock && !fine ? lock->init(&b->lock, r->team) : 0;
	for (unsigned i = 0; fine && i < b->orders->accounts && !rc; i++)
		rc = lock->init(cell_lock(account(b, stride, i), sizeof(uint64_t)), r->team);
	for (unsigned i = 0; i < r->count; i++)
		((struct bank_own *)r->workers[i]->own)->at = DRAWN / r->count * i;
	return rc;
}

static void destroy(struct run *r)
{
	struct bank *b = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock");
	size_t stride = stride_of(r->variant);
	if (lock && !fine)
		lock->fini(&b->lock);
	for (unsigned i = 0; fine && b->accounts && i < b->orders->accounts; i++)
		lock->fini(cell_lock(account(b, stride, i), sizeof(uint64_t)));
	free(b->accounts);
}

// The words must add up to no money and two updates a transfer. A missing update whose amount
// is still there, or the reverse, cannot be: they are one word.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct bank *b = r->state;
	uint64_t transfers = 0, total = 0;
	size_t stride = stride_of(r->variant);
	for (unsigned i = 0; i < r->count; i++)
		transfers += done[i];
	for (unsigned i = 0; i < b->orders->accounts; i++)
		total += *account(b, stride, i);
	int64_t missing = (int64_t)(2 * transfers * UPDATE - total);
	int32_t money = (int32_t)(uint32_t)(uint64_t)missing;
	int64_t updates = (missing - money) >> 32;
	/* In transfers: one that lost either of its updates did not take effect. */
	return updates ? (updates + (updates > 0)) / 2 : llabs((int64_t)money);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	{.strategy = "unsynchronized", .batch = unsynchronized},
	LOCKED_VARIANTS("global-lock", global_lock) LOCKED_VARIANTS("fine-lock", fine_lock){
		.strategy = "lock-free", .batch = lock_free},
};

static const struct param params[] = {
	{"accounts", "1024", "number of accounts", "2..65535"},
	{"theta", "0.99", "skew of Zipf's law; 0: all accounts alike", "0..5 (real)"},
	{0},
};

KERNEL(bank, .summary = "transfers between accounts, some far more popular than others",
	.shared = "1024 accounts", .standard = true, .unit = "transfers",
	.state_size = sizeof(struct bank), .own_size = sizeof(struct bank_own), .params = params,
	VARIANTS(variants), .prepare = prepare, .unprepare = unprepare, .create = create,
	.destroy = destroy, .check = check);
