// SPDX-License-Identifier: BSD-2-Clause
// Memory for the nodes of one structure, all of one size: a free list per worker, so that getting
// and putting back costs a few instructions and no atomic access. A worker that gets back more than
// it hands out passes them on by the batch. Memory is bounded by the most nodes that were ever in
// use at once, and a batch or two per worker.
// Checking builds take each node from malloc, where a use after free is noticed.
// Stable nodes (nodes_init_stable) stay nodes for ever, though free ones: for structures that may
// read one after it was put back, and then notice.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "atomic.h"

#ifndef NODES_BATCH           /* an exploring build has its own numbers */
#define NODES_BATCH 256       // nodes passed on at once
#define NODES_CHUNK (1 << 16) // bytes at a time
#endif

struct nodes_free {                              // what a node is while it is free
	_Atomic(struct nodes_free *) next_batch; // of the first of a batch
	struct nodes_free *next;
};

struct nodes_worker {
	LINE_ALIGNED struct nodes_free *first;
	struct nodes_free *full; // a whole batch, kept for lean times; or null
	unsigned count;          // in first
	char *chunk, *chunk_end; // never used yet
};

struct nodes_chunk {
	LINE_ALIGNED struct nodes_chunk *next;
};

struct nodes {
	size_t size; // of a node: a multiple of 16
	unsigned workers;
	struct nodes_worker *worker;
	pthread_mutex_t mutex; // of the rest, which are needed once a batch
	struct nodes_free *batches;
	struct nodes_chunk *chunks;
	char *arena; // of stable nodes; else null
	size_t arena_used, arena_size;
};

#if defined NODES_MALLOC /* an exploring build says */
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || defined NODES_FROM_MALLOC
#define NODES_MALLOC 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NODES_MALLOC 1
#endif
#endif
#ifndef NODES_MALLOC
#define NODES_MALLOC 0
#endif

// Nodes of at least `size` bytes, aligned to 16. Returns 0 or a positive errno.
static inline int nodes_init(struct nodes *n, size_t size, unsigned workers)
{
	size = size < sizeof(struct nodes_free) ? sizeof(struct nodes_free) : size;
	n->size = (size + 15) & ~(size_t)15;
	n->workers = workers;
	n->batches = NULL;
	n->chunks = NULL;
	n->arena = NULL;
	pthread_mutex_init(&n->mutex, NULL);
	n->worker = aligned_alloc(LINE_PAIR, workers * sizeof *n->worker);
	if (!n->worker)
		return ENOMEM;
	memset(n->worker, 0, workers * sizeof *n->worker);
	return 0;
}

// Stable nodes, at most so many. Only address space is taken for those that are never used. The
// second pointer's worth of a free node is the list's; the first is left as it was.
static inline int nodes_init_stable(struct nodes *n, size_t size, size_t most, unsigned workers)
{
	int rc = nodes_init(n, size, workers);
	if (rc)
		return rc;
	n->arena_used = LINE_PAIR; /* no node has number 0 */
	n->arena_size = LINE_PAIR + most * n->size;
	void *arena = mmap(NULL, n->arena_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED)
		return ENOMEM;
	n->arena = arena;
	return 0;
}

// Also after a nodes_init that failed. All nodes are gone, also those never put back, but for
// builds that take them from malloc.
static inline void nodes_fini(struct nodes *n)
{
	while (n->chunks) {
		struct nodes_chunk *next = n->chunks->next;
		free(n->chunks);
		n->chunks = next;
	}
	if (n->arena)
		munmap(n->arena, n->arena_size);
	n->arena = NULL;
	free(n->worker);
	n->worker = NULL;
}

// The next piece of the arena, for that worker alone. False: it is used up.
static inline bool nodes_from_arena(struct nodes *n, struct nodes_worker *w)
{
	size_t left = n->arena_size - n->arena_used;
	size_t piece = (size_t)NODES_BATCH * n->size;
	piece = piece < left ? piece : left;
	w->chunk = n->arena + n->arena_used;
	w->chunk_end = w->chunk + piece;
	n->arena_used += piece;
	return piece > 0;
}

// A batch that somebody passed on, else a new chunk. False: no memory.
static __attribute__((noinline, unused)) bool nodes_refill(struct nodes *n, struct nodes_worker *w)
{
	if (w->full) {
		w->first = w->full;
		w->full = NULL;
		w->count = NODES_BATCH;
		return true;
	}
	pthread_mutex_lock(&n->mutex);
	if (n->batches) {
		w->first = n->batches;
		n->batches = load(&w->first->next_batch, relaxed); /* relaxed: under the mutex */
		w->count = NODES_BATCH;
		pthread_mutex_unlock(&n->mutex);
		return true;
	}
	if (n->arena) {
		bool more = nodes_from_arena(n, w);
		pthread_mutex_unlock(&n->mutex);
		return more;
	}
	/* The line pair before the first node holds the list of chunks. */
	size_t bytes = NODES_CHUNK + (n->size * 16 + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	struct nodes_chunk *chunk = aligned_alloc(LINE_PAIR, bytes);
	if (chunk) {
		chunk->next = n->chunks;
		n->chunks = chunk;
		w->chunk = (char *)(chunk + 1);
		w->chunk_end = (char *)chunk + bytes;
	}
	pthread_mutex_unlock(&n->mutex);
	return chunk;
}

// A node whose content is undefined; by that worker alone. Null: no memory.
static ALWAYS_INLINE void *nodes_get(struct nodes *n, unsigned worker)
{
	if (NODES_MALLOC && !n->arena)
		return malloc(n->size);
	struct nodes_worker *w = &n->worker[worker];
	for (;;) {
		struct nodes_free *node = w->first;
		if (node) {
			w->first = node->next;
			w->count--;
			return node;
		}
		if (w->chunk && w->chunk_end - w->chunk >= (ptrdiff_t)n->size) {
			w->chunk += n->size;
			return w->chunk - n->size;
		}
		if (!nodes_refill(n, w))
			return NULL;
	}
}

static __attribute__((noinline, unused)) void nodes_pass_on(struct nodes *n, struct nodes_worker *w)
{
	if (w->full) {
		pthread_mutex_lock(&n->mutex);
		store(&w->full->next_batch, n->batches, relaxed); /* relaxed: as above */
		n->batches = w->full;
		pthread_mutex_unlock(&n->mutex);
	}
	w->full = w->first;
	w->first = NULL;
	w->count = 0;
}

// By any worker, for itself: nobody else can hold the node any more.
static ALWAYS_INLINE void nodes_put(struct nodes *n, unsigned worker, void *node)
{
	if (NODES_MALLOC && !n->arena) {
		keep_in_register(node); /* or compilers warn that stable ones were not malloc's */
		free(node);
		return;
	}
	struct nodes_worker *w = &n->worker[worker];
	struct nodes_free *put = node;
	put->next = w->first;
	w->first = put;
	if (++w->count == NODES_BATCH)
		nodes_pass_on(n, w);
}

// Of stable nodes: where in the arena, in steps of 16 bytes; never 0.
static ALWAYS_INLINE size_t nodes_number(const struct nodes *n, const void *node)
{
	return (size_t)((const char *)node - n->arena) / 16;
}

static ALWAYS_INLINE void *nodes_numbered(const struct nodes *n, size_t number)
{
	return n->arena + number * 16;
}

// As reclaim's free: context is the struct nodes.
static inline void nodes_reclaimed(void *context, unsigned worker, void *node)
{
	nodes_put(context, worker, node);
}
