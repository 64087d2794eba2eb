// SPDX-License-Identifier: BSD-2-Clause
// Memory of objects: free lists by size, one set for an interpreter under its lock, one for each
// thread where there is none. A block keeps its size for ever and its first bytes stay an object's
// header, so that a stale pointer leads to a count that can be looked at (counted_try_take).
// Cost: a pop or a push; a thread that frees what others made gives batches back to a shared pool.
// Source: the idea of Bonwick 2001 (magazines); mimalloc's pages serve CPython 3.13 the same way.
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/atomic.h"

enum {
	HEAP_GRAIN = 16,
	HEAP_LEAST = 32,
	HEAP_MOST = 128, // bytes of a block; what is larger lies beside its object
	HEAP_CLASSES = (HEAP_MOST - HEAP_LEAST) / HEAP_GRAIN + 1,
	HEAP_CHUNK = 16384,
	HEAP_BATCH = 128, // blocks that go to the pool and come from it at once
	HEAP_LINK = 16,   // where a free block's link is: its header's `next`
};

struct heap_list {
	void *free;
	size_t count;        // of blocks on it
	char *carve, *limit; // of the youngest chunk: never used yet
};

struct heap_chunk {
	struct heap_chunk *next;
	unsigned class;
	LINE_ALIGNED char block[];
};

// What the heaps of an interpreter share. All under mutex.
struct heap_pool {
	pthread_mutex_t mutex;
	struct heap_chunk *chunks;
	void *free[HEAP_CLASSES]; // lists
	size_t blocks;            // that exist
	size_t free_blocks;       // of these, on the lists here
};

struct heap {
	struct heap_list list[HEAP_CLASSES];
	struct heap_pool *pool;
	size_t bound; // of a list, above which a batch goes to the pool
};

// Returns 0 or a positive errno.
int heap_pool_init(struct heap_pool *p);
// Frees all memory of its heaps, which are gone.
void heap_pool_fini(struct heap_pool *p);
// alone: no other heap serves the same pool, so that nothing needs to go back.
void heap_init(struct heap *h, struct heap_pool *p, bool alone);
// All its blocks go to the pool.
void heap_fini(struct heap *h);
// Blocks that it could give without asking for more.
size_t heap_free_blocks(const struct heap *h);

static ALWAYS_INLINE void **heap_link(void *block)
{
	return (void **)((char *)block + HEAP_LINK);
}

static ALWAYS_INLINE unsigned heap_class(size_t size)
{
	return size <= HEAP_LEAST ? 0
				  : (unsigned)((size - HEAP_LEAST + HEAP_GRAIN - 1) / HEAP_GRAIN);
}

void *heap_refill(struct heap *h, unsigned class);
void heap_spill(struct heap *h, unsigned class);

// Null where memory is short. A fresh block is zeroed; a used one holds what its last object left.
static ALWAYS_INLINE void *heap_take(struct heap *h, size_t size)
{
	struct heap_list *l = &h->list[heap_class(size)];
	void *block = l->free;
	if (__builtin_expect(!block, 0))
		return heap_refill(h, heap_class(size));
	l->free = *heap_link(block);
	l->count--;
	return block;
}

static ALWAYS_INLINE void heap_give(struct heap *h, void *block, size_t size)
{
	struct heap_list *l = &h->list[heap_class(size)];
	*heap_link(block) = l->free;
	l->free = block;
	if (__builtin_expect(++l->count > h->bound, 0))
		heap_spill(h, heap_class(size));
}
