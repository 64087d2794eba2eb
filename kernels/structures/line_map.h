// SPDX-License-Identifier: BSD-2-Clause
// A lock-free hash map that keeps its entries inside its buckets: a lookup touches one cache line,
// writes nothing, and reads the bucket's state before and after. The state is one word: which
// entries are valid, which are taken, and a version; whoever changes it by compare-and-swap has
// changed the bucket. An insertion takes an entry, fills it, and makes it valid if nothing came
// between; a removal makes it neither. So no memory is ever unlinked from a table and no scheme of
// reclamation is needed. Own design; the state word is that of CLHT (T. David, R. Guerraoui &
// V. Trigonakis, Asynchronized concurrency, 2015).
//
// Grows by doubling. A bucket of the larger table is born when it is first asked for: the bucket of
// the smaller table that has its keys is frozen, and whoever comes copies them by the same
// insertions. Smaller tables stay until the end: all together they are no larger than the last.
// Not lock-free in one corner: where LINE_SLOTS insertions into one bucket are under way at once,
// the next waits for one of them.
#pragma once

#include "map_hash.h"
#include "nodes.h"

enum {
	LINE_ENTRIES = 3,
	LINE_CHAIN = 4, // lines of a bucket at most
	LINE_SLOTS = LINE_ENTRIES * LINE_CHAIN,
	LINE_LOAD_TWICE = 3, // keys in two buckets, on average, beyond which the map grows
	LINE_FEWEST = 4      // buckets
};

// A bucket's state: from the lowest bit a valid bit for each slot, a taken bit for each slot,
// LINE_BORN, LINE_FROZEN, and the version.
#define LINE_VALID (((uint64_t)1 << LINE_SLOTS) - 1)
#define LINE_BORN ((uint64_t)1 << (2 * LINE_SLOTS))
#define LINE_FROZEN (LINE_BORN << 1)
#define LINE_VERSION (LINE_BORN << 2)

struct line_entry {
	_Atomic uint64_t key, value;
};

struct line_bucket {
	_Atomic uint64_t state; // of all lines of the bucket, in the first
	_Atomic(struct line_bucket *) next;
	struct line_entry entry[LINE_ENTRIES];
};

_Static_assert(sizeof(struct line_bucket) == 64, "one line");

struct line_table {
	size_t mask; // buckets less one: a power of two
	struct line_bucket *bucket;
	struct line_table *smaller; // whose keys these are
	_Atomic(struct line_table *) larger;
};

struct line_map {
	LINE_ALIGNED _Atomic(struct line_table *) table; // the largest
	struct nodes *nodes; // of at least sizeof(struct line_bucket) bytes
	struct map_count count;
};

enum line_outcome {
	LINE_DONE,
	LINE_NOT, // the key is there already, or is not there
	LINE_FULL,
	LINE_MOVED // the bucket is not in the phase that was asked for
};

static inline struct line_table *line_table_make(size_t buckets, struct line_table *smaller)
{
	struct line_table *t = malloc(sizeof *t);
	struct line_bucket *b = aligned_alloc(LINE_PAIR, buckets * sizeof *b);
	if (!t || !b) {
		free(t);
		free(b);
		return NULL;
	}
	memset((void *)b, 0, buckets * sizeof *b);
	t->mask = buckets - 1;
	t->bucket = b;
	t->smaller = smaller;
	store(&t->larger, NULL, relaxed); /* relaxed: L8 publishes it */
	return t;
}

// 0 or a positive errno.
static inline int line_map_init(struct line_map *m, struct nodes *nodes, unsigned workers)
{
	m->nodes = nodes;
	struct line_table *t = line_table_make(LINE_FEWEST, NULL);
	store(&m->table, t, relaxed); /* relaxed, all: no worker is there yet */
	if (!t || map_count_init(&m->count, workers))
		return ENOMEM;
	for (size_t i = 0; i <= t->mask; i++)
		store(&t->bucket[i].state, LINE_BORN, relaxed);
	return 0;
}

// At rest; nodes are put back as worker 0's. Also after a line_map_init that failed.
static inline void line_map_fini(struct line_map *m)
{
	struct line_table *t = load(&m->table, relaxed), *smaller; /* relaxed, all: at rest */
	for (; t; t = smaller) {
		smaller = t->smaller;
		for (size_t i = 0; i <= t->mask; i++)
			for (struct line_bucket *b = load(&t->bucket[i].next, relaxed), *next; b;
				b = next) {
				next = load(&b->next, relaxed);
				nodes_put(m->nodes, 0, b);
			}
		free(t->bucket);
		free(t);
	}
	map_count_fini(&m->count);
}

