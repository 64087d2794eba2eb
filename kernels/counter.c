// SPDX-License-Identifier: BSD-2-Clause
// counter: all workers increment one number. The smallest critical section there is, so the
// cost of sharing itself and nothing else.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "kernel.h"
#include "locks.h"

struct aggregator;

struct counter {
	/* The number and its lock side by side, as one would declare them: one line moves, not two.
	 */
	LINE_ALIGNED uint64_t value;
	_Alignas(LOCK_ALIGN) unsigned char lock[LOCK_SIZE];
	LINE_ALIGNED _Atomic uint64_t atomic_value;
	struct aggregator *aggregator;
};

struct counter_own {
	_Atomic uint64_t count; // written by its worker alone
};

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	struct counter *c = state;
	uint64_t value = c->value; /* in a register, where any compiler keeps it in such a loop */
	for (uint64_t i = 0; i < n; i++) {
		value++;
		keep_in_register(value);
	}
	c->value = value;
	return n;
}

// Load, add, store with nothing in between that would keep two workers apart. Written with
// relaxed atomics, which compile to the plain instructions, so that the race is the program's
// and not the compiler's.
static uint64_t unsynchronized(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	struct counter *c = state;
	for (uint64_t i = 0; i < n; i++)
		store(&c->atomic_value, load(&c->atomic_value, relaxed) + 1, relaxed);
	return n;
}

static inline void increment(void *state, void *unused)
{
	(void)unused;
	((struct counter *)state)->value++;
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct counter *c = state;
	for (uint64_t i = 0; i < n; i++)
		lock_execute(lock, &c->lock, &w->node[0], increment, c, NULL);
	return n;
}
LOCKED_BATCH(global_lock)

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	struct counter *c = state;
	for (uint64_t i = 0; i < n; i++)
		fetch_add(&c->atomic_value, 1, relaxed); /* relaxed: nothing else is published */
	return n;
}

static uint64_t lock_free_cas(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	struct counter *c = state;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t seen = load(&c->atomic_value, relaxed);
		/* relaxed: nothing else is published */
		while (!compare_exchange_weak(&c->atomic_value, &seen, seen + 1, relaxed, relaxed))
			cpu_relax();
	}
	return n;
}

// Every worker counts for itself; whoever wants the total adds them up (see finish).
static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	struct counter_own *own = w->own;
	for (uint64_t i = 0; i < n; i++)
		/* relaxed: one writer, and a reader that accepts any recent value */
		store(&own->count, load(&own->count, relaxed) + 1, relaxed);
	return n;
}

// The aggregator of `private-aggregated`: a detached thread that adds the workers' counts up
// every millisecond and publishes the total, which therefore is a little old (statistical
// counters with an eventually consistent reader: McKenney, "Is Parallel Programming Hard", 5.2).
// Nobody joins it; `leave` tells it that the counters go away, `left` that it will not look at
// them again.
struct aggregator {
	const struct run *run;
	LINE_ALIGNED _Atomic uint64_t total;
	atomic_bool leave, left;
};

static uint64_t sum(const struct run *r)
{
	uint64_t total = 0;
	for (unsigned i = 0; i < r->count; i++) {
		struct counter_own *own = r->workers[i]->own;
		total += load(&own->count, relaxed); /* relaxed: as old as it may be */
	}
	return total;
}

static void *aggregate(void *arg)
{
	struct aggregator *a = arg;
	while (!load(&a->leave, relaxed)) {             /* relaxed: only says when to stop */
		store(&a->total, sum(a->run), relaxed); /* relaxed: the number is all there is */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	store(&a->left, true, release); /* A0: release; pairs with A1 */
	return NULL;
}

static int aggregator_start(struct run *r, struct counter *c)
{
	struct aggregator *a = aligned_alloc(LINE_PAIR, sizeof *a);
	if (!a)
		return ENOMEM;
	a->run = r;
	atomic_init(&a->total, 0);
	atomic_init(&a->leave, false);
	atomic_init(&a->left, false);
	pthread_attr_t detached;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_t thread;
	int rc = pthread_create(&thread, &detached, aggregate, a);
	pthread_attr_destroy(&detached);
	if (rc) {
		free(a);
		return rc;
	}
	c->aggregator = a;
	return 0;
}

static void aggregator_stop(struct aggregator *a)
{
	store(&a->leave, true, relaxed);
	while (!load(&a->left, acquire)) /* A1: acquire; pairs with A0 */
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	free(a);
}

static int create(struct run *r)
{
	struct counter *c = r->state;
	if (r->variant->lock)
		return r->variant->lock->init(&c->lock, r->team);
	if (STRATEGY_IS(r->variant, "private-aggregated"))
		return aggregator_start(r, c);
	return 0;
}

static void destroy(struct run *r)
{
	struct counter *c = r->state;
	if (r->variant->lock)
		r->variant->lock->fini(&c->lock);
	if (c->aggregator)
		aggregator_stop(c->aggregator);
}

// The published total must catch up once the workers rest; a second is a thousand periods.
static uint64_t settled_total(struct aggregator *a, uint64_t expected)
{
	for (int i = 0; i < 1000 && load(&a->total, relaxed) != expected; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return load(&a->total, relaxed); /* relaxed: the number is all there is */
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct counter *c = r->state;
	uint64_t expected = 0;
	for (unsigned i = 0; i < r->count; i++)
		expected += done[i];
	uint64_t counted = c->value + load(&c->atomic_value, relaxed); /* relaxed: all at rest */
	if (c->aggregator)
		counted = settled_total(c->aggregator, expected);
	else if (STRATEGY_IS(r->variant, "private"))
		counted = sum(r);
	return (int64_t)(expected - counted);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	{.strategy = "unsynchronized", .batch = unsynchronized},
	LOCKED_VARIANTS("global-lock", global_lock){.strategy = "lock-free", .batch = lock_free},
	{.strategy = "lock-free-cas", .batch = lock_free_cas},
	{.strategy = "private", .batch = private_batch},
	{.strategy = "private-aggregated", .batch = private_batch},
};

KERNEL(counter, .summary = "one number, incremented by all: the smallest critical section",
	.shared = "one 64-bit number", .standard = true, .unit = "increments",
	.state_size = sizeof(struct counter), .own_size = sizeof(struct counter_own),
	VARIANTS(variants), .create = create, .destroy = destroy, .check = check);
