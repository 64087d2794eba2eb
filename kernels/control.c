// SPDX-License-Identifier: BSD-2-Clause
// control: private arithmetic, nothing shared. What it loses with more workers is what the
// machine takes away from everybody: frequency, heat, SMT siblings, the hypervisor. Charts draw
// it as the attainable line.
#include <stdlib.h>

#include "kernel.h"

struct control_own {
	uint64_t x;
	uint64_t steps;
};

// One step of a 64-bit linear congruential generator (Knuth's MMIX constants): a chain of
// dependent multiply and add that no compiler shortens and no cache disturbs.
static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	struct control_own *own = w->own;
	uint64_t x = own->x;
	for (uint64_t i = 0; i < n; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(x);
	}
	own->x = x;
	own->steps += n;
	return n;
}

// The state after n steps from 0, by jumping ahead in log2(n) steps (F. B. Brown, 1994).
static uint64_t jump(uint64_t n)
{
	uint64_t a = 6364136223846793005u, c = 1442695040888963407u, x = 0;
	for (; n; n >>= 1) {
		if (n & 1)
			x = x * a + c;
		c *= a + 1;
		a *= a;
	}
	return x;
}

static int64_t check(struct run *r, const uint64_t *done)
{
	int64_t lost = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct control_own *own = r->workers[i]->own;
		lost += llabs((int64_t)(done[i] - own->steps));
		if (own->x != jump(done[i]))
			lost++;
	}
	return lost;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = private_batch},
	{.strategy = "private", .batch = private_batch},
};

KERNEL(control, .summary = "private arithmetic: what the machine allows at best",
	.shared = "nothing", .unit = "steps", .own_size = sizeof(struct control_own),
	VARIANTS(variants), .check = check);
