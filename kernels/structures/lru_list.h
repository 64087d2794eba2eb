// SPDX-License-Identifier: BSD-2-Clause
// A cache that evicts what was not asked for longest: a hash table with chains, and a list in the
// order of use through all entries. Exact; each hit moves its entry to the front, so even a hit
// writes: for one worker, or under a lock. All memory is taken at once.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "atomic.h"

struct lru_list_entry {
	uint64_t value;
	uint32_t key;
	uint32_t chain;        // next in the bucket
	uint32_t newer, older; // in the order of use
};

struct lru_list {
	uint32_t capacity, count;
	uint32_t newest, oldest;
	uint32_t mask; // buckets, a power of two, less 1
	uint32_t *bucket;
	struct lru_list_entry *entry;
};

#define LRU_NONE UINT32_MAX

static inline int lru_list_init(struct lru_list *l, uint32_t capacity)
{
	uint32_t buckets = 1;
	while (buckets < capacity)
		buckets *= 2;
	*l = (struct lru_list){
		.capacity = capacity, .newest = LRU_NONE, .oldest = LRU_NONE, .mask = buckets - 1};
	l->bucket = malloc(buckets * sizeof *l->bucket);
	l->entry = malloc(capacity * sizeof *l->entry);
	if (!l->bucket || !l->entry)
		return ENOMEM;
	for (uint32_t i = 0; i < buckets; i++)
		l->bucket[i] = LRU_NONE;
	return 0;
}

// Also after a lru_list_init that failed.
static inline void lru_list_fini(struct lru_list *l)
{
	free(l->bucket);
	free(l->entry);
	l->bucket = NULL;
	l->entry = NULL;
}

// Multiplicative hashing (Knuth, vol. 3, 6.4), its high half: all bits of the key count.
static ALWAYS_INLINE uint32_t lru_hash(uint32_t key)
{
	return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static ALWAYS_INLINE void lru_list_unlink(struct lru_list *l, struct lru_list_entry *e)
{
	*(e->newer == LRU_NONE ? &l->newest : &l->entry[e->newer].older) = e->older;
	*(e->older == LRU_NONE ? &l->oldest : &l->entry[e->older].newer) = e->newer;
}

static ALWAYS_INLINE void lru_list_link_newest(struct lru_list *l, uint32_t at)
{
	struct lru_list_entry *e = &l->entry[at];
	e->newer = LRU_NONE;
	e->older = l->newest;
	*(l->newest == LRU_NONE ? &l->oldest : &l->entry[l->newest].newer) = at;
	l->newest = at;
}

// False: not in the cache. Else it is the newest now.
static ALWAYS_INLINE bool lru_list_lookup(struct lru_list *l, uint32_t key, uint64_t *value)
{
	uint32_t at = l->bucket[lru_hash(key) & l->mask];
	while (at != LRU_NONE && l->entry[at].key != key)
		at = l->entry[at].chain;
	if (at == LRU_NONE)
		return false;
	*value = l->entry[at].value;
	if (at != l->newest) {
		lru_list_unlink(l, &l->entry[at]);
		lru_list_link_newest(l, at);
	}
	return true;
}

static inline uint32_t lru_list_evict(struct lru_list *l)
{
	uint32_t oldest = l->oldest;
	struct lru_list_entry *e = &l->entry[oldest];
	uint32_t *link = &l->bucket[lru_hash(e->key) & l->mask];
	while (*link != oldest)
		link = &l->entry[*link].chain;
	*link = e->chain;
	lru_list_unlink(l, e);
	return oldest;
}

// A key that is not in the cache: the newest now, in place of the oldest where the cache is full.
static inline void lru_list_insert(struct lru_list *l, uint32_t key, uint64_t value)
{
	uint32_t at = l->count < l->capacity ? l->count++ : lru_list_evict(l);
	uint32_t *bucket = &l->bucket[lru_hash(key) & l->mask];
	l->entry[at].key = key;
	l->entry[at].value = value;
	l->entry[at].chain = *bucket;
	*bucket = at;
	lru_list_link_newest(l, at);
}
