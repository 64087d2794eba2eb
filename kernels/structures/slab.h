// SPDX-License-Identifier: BSD-2-Clause
// A memory allocator for small blocks: classes of sizes, four to each power of two; each class
// carves its blocks from slabs and keeps the free ones in a list (Bonwick 1994). Slabs are aligned
// to their size, so that a block's address tells its slab, and the slab its class.
// slab_get and slab_put are for one worker at a time. On top of them, for many, magazines (Bonwick
// & Adams 2001): each worker keeps up to two batches of free blocks of each class for itself, and
// goes to the depot, which has a lock for each class, once a batch.
// Blocks are aligned to 16. Slabs go back to the system in slab_fini only, so memory is bounded by
// the most blocks of each class that were in use at once, and two magazines for each worker.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"

enum {
	SLAB_SIZE = 1 << 16,
	SLAB_HEAD = LINE_PAIR,
	SLAB_LARGEST = 8192,
	SLAB_CLASSES = 32,
	SLAB_MAGAZINE = 64, // blocks in a full one; fewer of the large
	SLAB_MAGAZINE_BYTES = 1 << 14
};

struct slab_free { // what a block is while it is free
	struct slab_free *next;
	struct slab_free *next_magazine; // of the first of a magazine
};

struct slab {
	LINE_ALIGNED struct slab *next; // of the allocator's
	unsigned class;
};

struct slab_class {
	LINE_ALIGNED struct slab_free *free;
	char *fresh, *fresh_end; // never used yet
	size_t size;
	struct slab_free *magazines; // full ones
	pthread_mutex_t mutex;       // where workers have magazines
};

// Of one worker.
struct slab_cache {
	struct {
		struct slab_free *loaded, *spare; // spare: full or null
		unsigned count;                   // in loaded
	} class[SLAB_CLASSES];
};

struct slabs {
	unsigned magazine[SLAB_CLASSES]; // blocks in a full one of each class; never changes
	struct slab_class class[SLAB_CLASSES];
	LINE_ALIGNED _Atomic(struct slab *) slabs;
};

// 16, 32, 48, 64, 80, 96, 112, 128, 160, ... : the smallest class whose blocks hold `size` bytes.
static ALWAYS_INLINE unsigned slab_class_of(size_t size)
{
	if (size <= 64)
		return size > 16 ? (unsigned)(size - 1) / 16 : 0;
	unsigned power = 63 - (unsigned)__builtin_clzll(size - 1); /* 6 or more */
	return 4 * (power - 5) + ((unsigned)((size - 1) >> (power - 2)) & 3);
}

static inline size_t slab_class_size(unsigned class)
{
	if (class < 4)
		return 16 * ((size_t) class + 1);
	return ((size_t)5 + class % 4) << (class / 4 + 3);
}

static inline void slab_init(struct slabs *s)
{
	memset((void *)s, 0, sizeof *s);
	for (unsigned i = 0; i < SLAB_CLASSES; i++) {
		struct slab_class *c = &s->class[i];
		size_t fits = SLAB_MAGAZINE_BYTES / slab_class_size(i);
		c->size = slab_class_size(i);
		s->magazine[i] = fits < SLAB_MAGAZINE ? (unsigned)fits : SLAB_MAGAZINE;
		pthread_mutex_init(&c->mutex, NULL);
	}
}

