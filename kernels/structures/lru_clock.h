// SPDX-License-Identifier: BSD-2-Clause
// A cache that gives what was used a second chance (CLOCK): a key has seven places, in one line of
// memory; a hit leaves a mark, by one plain store, and only where there is none; a miss turns the
// set's hand, wiping marks, to an entry without one and takes its place. Nobody waits for anybody:
// a get takes a bounded number of steps. Approximates least recently used within each set.
// Sources: F. Corbato, A paging experiment with the Multics system, 1968 (second chance);
// B. Fan, D. Andersen & M. Kaminsky, MemC3, 2013 (such a cache in sets).
//
// A get never returns another key's value: an entry is one word, key and value, written and read at
// once. A key is never twice in the cache: whoever inserts first claims a place with the key, then
// looks at the others, and withdraws if the key is there too, claimed or whole; of two that claim,
// the later one sees the earlier one's claim or entry (L1 and L2 are sequentially consistent).
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "lru_list.h"

enum { LRU_CLOCK_WAYS = 7 };

// An entry: value << 32 | whole << 31 | claimed << 30 | key. 0: empty.
#define LRU_CLOCK_WHOLE ((uint64_t)1 << 31)
#define LRU_CLOCK_CLAIMED ((uint64_t)1 << 30)
#define LRU_CLOCK_KEY (LRU_CLOCK_CLAIMED - 1)

struct lru_clock_set {
	_Alignas(64) _Atomic uint64_t entry[LRU_CLOCK_WAYS];
	_Atomic uint8_t used[LRU_CLOCK_WAYS]; // the marks
	_Atomic uint8_t hand;
};

struct lru_clock {
	uint32_t sets;
	struct lru_clock_set *set;
};

// At most that many entries, in sets of seven. Keys are below 2^30.
static inline int lru_clock_init(struct lru_clock *c, uint32_t capacity)
{
	c->sets = capacity / LRU_CLOCK_WAYS;
	c->set = aligned_alloc(64, c->sets * sizeof *c->set);
	if (!c->set)
		return ENOMEM;
	for (uint32_t i = 0; i < c->sets; i++) {
		for (unsigned way = 0; way < LRU_CLOCK_WAYS; way++) {
			atomic_init(&c->set[i].entry[way], 0);
			atomic_init(&c->set[i].used[way], 0);
		}
		atomic_init(&c->set[i].hand, 0);
	}
	return 0;
}

// Also after a lru_clock_init that failed.
static inline void lru_clock_fini(struct lru_clock *c)
{
	free(c->set);
	c->set = NULL;
}

static ALWAYS_INLINE struct lru_clock_set *lru_clock_set_of(const struct lru_clock *c, uint32_t key)
{
	return &c->set[(uint64_t)lru_hash(key) * c->sets >> 32];
}

// False: not in the cache.
static ALWAYS_INLINE bool lru_clock_lookup(struct lru_clock *c, uint32_t key, uint32_t *value)
{
	struct lru_clock_set *set = lru_clock_set_of(c, key);
	for (unsigned way = 0; way < LRU_CLOCK_WAYS; way++) {
		/* L0: acquire; pairs with L3: what the value stands for is made */
		uint64_t entry = load(&set->entry[way], acquire);
		if ((uint32_t)entry != (LRU_CLOCK_WHOLE | key))
			continue;
		/* relaxed, both: a hint, which may come too late or to the next entry there; only
		 * where there is none, so that frequent hits leave the line shared */
		if (!load(&set->used[way], relaxed))
			store(&set->used[way], 1, relaxed);
		*value = (uint32_t)(entry >> 32);
		return true;
	}
	return false;
}

// A place for the key, claimed, or LRU_CLOCK_WAYS: all are being written. Twice around the clock
// finds an entry without a mark unless others go on marking.
static inline unsigned lru_clock_claim(struct lru_clock_set *set, uint32_t key)
{
	for (unsigned step = 0; step < 2 * LRU_CLOCK_WAYS; step++) {
		/* relaxed, this and the marks: hints; two who share a step of the hand do no harm
		 */
		unsigned way = load(&set->hand, relaxed);
		store(&set->hand, (uint8_t)(way + 1 < LRU_CLOCK_WAYS ? way + 1 : 0), relaxed);
		uint64_t entry = load(&set->entry[way], relaxed); /* relaxed: L1 compares */
		if (entry & LRU_CLOCK_CLAIMED)
			continue;
		if (entry && load(&set->used[way], relaxed)) {
			store(&set->used[way], 0, relaxed);
			continue;
		}
		/* L1: seq_cst, with L2 */
		if (compare_exchange(
			    &set->entry[way], &entry, LRU_CLOCK_CLAIMED | key, seq_cst, relaxed))
			return way;
	}
	return LRU_CLOCK_WAYS;
}

// After a lookup that did not find the key. False: not inserted, since another worker inserts it
// or all places are being written.
static inline bool lru_clock_insert(struct lru_clock *c, uint32_t key, uint32_t value)
{
	struct lru_clock_set *set = lru_clock_set_of(c, key);
	unsigned mine = lru_clock_claim(set, key);
	if (mine == LRU_CLOCK_WAYS)
		return false;
	for (unsigned way = 0; way < LRU_CLOCK_WAYS; way++) {
		/* L2: seq_cst, after L1; pairs with the L1 and L3 of others */
		uint64_t entry = load(&set->entry[way], seq_cst);
		if (way != mine && entry && (entry & LRU_CLOCK_KEY) == key) {
			store(&set->entry[mine], 0, release); /* a claim is its worker's alone */
			return false;
		}
	}
	/* L3: release; pairs with L0 */
	store(&set->entry[mine], (uint64_t)value << 32 | LRU_CLOCK_WHOLE | key, release);
	return true;
}
