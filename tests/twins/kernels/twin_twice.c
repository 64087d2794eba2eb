// SPDX-License-Identifier: BSD-2-Clause
// Broken on purpose: `lock-free` counts every millionth operation twice, `private` crashes and
// `rcu` cannot be set up. The check, and the run, must catch each.
#include <errno.h>
#include <signal.h>

#include "kernel.h"

struct twice {
	_Atomic uint64_t value;
};

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	struct twice *t = state;
	for (uint64_t i = 0; i < n; i++)
		fetch_add(&t->value, 1, relaxed);
	return n;
}

static uint64_t twice_now_and_then(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	struct twice *t = state;
	for (uint64_t i = 0; i < n; i++)
		if (fetch_add(&t->value, 1, relaxed) % 1000000 == 0)
			fetch_add(&t->value, 1, relaxed);
	return n;
}

static uint64_t crash(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	(void)w;
	raise(SIGSEGV);
	return n;
}

static int create(struct run *r)
{
	return STRATEGY_IS(r->variant, "rcu") ? ENOMEM : 0;
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct twice *t = r->state;
	uint64_t expected = 0;
	for (unsigned i = 0; i < r->count; i++)
		expected += done[i];
	return (int64_t)(expected - load(&t->value, relaxed));
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	{.strategy = "lock-free", .batch = twice_now_and_then},
	{.strategy = "private", .batch = crash},
	{.strategy = "rcu", .batch = sequential},
};

KERNEL(twin_twice, .summary = "BROKEN: counts twice, crashes, cannot be set up",
	.shared = "one number", .unit = "increments", .state_size = sizeof(struct twice),
	VARIANTS(variants), .create = create, .check = check);
