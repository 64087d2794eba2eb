// SPDX-License-Identifier: BSD-2-Clause
// Two generators of random numbers. splitmix64: a counter and a mixing function, so one addition
// is all that is shared. xoshiro256**: period 2^256 - 1, and a jump over 2^128 numbers, which
// gives each worker a stretch of its own.
// Sources: G. Steele, D. Lea & C. Flood, Fast splittable pseudorandom number generators, 2014;
// D. Blackman & S. Vigna, Scrambled linear pseudorandom number generators, 2021.
#pragma once

#include "atomic.h"

#define SPLITMIX_STEP UINT64_C(0x9e3779b97f4a7c15) // the golden ratio, odd

// The number that belongs to a value of the counter.
static ALWAYS_INLINE uint64_t splitmix_of(uint64_t counter)
{
	counter = (counter ^ (counter >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	counter = (counter ^ (counter >> 27)) * UINT64_C(0x94d049bb133111eb);
	return counter ^ (counter >> 31);
}

static ALWAYS_INLINE uint64_t splitmix_next(uint64_t *counter)
{
	*counter += SPLITMIX_STEP;
	return splitmix_of(*counter);
}

struct xoshiro {
	uint64_t s[4]; // not all 0
};

static ALWAYS_INLINE uint64_t xoshiro_rotate(uint64_t x, unsigned left)
{
	return x << left | x >> (64 - left);
}

static ALWAYS_INLINE uint64_t xoshiro_next(struct xoshiro *x)
{
	uint64_t *s = x->s;
	uint64_t number = xoshiro_rotate(s[1] * 5, 7) * 9;
	uint64_t carried = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= carried;
	s[3] = xoshiro_rotate(s[3], 45);
	return number;
}

static inline void xoshiro_seed(struct xoshiro *x, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		x->s[i] = splitmix_next(&seed);
}

// As 2^128 calls of xoshiro_next. The generator is linear over GF(2): these bits are the
// coefficients of the polynomial that 2^128 steps amount to.
static inline void xoshiro_jump(struct xoshiro *x)
{
	static const uint64_t jump[4] = {UINT64_C(0x180ec6d33cfd0aba), UINT64_C(0xd5a61266f0c9392c),
		UINT64_C(0xa9582618e03fc9aa), UINT64_C(0x39abdc4529b1661c)};
	struct xoshiro sum = {{0}};
	for (unsigned bit = 0; bit < 256; bit++) {
		if (jump[bit / 64] >> bit % 64 & 1)
			for (unsigned i = 0; i < 4; i++)
				sum.s[i] ^= x->s[i];
		xoshiro_next(x);
	}
	*x = sum;
}
