// SPDX-License-Identifier: BSD-2-Clause
// A growing ring: the sequential FIFO queue. For one worker, or under a lock. Two counters that
// only rise say what is in it: no item is ever moved but when the ring doubles.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "atomic.h"

struct ring {
	uint64_t head, tail; // items ever taken and put: their difference is what is there
	uint64_t mask;       // slots, a power of two, less one
	uint64_t *slot;
};

// With room for that many items, a power of two. Returns 0 or a positive errno.
static inline int ring_init(struct ring *r, uint64_t room)
{
	r->head = r->tail = 0;
	r->mask = room - 1;
	r->slot = malloc(room * sizeof *r->slot);
	return r->slot ? 0 : ENOMEM;
}

// Also after a ring_init that failed.
static inline void ring_fini(struct ring *r)
{
	free(r->slot);
	r->slot = NULL;
}

static __attribute__((noinline, unused)) bool ring_grow(struct ring *r)
{
	uint64_t mask = 2 * r->mask + 1;
	uint64_t *more = malloc((mask + 1) * sizeof *more);
	if (!more)
		return false;
	for (uint64_t i = r->head; i != r->tail; i++)
		more[i & mask] = r->slot[i & r->mask];
	free(r->slot);
	r->slot = more;
	r->mask = mask;
	return true;
}

// False: no memory.
static ALWAYS_INLINE bool ring_enqueue(struct ring *r, uint64_t value)
{
	if (r->tail - r->head > r->mask && !ring_grow(r))
		return false;
	r->slot[r->tail++ & r->mask] = value;
	return true;
}

static ALWAYS_INLINE bool ring_dequeue(struct ring *r, uint64_t *value)
{
	if (r->head == r->tail)
		return false;
	*value = r->slot[r->head++ & r->mask];
	return true;
}

// Visits what is in it, oldest first, all workers at rest.
static inline void ring_walk(
	struct ring *r, void (*visit)(void *context, uint64_t value), void *context)
{
	for (uint64_t i = r->head; i != r->tail; i++)
		visit(context, r->slot[i & r->mask]);
}