// A bit for each entry of a line that has the key. L0: acquire; pairs with L4: who reads what was
// written into an entry that was taken anew sees (L1) that the state has changed.
static ALWAYS_INLINE unsigned line_hits(const struct line_bucket *b, uint64_t key)
{
	return (unsigned)(load(&b->entry[0].key, acquire) == key) |
	       (unsigned)(load(&b->entry[1].key, acquire) == key) << 1 |
	       (unsigned)(load(&b->entry[2].key, acquire) == key) << 2;
}

// The same for all lines of a bucket whose state was seen.
static ALWAYS_INLINE unsigned line_hits_all(
	const struct line_bucket *b, uint64_t state, uint64_t key)
{
	unsigned hits = 0;
	/* L2: acquire; pairs with L5. A valid entry's line is seen: L3 came after it. */
	for (unsigned i = 0; b && (state & LINE_VALID) >> i; i += LINE_ENTRIES) {
		hits |= line_hits(b, key) << i;
		b = load(&b->next, acquire);
	}
	return hits & (unsigned)(state & LINE_VALID);
}

static ALWAYS_INLINE struct line_entry *line_entry_at(struct line_bucket *b, unsigned slot)
{
	for (; slot >= LINE_ENTRIES; slot -= LINE_ENTRIES)
		b = load(&b->next, acquire); /* L2 */
	return &b->entry[slot];
}

static inline enum line_outcome line_bucket_lookup(
	struct line_bucket *b, uint64_t key, uint64_t *value)
{
	for (;;) {
		uint64_t state = load(&b->state, acquire); /* L1: acquire; pairs with L3 */
		if ((state & (LINE_BORN | LINE_FROZEN)) != LINE_BORN)
			return LINE_MOVED;
		unsigned hits = line_hits_all(b, state, key);
		if (hits)
			*value = load(&line_entry_at(b, (unsigned)__builtin_ctz(hits))->value,
				acquire); /* L0 */
		/* relaxed: L0 and L2 put it after them */
		if (load(&b->state, relaxed) == state)
			return hits ? LINE_DONE : LINE_NOT;
	}
}

// The bucket's first free slot, its line made if need be. LINE_SLOTS: no memory.
static inline unsigned line_room(
	struct line_bucket *b, uint64_t state, struct nodes *nodes, unsigned worker)
{
	unsigned slot = (unsigned)__builtin_ctzll(~(state >> LINE_SLOTS));
	for (unsigned i = LINE_ENTRIES; i <= slot; i += LINE_ENTRIES) {
		struct line_bucket *next = load(&b->next, acquire), *none = NULL; /* L2 */
		if (!next) {
			next = nodes_get(nodes, worker);
			if (!next)
				return LINE_SLOTS;
			memset((void *)next, 0, sizeof *next);
			/* L5: release; pairs with L2: all of it zero */
			if (!compare_exchange(&b->next, &none, next, acq_rel, acquire)) {
				nodes_put(nodes, worker, next);
				next = none;
			}
		}
		b = next;
	}
	return slot;
}

// Makes a filled slot valid, if the key is not there and the bucket still in the phase; else gives
// it back.
static inline enum line_outcome line_publish(
	struct line_bucket *b, uint64_t phase, uint64_t key, unsigned slot)
{
	uint64_t valid = (uint64_t)1 << slot, taken = valid << LINE_SLOTS;
	uint64_t state = load(&b->state, acquire); /* L1 */
	for (;;) {
		enum line_outcome outcome = LINE_DONE;
		uint64_t wanted = state + LINE_VERSION + valid;
		if (state & LINE_FROZEN) /* never changes again */
			return LINE_MOVED;
		if ((state & LINE_BORN) != phase)
			outcome = LINE_MOVED;
		else if (line_hits_all(b, state, key))
			outcome = LINE_NOT;
		if (outcome != LINE_DONE)
			wanted = state + LINE_VERSION - taken;
		/* L3: release, with acquire for the next look (L1) */
		if (compare_exchange(&b->state, &state, wanted, acq_rel, acquire))
			return outcome;
	}
}

