// SPDX-License-Identifier: BSD-2-Clause
// A relaxed priority queue: some heaps for each worker, each with a lock that nobody waits for. An
// insertion goes to a heap at random; a removal takes from the better of two at random. What it
// gives is among the smallest, not always the smallest; that it is empty is exact.
// Source: H. Rihani, P. Sanders & R. Dementiev, MultiQueues: simple relaxed concurrent priority
// queues, 2015.
#pragma once

#include <errno.h>

#include "atomic.h"
#include "heap.h"

enum { MULTIQUEUE_HEAPS = 2, MULTIQUEUE_TRIES = 16 }; // heaps a worker; before all are looked at
#define MULTIQUEUE_EMPTY UINT64_MAX

struct multiqueue_heap {
	LINE_ALIGNED _Atomic bool busy;
	_Atomic uint64_t least;      // the smallest key in it
	_Atomic uint64_t insertions; // counted after least is written
	struct heap heap;
};

struct multiqueue {
	struct multiqueue_heap *heap;
	unsigned heaps;
};

// A worker's own: where it looks next.
struct multiqueue_worker {
	uint64_t random;
};

static inline int multiqueue_init(struct multiqueue *q, unsigned workers)
{
	q->heaps = MULTIQUEUE_HEAPS * workers;
	q->heap = aligned_alloc(LINE_PAIR, q->heaps * sizeof *q->heap);
	if (!q->heap)
		return ENOMEM;
	memset(q->heap, 0, q->heaps * sizeof *q->heap);
	for (unsigned i = 0; i < q->heaps; i++)
		/* relaxed: no worker is there yet */
		store(&q->heap[i].least, MULTIQUEUE_EMPTY, relaxed);
	return 0;
}

static inline void multiqueue_fini(struct multiqueue *q)
{
	for (unsigned i = 0; q->heap && i < q->heaps; i++)
		heap_fini(&q->heap[i].heap);
	free(q->heap);
	q->heap = NULL;
}

static ALWAYS_INLINE struct multiqueue_heap *multiqueue_random(
	const struct multiqueue *q, struct multiqueue_worker *me)
{
	me->random = me->random * 6364136223846793005u + 1442695040888963407u;
	return &q->heap[(me->random >> 32) * q->heaps >> 32];
}

static ALWAYS_INLINE bool multiqueue_try(struct multiqueue_heap *h)
{
	/* M0: acquire; pairs with M1. Looked at first: a failing exchange takes the line away. */
	return !load(&h->busy, relaxed) && !exchange(&h->busy, true, acquire);
}

static ALWAYS_INLINE void multiqueue_leave(struct multiqueue_heap *h)
{
	store(&h->busy, false, release); /* M1: release; pairs with M0 */
}

static inline void multiqueue_publish(struct multiqueue_heap *h)
{
	/* M2: release; pairs with M4 */
	store(&h->least, h->heap.count ? h->heap.key[0] : MULTIQUEUE_EMPTY, release);
}

// Keys below MULTIQUEUE_EMPTY. False: no memory.
static inline bool multiqueue_insert(
	struct multiqueue *q, struct multiqueue_worker *me, uint64_t key)
{
	struct multiqueue_heap *h = multiqueue_random(q, me);
	while (!multiqueue_try(h))
		h = multiqueue_random(q, me);
	bool done = heap_push(&h->heap, key);
	multiqueue_publish(h);
	/* M3: release; pairs with M4. Only the lock's holder writes it. */
	store(&h->insertions, load(&h->insertions, relaxed) + 1, release);
	multiqueue_leave(h);
	return done;
}

static inline bool multiqueue_take(struct multiqueue_heap *h, uint64_t *key)
{
	if (!multiqueue_try(h))
		return false;
	bool done = heap_pop(&h->heap, key);
	if (done)
		multiqueue_publish(h);
	multiqueue_leave(h);
	return done;
}

// The sum of all insertions, or MULTIQUEUE_EMPTY if a heap was not empty.
static inline uint64_t multiqueue_insertions_if_empty(const struct multiqueue *q)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < q->heaps; i++) {
		/* M4: acquire, both; pair with M3, M2: a key that was counted is seen */
		sum += load(&q->heap[i].insertions, acquire);
		if (load(&q->heap[i].least, acquire) != MULTIQUEUE_EMPTY)
			return MULTIQUEUE_EMPTY;
	}
	return sum;
}

// Whether all were empty at one moment: between two looks in which nothing was inserted.
static __attribute__((noinline, unused)) bool multiqueue_is_empty(const struct multiqueue *q)
{
	uint64_t first = multiqueue_insertions_if_empty(q);
	return first != MULTIQUEUE_EMPTY && multiqueue_insertions_if_empty(q) == first;
}

// By a worker that found two empty heaps often. True: it took something.
static __attribute__((noinline, unused)) bool multiqueue_take_any(
	struct multiqueue *q, uint64_t *key)
{
	for (unsigned i = 0; i < q->heaps; i++)
		if (load(&q->heap[i].least, relaxed) != MULTIQUEUE_EMPTY && /* relaxed: a hint */
			multiqueue_take(&q->heap[i], key))
			return true;
	return false;
}

// False: it is empty.
static inline bool multiqueue_remove(
	struct multiqueue *q, struct multiqueue_worker *me, uint64_t *key)
{
	for (unsigned tries = 0;; tries++) {
		struct multiqueue_heap *a = multiqueue_random(q, me);
		struct multiqueue_heap *b = multiqueue_random(q, me);
		/* relaxed, both: a hint; the lock decides */
		uint64_t least_a = load(&a->least, relaxed), least_b = load(&b->least, relaxed);
		if (least_b < least_a) {
			a = b;
			least_a = least_b;
		}
		if (least_a != MULTIQUEUE_EMPTY && multiqueue_take(a, key))
			return true;
		if (tries % MULTIQUEUE_TRIES < MULTIQUEUE_TRIES - 1)
			continue;
		if (multiqueue_take_any(q, key))
			return true;
		if (multiqueue_is_empty(q))
			return false;
		cpu_relax();
	}
}

static inline bool multiqueue_content(const struct multiqueue *q, uint64_t *count, uint64_t *sum)
{
	bool sound = true;
	for (unsigned i = 0; i < q->heaps; i++)
		sound &= heap_content(&q->heap[i].heap, count, sum);
	return sound;
}
