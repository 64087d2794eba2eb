// SPDX-License-Identifier: BSD-2-Clause
// What the maps have in common: one hash function, so that none has better luck than another, and
// an approximate count of the keys, which tells a growing map when to grow.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "atomic.h"

// Multiplicative hashing (Knuth, The Art of Computer Programming, volume 3, 1973), the high half
// folded onto the low one, which maps use first. No two keys have the same hash.
static ALWAYS_INLINE uint64_t map_hash(uint64_t key)
{
	uint64_t product = key * 0x9E3779B97F4A7C15u;
	return product ^ product >> 32;
}

// The smallest power of two that is not below `least`.
static inline size_t map_power(size_t least)
{
	size_t power = 1;
	while (power < least)
		power *= 2;
	return power;
}

// Workers tell of MAP_COUNT_STEP more or fewer keys at once: a map whose size does not change
// shares next to nothing.
#ifndef MAP_COUNT_STEP /* an exploring build has its own number */
#define MAP_COUNT_STEP 32
#endif

struct map_count_worker {
	LINE_ALIGNED long untold;
};

struct map_count {
	LINE_ALIGNED _Atomic long told;
	LINE_ALIGNED struct map_count_worker *worker;
};

static inline int map_count_init(struct map_count *c, unsigned workers)
{
	store(&c->told, 0, relaxed); /* relaxed: no worker is there yet */
	c->worker = aligned_alloc(LINE_PAIR, workers * sizeof *c->worker);
	if (!c->worker)
		return -1;
	memset(c->worker, 0, workers * sizeof *c->worker);
	return 0;
}

static inline void map_count_fini(struct map_count *c)
{
	free(c->worker);
	c->worker = NULL;
}

// By that worker: one key more, or one fewer (-1). Returns how many there are, as far as is told,
// where this call told of some; else 0.
static inline size_t map_count_add(struct map_count *c, unsigned worker, long change)
{
	struct map_count_worker *w = &c->worker[worker];
	w->untold += change;
	if (w->untold > -MAP_COUNT_STEP && w->untold < MAP_COUNT_STEP)
		return 0;
	/* relaxed: the count publishes nothing but itself */
	long all = fetch_add(&c->told, w->untold, relaxed) + w->untold;
	w->untold = 0;
	return all > 0 ? (size_t)all : 0;
}