// phase: LINE_BORN, or 0 while the bucket is being born.
static inline enum line_outcome line_bucket_insert(struct line_bucket *b, uint64_t phase,
	uint64_t key, uint64_t value, struct nodes *nodes, unsigned worker)
{
	for (;;) {
		uint64_t state = load(&b->state, acquire); /* L1 */
		if ((state & (LINE_BORN | LINE_FROZEN)) != phase)
			return LINE_MOVED;
		if (line_hits_all(b, state, key)) {
			if (load(&b->state, relaxed) == state) /* relaxed: as in the lookup */
				return LINE_NOT;
			continue;
		}
		if ((state & LINE_VALID) == LINE_VALID)
			return LINE_FULL;
		if ((state >> LINE_SLOTS & LINE_VALID) == LINE_VALID) {
			cpu_relax(); /* all being filled: the corner that the head tells of */
			continue;
		}
		unsigned slot = line_room(b, state, nodes, worker);
		if (slot == LINE_SLOTS)
			return LINE_FULL;
		uint64_t taken = (uint64_t)1 << slot << LINE_SLOTS;
		/* L3: acquire: the entry is written after it was taken */
		if (!compare_exchange(
			    &b->state, &state, state + LINE_VERSION + taken, acq_rel, relaxed))
			continue;
		struct line_entry *e = line_entry_at(b, slot);
		store(&e->value, value, release); /* L4: release, both; pair with L0 */
		store(&e->key, key, release);
		return line_publish(b, phase, key, slot);
	}
}

static inline enum line_outcome line_bucket_remove(
	struct line_bucket *b, uint64_t key, uint64_t *value)
{
	for (;;) {
		uint64_t state = load(&b->state, acquire); /* L1 */
		if ((state & (LINE_BORN | LINE_FROZEN)) != LINE_BORN)
			return LINE_MOVED;
		unsigned hits = line_hits_all(b, state, key);
		if (!hits) {
			if (load(&b->state, relaxed) == state) /* relaxed: as in the lookup */
				return LINE_NOT;
			continue;
		}
		unsigned slot = (unsigned)__builtin_ctz(hits);
		*value = load(&line_entry_at(b, slot)->value, acquire); /* L0 */
		uint64_t both = ((uint64_t)1 << LINE_SLOTS | 1) << slot;
		/* L3: nothing changed since the entry was read */
		if (compare_exchange(
			    &b->state, &state, state + LINE_VERSION - both, acq_rel, relaxed))
			return LINE_DONE;
	}
}

// Sets a bit of a bucket's state for good.
static inline uint64_t line_set(struct line_bucket *b, uint64_t bit)
{
	uint64_t state = load(&b->state, acquire); /* L1 */
	while (!(state & bit))
		/* L3: release and acquire */
		if (compare_exchange(
			    &b->state, &state, (state + LINE_VERSION) | bit, acq_rel, acquire))
			return (state + LINE_VERSION) | bit;
	return state;
}

// Sees to it that a bucket is born: all its keys copied, and no more changes where they were.
// False: no memory.
static __attribute__((noinline, unused)) bool line_bear(
	struct line_map *m, unsigned worker, struct line_table *t, size_t index)
{
	struct line_bucket *b = &t->bucket[index];
	if (load(&b->state, acquire) & LINE_BORN) /* L1 */
		return true;
	size_t before = index & t->smaller->mask;
	struct line_bucket *from = &t->smaller->bucket[before];
	if (!line_bear(m, worker, t->smaller, before))
		return false;
	uint64_t state = line_set(from, LINE_FROZEN);
	for (unsigned slot = 0; slot < LINE_SLOTS; slot++) {
		if (!(state >> slot & 1))
			continue;
		/* relaxed: frozen, and L1 ordered the valid entries */
		struct line_entry *e = line_entry_at(from, slot);
		uint64_t key = load(&e->key, relaxed), value = load(&e->value, relaxed);
		if ((map_hash(key) & t->mask) != index)
			continue;
		enum line_outcome o = line_bucket_insert(b, 0, key, value, m->nodes, worker);
		if (o == LINE_MOVED) /* somebody else was faster */
			return true;
		if (o == LINE_FULL)
			return false;
	}
	line_set(b, LINE_BORN);
	return true;
}

// Sees to it that there is a table larger than t. False: no memory.
static __attribute__((noinline, unused)) bool line_map_grow(
	struct line_map *m, struct line_table *t)
{
	struct line_table *larger = load(&t->larger, acquire), *none = NULL; /* pairs with L8 */
	if (!larger) {
		larger = line_table_make(2 * (t->mask + 1), t);
		if (!larger)
			return false;
		/* L8: release; pairs with L9: the table's content */
		if (!compare_exchange(&t->larger, &none, larger, acq_rel, acquire)) {
			free(larger->bucket);
			free(larger);
			larger = none;
		}
	}
	/* L8: who finds another there has been overtaken by somebody with this or a larger one */
	compare_exchange(&m->table, &t, larger, acq_rel, relaxed);
	return true;
}

