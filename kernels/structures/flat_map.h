// SPDX-License-Identifier: BSD-2-Clause
// A hash map for one worker at a time: buckets of one cache line with three entries inside, so that
// a lookup touches one line and, where the bucket has no second one, does not depend on where in it
// the key is or whether it is there: nothing for a branch predictor to guess wrong. Doubles its
// buckets when they hold one and a half keys on average. Own design.
#pragma once

#include <errno.h>

#include "map_hash.h"
#include "nodes.h"

enum { FLAT_ENTRIES = 3, FLAT_LOAD_TWICE = 3, FLAT_FEWEST = 8 };

struct flat_bucket {
	struct flat_bucket *next; // where three entries are not enough
	uint32_t used;            // a bit for each entry
	struct {
		uint64_t key, value;
	} entry[FLAT_ENTRIES];
};

_Static_assert(sizeof(struct flat_bucket) == 64, "one line");

struct flat_map {
	struct flat_bucket *bucket;
	size_t mask; // buckets less one: a power of two
	size_t count;
	struct nodes *nodes; // of at least sizeof(struct flat_bucket) bytes; used as worker 0
};

static inline struct flat_bucket *flat_buckets(size_t count)
{
	struct flat_bucket *b = aligned_alloc(LINE_PAIR, count * sizeof *b);
	if (b)
		memset(b, 0, count * sizeof *b);
	return b;
}

// Starts small. 0 or a positive errno.
static inline int flat_map_init(struct flat_map *m, struct nodes *nodes)
{
	m->bucket = flat_buckets(FLAT_FEWEST);
	m->mask = FLAT_FEWEST - 1;
	m->count = 0;
	m->nodes = nodes;
	return m->bucket ? 0 : ENOMEM;
}

static inline void flat_chain_put(struct flat_map *m, struct flat_bucket *b)
{
	for (struct flat_bucket *next; b; b = next) {
		next = b->next;
		nodes_put(m->nodes, 0, b);
	}
}

// Also after a flat_map_init that failed.
static inline void flat_map_fini(struct flat_map *m)
{
	for (size_t i = 0; m->bucket && i <= m->mask; i++)
		flat_chain_put(m, m->bucket[i].next);
	free(m->bucket);
	m->bucket = NULL;
}

// A bit for each entry that has the key: one at most.
static ALWAYS_INLINE unsigned flat_hits(const struct flat_bucket *b, uint64_t key)
{
	return ((unsigned)(b->entry[0].key == key) | (unsigned)(b->entry[1].key == key) << 1 |
		       (unsigned)(b->entry[2].key == key) << 2) &
	       b->used;
}

// Whether the key is there; *value is its value then, and anything else if not.
static ALWAYS_INLINE bool flat_map_lookup(const struct flat_map *m, uint64_t key, uint64_t *value)
{
	const struct flat_bucket *b = &m->bucket[map_hash(key) & m->mask];
	for (;;) {
		unsigned hits = flat_hits(b, key);
		*value = b->entry[__builtin_ctz(hits | 4)].value;
		if (__builtin_expect((hits != 0) | !b->next, 1))
			return hits;
		b = b->next;
	}
}

// The first bucket of the chain with a free entry, or a new one. Null: no memory.
static inline struct flat_bucket *flat_room(struct flat_map *m, struct flat_bucket *b)
{
	while (b->used == (1 << FLAT_ENTRIES) - 1) {
		if (!b->next) {
			b->next = nodes_get(m->nodes, 0);
			if (!b->next)
				return NULL;
			memset(b->next, 0, sizeof *b);
		}
		b = b->next;
	}
	return b;
}

static inline bool flat_put(struct flat_map *m, uint64_t key, uint64_t value)
{
	struct flat_bucket *b = flat_room(m, &m->bucket[map_hash(key) & m->mask]);
	if (!b)
		return false;
	unsigned at = (unsigned)__builtin_ctz(~b->used);
	b->entry[at].key = key;
	b->entry[at].value = value;
	b->used |= 1u << at;
	return true;
}

// With no memory the map stays as it is: slower, not wrong.
static __attribute__((noinline, unused)) void flat_map_grow(struct flat_map *m)
{
	struct flat_map larger = {.mask = 2 * m->mask + 1, .count = m->count, .nodes = m->nodes};
	bool whole = true;
	larger.bucket = flat_buckets(larger.mask + 1);
	if (!larger.bucket)
		return;
	for (size_t i = 0; whole && i <= m->mask; i++)
		for (const struct flat_bucket *b = &m->bucket[i]; whole && b; b = b->next)
			for (unsigned at = 0; whole && at < FLAT_ENTRIES; at++)
				if (b->used >> at & 1)
					whole = flat_put(
						&larger, b->entry[at].key, b->entry[at].value);
	struct flat_map unwanted = whole ? *m : larger;
	if (whole)
		*m = larger;
	flat_map_fini(&unwanted);
}

// False: no memory. The key must be absent.
static __attribute__((noinline, unused)) bool flat_map_insert(
	struct flat_map *m, uint64_t key, uint64_t value)
{
	if (!flat_put(m, key, value))
		return false;
	if (++m->count * 2 > FLAT_LOAD_TWICE * (m->mask + 1))
		flat_map_grow(m);
	return true;
}

// The key must be present. A second bucket of a chain that has become empty is given back.
static __attribute__((noinline, unused)) void flat_map_remove(struct flat_map *m, uint64_t key)
{
	struct flat_bucket *b = &m->bucket[map_hash(key) & m->mask], *before = NULL;
	for (; !flat_hits(b, key); b = b->next)
		before = b;
	b->used &= ~flat_hits(b, key);
	m->count--;
	if (!b->used && before) {
		before->next = b->next;
		nodes_put(m->nodes, 0, b);
	}
}

static inline void flat_map_walk(const struct flat_map *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	for (size_t i = 0; i <= m->mask; i++)
		for (const struct flat_bucket *b = &m->bucket[i]; b; b = b->next)
			for (unsigned at = 0; at < FLAT_ENTRIES; at++)
				if (b->used >> at & 1)
					visit(context, b->entry[at].key, b->entry[at].value);
}
