// SPDX-License-Identifier: BSD-2-Clause
// control: private arithmetic, nothing shared. What it loses with more workers is what the
// machine takes away from everybody: frequency, heat, SMT siblings, the hypervisor. Charts draw
// it as the attainable line.
#include <stdlib.h>

#include "chain.h"
#include "kernel.h"

// Four chains side by side: each step waits for the one before it, and together they keep the
// multiplier busy every cycle. One chain alone would leave room for an SMT sibling and so hide
// what it takes.
enum { CHAINS = 4 };

struct control_own {
	uint64_t x[CHAINS];
	uint64_t steps;
};

static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	struct control_own *own = w->own;
	uint64_t a = own->x[0], b = own->x[1], c = own->x[2], d = own->x[3];
	for (uint64_t i = 0; i < n; i++) {
		a = chain_step(a);
		b = chain_step(b);
		c = chain_step(c);
		d = chain_step(d);
	}
	own->x[0] = a;
	own->x[1] = b;
	own->x[2] = c;
	own->x[3] = d;
	own->steps += n;
	return n;
}

// Each chain begins elsewhere, so that none can stand in for another.
static int create(struct run *r)
{
	for (unsigned i = 0; i < r->count; i++)
		for (unsigned chain = 0; chain < CHAINS; chain++)
			((struct control_own *)r->workers[i]->own)->x[chain] = chain;
	return 0;
}

static int64_t check(struct run *r, const uint64_t *done)
{
	int64_t lost = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct control_own *own = r->workers[i]->own;
		lost += llabs((int64_t)(done[i] - own->steps));
		for (unsigned chain = 0; chain < CHAINS; chain++)
			lost += own->x[chain] != chain_jump(chain, done[i]);
	}
	return lost;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = private_batch},
	{.strategy = "private", .batch = private_batch},
};

KERNEL(control, .summary = "private arithmetic: what the machine allows at best",
	.shared = "nothing", .standard = true, .unit = "steps",
	.own_size = sizeof(struct control_own), VARIANTS(variants), .create = create,
	.check = check);
