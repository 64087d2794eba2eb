// SPDX-License-Identifier: BSD-2-Clause
// Arithmetic that takes time and nothing else: a chain of 64-bit linear congruential steps (Knuth's
// MMIX constants), each of which waits for the one before it. No compiler shortens it, no cache
// disturbs it, and where it ends can be told without walking it.
#pragma once

#include "atomic.h"

#define CHAIN_FACTOR 6364136223846793005u
#define CHAIN_SUMMAND 1442695040888963407u

static ALWAYS_INLINE uint64_t chain_step(uint64_t x)
{
	x = x * CHAIN_FACTOR + CHAIN_SUMMAND;
	keep_in_register(x);
	return x;
}

static ALWAYS_INLINE uint64_t chain_walk(uint64_t x, uint64_t steps)
{
	for (uint64_t i = 0; i < steps; i++)
		x = chain_step(x);
	return x;
}

// The same by jumping ahead in log2(steps) steps (F. B. Brown, 1994).
static inline uint64_t chain_jump(uint64_t x, uint64_t steps)
{
	uint64_t a = CHAIN_FACTOR, c = CHAIN_SUMMAND;
	for (; steps; steps >>= 1) {
		if (steps & 1)
			x = x * a + c;
		c *= a + 1;
		a *= a;
	}
	return x;
}