// The table to look into after a bucket of t was found unborn or frozen. Null: no memory.
static inline struct line_table *line_next_table(
	struct line_map *m, unsigned worker, struct line_table *t, size_t index)
{
	if (load(&t->bucket[index].state, acquire) & LINE_FROZEN) /* L1 */
		return load(&t->larger, acquire);                 /* L9: acquire; pairs with L8 */
	return line_bear(m, worker, t, index) ? t : NULL;
}

struct line_found { // returned in registers: a pointer would send the value through memory
	uint64_t value;
	bool found;
};

static __attribute__((noinline, unused)) struct line_found line_map_lookup_slow(
	struct line_map *m, unsigned worker, uint64_t key)
{
	struct line_table *t = load(&m->table, acquire); /* L9 */
	for (;;) {
		uint64_t value = 0;
		size_t index = map_hash(key) & t->mask;
		enum line_outcome o = line_bucket_lookup(&t->bucket[index], key, &value);
		if (o != LINE_MOVED)
			return (struct line_found){value, o == LINE_DONE};
		t = line_next_table(m, worker, t, index);
		if (!t)
			abort(); /* out of memory in the middle of a copy */
	}
}

// Whether the key is there; its value then, and any other if not. The first line is all that most
// lookups need; what may be elsewhere takes the slow way.
static ALWAYS_INLINE struct line_found line_map_lookup(
	struct line_map *m, unsigned worker, uint64_t key)
{
	const struct line_table *t = load(&m->table, acquire); /* L9 */
	struct line_bucket *b = &t->bucket[map_hash(key) & t->mask];
	uint64_t state = load(&b->state, acquire); /* L1 */
	unsigned hits = line_hits(b, key) & (unsigned)state;
	/* L0 */
	uint64_t value = load(&b->entry[__builtin_ctz(hits | 4)].value, acquire);
	const uint64_t first = ((uint64_t)1 << LINE_ENTRIES) - 1;
	uint64_t elsewhere = hits ? 0 : state & (LINE_VALID & ~first);
	/* relaxed: L0 puts it after them */
	uint64_t changed = load(&b->state, relaxed) ^ state;
	uint64_t odd = (state & (LINE_BORN | LINE_FROZEN)) ^ LINE_BORN;
	if (__builtin_expect((elsewhere | changed | odd) == 0, 1))
		return (struct line_found){value, hits != 0};
	return line_map_lookup_slow(m, worker, key);
}

// False: the key is there already, or there is no memory.
static __attribute__((noinline, unused)) bool line_map_insert(
	struct line_map *m, unsigned worker, uint64_t key, uint64_t value)
{
	struct line_table *t = load(&m->table, acquire); /* L9 */
	enum line_outcome o;
	for (;;) {
		size_t index = map_hash(key) & t->mask;
		o = line_bucket_insert(&t->bucket[index], LINE_BORN, key, value, m->nodes, worker);
		if (o == LINE_DONE || o == LINE_NOT)
			break;
		if (o == LINE_FULL && !line_map_grow(m, t))
			return false;
		if (o == LINE_FULL)
			t = load(&t->larger, acquire); /* L9 */
		else
			t = line_next_table(m, worker, t, index);
		if (!t)
			return false;
	}
	if (o == LINE_DONE) {
		size_t count = map_count_add(&m->count, worker, 1);
		if (count * 2 > (t->mask + 1) * LINE_LOAD_TWICE)
			line_map_grow(m, t);
	}
	return o == LINE_DONE;
}

// False: the key is not there.
static __attribute__((noinline, unused)) bool line_map_remove(
	struct line_map *m, unsigned worker, uint64_t key, uint64_t *value)
{
	struct line_table *t = load(&m->table, acquire); /* L9 */
	for (;;) {
		size_t index = map_hash(key) & t->mask;
		enum line_outcome o = line_bucket_remove(&t->bucket[index], key, value);
		if (o == LINE_DONE)
			map_count_add(&m->count, worker, -1);
		if (o != LINE_MOVED)
			return o == LINE_DONE;
		t = line_next_table(m, worker, t, index);
		if (!t)
			abort(); /* out of memory in the middle of a copy */
	}
}

// At rest.
static inline void line_map_walk(struct line_map *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	struct line_table *t = load(&m->table, relaxed); /* relaxed, all: at rest */
	for (size_t i = 0; i <= t->mask; i++) {
		if (!line_bear(m, 0, t, i))
			abort(); /* out of memory in the middle of a copy */
		uint64_t state = load(&t->bucket[i].state, relaxed);
		for (unsigned slot = 0; slot < LINE_SLOTS; slot++) {
			if (!(state >> slot & 1))
				continue;
			struct line_entry *e = line_entry_at(&t->bucket[i], slot);
			visit(context, load(&e->key, relaxed), load(&e->value, relaxed));
		}
	}
}