// All blocks are gone, also those never put back.
static inline void slab_fini(struct slabs *s)
{
	struct slab *next, *slab = load(&s->slabs, relaxed); /* relaxed: all at rest */
	for (; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	for (unsigned i = 0; i < SLAB_CLASSES; i++)
		pthread_mutex_destroy(&s->class[i].mutex);
	store(&s->slabs, NULL, relaxed);
}

static __attribute__((noinline, unused)) bool slab_grow(struct slabs *s, struct slab_class *c)
{
	struct slab *slab = aligned_alloc(SLAB_SIZE, SLAB_SIZE);
	if (!slab)
		return false;
	slab->class = (unsigned)(c - s->class);
	c->fresh = (char *)slab + SLAB_HEAD;
	c->fresh_end = (char *)slab + SLAB_SIZE;
	/* relaxed: the list is walked when all are at rest; classes grow at the same time */
	slab->next = load(&s->slabs, relaxed);
	while (!compare_exchange_weak(&s->slabs, &slab->next, slab, relaxed, relaxed))
		;
	return true;
}

static ALWAYS_INLINE void *slab_class_get(struct slabs *s, struct slab_class *c)
{
	struct slab_free *block = c->free;
	if (block) {
		c->free = block->next;
		return block;
	}
	if ((size_t)(c->fresh_end - c->fresh) < c->size && !slab_grow(s, c))
		return NULL;
	char *fresh = c->fresh;
	c->fresh += c->size;
	return fresh;
}

// A block of at least `size` bytes, at most SLAB_LARGEST; its content is undefined. Null: no
// memory.
static ALWAYS_INLINE void *slab_get(struct slabs *s, size_t size)
{
	return slab_class_get(s, &s->class[slab_class_of(size)]);
}

static ALWAYS_INLINE unsigned slab_class_of_block(const void *block)
{
	return ((const struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_SIZE - 1)))->class;
}

static ALWAYS_INLINE void slab_put(struct slabs *s, void *block)
{
	struct slab_class *c = &s->class[slab_class_of_block(block)];
	struct slab_free *put = block;
	put->next = c->free;
	c->free = put;
}

// A full magazine, or what could be made of one; null: no memory.
static __attribute__((noinline, unused)) struct slab_free *slab_depot_get(
	struct slabs *s, unsigned class, unsigned *count)
{
	struct slab_class *c = &s->class[class];
	pthread_mutex_lock(&c->mutex);
	struct slab_free *first = c->magazines;
	*count = first ? s->magazine[class] : 0;
	if (first)
		c->magazines = first->next_magazine;
	while (*count < s->magazine[class]) {
		struct slab_free *block = slab_class_get(s, c);
		if (!block)
			break;
		block->next = first;
		first = block;
		++*count;
	}
	pthread_mutex_unlock(&c->mutex);
	return first;
}

static __attribute__((noinline, unused)) void slab_depot_put(
	struct slabs *s, unsigned class, struct slab_free *first)
{
	struct slab_class *c = &s->class[class];
	pthread_mutex_lock(&c->mutex);
	first->next_magazine = c->magazines;
	c->magazines = first;
	pthread_mutex_unlock(&c->mutex);
}

// As slab_get and slab_put, by any number of workers, each with its own cache, zeroed at first.
// What a cache holds at the end goes with the slabs.
static ALWAYS_INLINE void *slab_cache_get(struct slabs *s, struct slab_cache *cache, size_t size)
{
	unsigned i = slab_class_of(size);
	struct slab_free *block = cache->class[i].loaded;
	if (!block) {
		block = cache->class[i].spare;
		cache->class[i].spare = NULL;
		cache->class[i].count = s->magazine[i];
	}
	if (!block)
		block = slab_depot_get(s, i, &cache->class[i].count);
	if (!block)
		return NULL;
	cache->class[i].loaded = block->next;
	cache->class[i].count--;
	return block;
}

static ALWAYS_INLINE void slab_cache_put(struct slabs *s, struct slab_cache *cache, void *block)
{
	unsigned i = slab_class_of_block(block);
	struct slab_free *put = block;
	if (cache->class[i].count == s->magazine[i]) {
		if (cache->class[i].spare)
			slab_depot_put(s, i, cache->class[i].spare);
		cache->class[i].spare = cache->class[i].loaded;
		cache->class[i].loaded = NULL;
		cache->class[i].count = 0;
	}
	put->next = cache->class[i].loaded;
	cache->class[i].loaded = put;
	cache->class[i].count++;
}
