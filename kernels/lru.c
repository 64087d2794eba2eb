// SPDX-License-Identifier: BSD-2-Clause
// lru: a cache of fixed capacity in front of something slow. A get of a key that is there gives its
// value and marks it as used; else the value is computed and takes the place of one not used for
// long. Some keys are far more popular than others (Zipf's law). Even a hit writes, in an exact
// LRU: which is why caches shared by many threads are split (fine-lock) or approximate (lock-free).
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"
#include "locks.h"
#include "structures/lru_clock.h"
#include "structures/lru_list.h"

enum { CAPACITY_LEAST = 64, CAPACITY_MOST = 1 << 20, KEYS_MOST = 1 << 22, DRAWN = 1 << 20 };
enum { SHARDS = 64 }; // each with a lock and an order of use of its own

struct requests { // drawn before the measurement: the generator costs the workers nothing
	unsigned capacity, keys;
	uint32_t drawn[DRAWN];
};

struct shard {
	struct lru_list list;
	_Alignas(LOCK_ALIGN) unsigned char lock[]; // of the size that the lock has
};

struct lru {
	const struct requests *requests;
	unsigned capacity; // of the strategy: no more entries than this
	/* Side by side, as one would declare them. */
	LINE_ALIGNED struct lru_list list;
	_Alignas(LOCK_ALIGN) unsigned char lock[LOCK_SIZE]; // of the list
	LINE_ALIGNED char *shards;                          // of shard_stride bytes each
	struct lru_clock clock;
};

struct lru_own {
	unsigned at; // next request
	uint64_t hits, misses;
	uint64_t wrong; // values that are not the key's
};

// What is slow in earnest: here a few instructions, so that the cache is what is measured.
static ALWAYS_INLINE uint32_t value_of(uint32_t key)
{
	return (key + 1) * UINT32_C(2654435761);
}

static ALWAYS_INLINE bool list_get(struct lru_list *l, uint32_t key, uint64_t *value)
{
	if (lru_list_lookup(l, key, value))
		return true;
	*value = value_of(key);
	lru_list_insert(l, key, *value);
	return false;
}

static int draw(struct requests *q, double theta)
{
	double *weight = malloc(q->keys * sizeof *weight);
	uint32_t *key = malloc(q->keys * sizeof *key);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same */
	gsl_ran_discrete_t *law = NULL;
	if (weight && key && rng) {
		for (unsigned i = 0; i < q->keys; i++) {
			weight[i] = pow(i + 1, -theta);
			key[i] = i;
		}
		gsl_ran_shuffle(rng, key, q->keys, sizeof *key); /* popular ones lie anywhere */
		law = gsl_ran_discrete_preproc(q->keys, weight);
	}
	for (unsigned i = 0; law && i < DRAWN; i++)
		q->drawn[i] = key[gsl_ran_discrete(rng, law)];
	int rc = law ? 0 : ENOMEM;
	if (law)
		gsl_ran_discrete_free(law);
	if (rng)
		gsl_rng_free(rng);
	free(weight);
	free(key);
	return rc;
}

// The share of hits of an exact LRU, once it is full, is a fact of what was drawn.
static int note_hits(struct input *in, const struct requests *q)
{
	struct lru_list list;
	uint64_t hits = 0, value;
	int rc = lru_list_init(&list, q->capacity);
	for (unsigned i = 0; i < DRAWN && !rc; i++)
		list_get(&list, q->drawn[i], &value);
	for (unsigned i = 0; i < DRAWN && !rc; i++)
		hits += list_get(&list, q->drawn[i], &value);
	lru_list_fini(&list);
	if (!rc)
		snprintf(in->note, sizeof in->note, "%.1f %% of the gets hit in an exact LRU cache",
			100.0 * (double)hits / DRAWN);
	return rc;
}

static int prepare(struct input *in)
{
	double theta;
	struct requests *q = in->data = malloc(sizeof *q);
	if (!q)
		return ENOMEM;
	int rc = input_whole(in, "capacity", CAPACITY_LEAST, CAPACITY_MOST, &q->capacity);
	if (!rc)
		rc = input_whole(in, "keys", 1, KEYS_MOST, &q->keys);
	if (!rc)
		rc = input_number(in, "theta", 0, 5, &theta);
	if (!rc)
		rc = draw(q, theta);
	return rc ? rc : note_hits(in, q);
}

static void unprepare(struct input *in)
{
	free(in->data);
}

static ALWAYS_INLINE uint32_t next(const struct lru *l, unsigned *at)
{
	return l->requests->drawn[(*at)++ % DRAWN];
}

// The gets of one batch, kept in registers until its end.
struct counts {
	uint64_t hits, wrong;
};

static ALWAYS_INLINE void note(struct counts *c, uint32_t key, uint64_t value, bool hit)
{
	c->hits += hit;
	c->wrong += value != value_of(key);
}

static ALWAYS_INLINE uint64_t counted(struct lru_own *own, const struct counts *c, uint64_t n)
{
	own->hits += c->hits;
	own->misses += n - c->hits;
	own->wrong += c->wrong;
	return n;
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct lru *l = state;
	struct lru_own *own = w->own;
	struct counts c = {0};
	for (uint64_t i = 0; i < n; i++) {
		uint32_t key = next(l, &own->at);
		uint64_t value;
		bool hit = list_get(&l->list, key, &value);
		note(&c, key, value, hit);
	}
	return counted(own, &c, n);
}

struct get { // a section's argument
	uint32_t key;
	bool hit;
	uint64_t value;
};

// One text for all locks: a call costs little beside the lines that a get touches.
static __attribute__((noinline)) void get_from(struct lru_list *l, struct get *get)
{
	get->hit = list_get(l, get->key, &get->value);
}

static inline void get_section(void *list, void *get)
{
	get_from(list, get);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct lru *l = state;
	struct lru_own *own = w->own;
	struct counts c = {0};
	for (uint64_t i = 0; i < n; i++) {
		struct get get = {.key = next(l, &own->at)};
		lock_execute(lock, &l->lock, &w->node[0], get_section, &l->list, &get);
		note(&c, get.key, get.value, get.hit);
	}
	return counted(own, &c, n);
}
LOCKED_BATCH(global_lock)

static ALWAYS_INLINE size_t shard_stride(const struct lock_class *lock)
{
	return (offsetof(struct shard, lock) + lock->size + LINE_PAIR - 1) &
	       ~(size_t)(LINE_PAIR - 1);
}

// By other bits of the key than those that choose a bucket within.
static ALWAYS_INLINE struct shard *shard_of(
	const struct lru *l, const struct lock_class *lock, uint32_t key)
{
	return (struct shard *)(l->shards + (lru_hash(key) >> 26) % SHARDS * shard_stride(lock));
}

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct lru *l = state;
	struct lru_own *own = w->own;
	struct counts c = {0};
	for (uint64_t i = 0; i < n; i++) {
		struct get get = {.key = next(l, &own->at)};
		struct shard *s = shard_of(l, lock, get.key);
		lock_execute(lock, &s->lock, &w->node[0], get_section, &s->list, &get);
		note(&c, get.key, get.value, get.hit);
	}
	return counted(own, &c, n);
}
LOCKED_BATCH(fine_lock)

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	struct lru *l = state;
	struct lru_own *own = w->own;
	struct counts c = {0};
	for (uint64_t i = 0; i < n; i++) {
		uint32_t key = next(l, &own->at), value;
		bool hit = lru_clock_lookup(&l->clock, key, &value);
		if (!hit) {
			value = value_of(key);
			lru_clock_insert(&l->clock, key, value);
		}
		note(&c, key, value, hit);
	}
	return counted(own, &c, n);
}

static int create_shards(struct lru *l, struct run *r)
{
	const struct lock_class *lock = r->variant->lock;
	size_t size = SHARDS * shard_stride(lock);
	l->shards = aligned_alloc(LINE_PAIR, size);
	if (!l->shards)
		return ENOMEM;
	memset(l->shards, 0, size);
	int rc = 0;
	for (unsigned i = 0; i < SHARDS && !rc; i++) {
		struct shard *s = (struct shard *)(l->shards + i * shard_stride(lock));
		rc = lock->init(&s->lock, r->team);
		if (!rc)
			rc = lru_list_init(
				&s->list, l->capacity / SHARDS + (i < l->capacity % SHARDS));
	}
	return rc;
}

static int create(struct run *r)
{
	struct lru *l = r->state;
	const struct lock_class *lock = r->variant->lock;
	l->requests = r->input->data;
	l->capacity = l->requests->capacity;
	for (unsigned i = 0; i < r->count; i++)
		((struct lru_own *)r->workers[i]->own)->at = DRAWN / r->count * i;
	if (STRATEGY_IS(r->variant, "fine-lock"))
		return create_shards(l, r);
	if (STRATEGY_IS(r->variant, "lock-free"))
		return lru_clock_init(&l->clock, l->capacity);
	int rc = lock ? lock->init(&l->lock, r->team) : 0;
	return rc ? rc : lru_list_init(&l->list, l->capacity);
}

static void destroy(struct run *r)
{
	struct lru *l = r->state;
	const struct lock_class *lock = r->variant->lock;
	for (unsigned i = 0; l->shards && i < SHARDS; i++) {
		struct shard *s = (struct shard *)(l->shards + i * shard_stride(lock));
		lock->fini(&s->lock);
		lru_list_fini(&s->list);
	}
	free(l->shards);
	if (lock && STRATEGY_IS(r->variant, "global-lock"))
		lock->fini(&l->lock);
	lru_list_fini(&l->list);
	lru_clock_fini(&l->clock);
}

/* What is in a cache at rest: each key once, with its value, and not too many. */

struct content {
	unsigned char *seen; // of each key
	unsigned keys, entries;
	int64_t wrong;
};

static void found(struct content *c, uint32_t key, uint64_t value)
{
	c->entries++;
	if (key >= c->keys || c->seen[key]++ || value != value_of(key))
		c->wrong++;
}

// By the order of use: it must lead through all entries, and back.
static void list_content(const struct lru_list *l, struct content *c)
{
	uint32_t newer = LRU_NONE, count = 0;
	for (uint32_t at = l->newest; at != LRU_NONE && count <= l->count;
		newer = at, at = l->entry[at].older) {
		c->wrong += l->entry[at].newer != newer;
		found(c, l->entry[at].key, l->entry[at].value);
		count++;
	}
	c->wrong += l->oldest != newer || count != l->count || count > l->capacity;
}

// No claim is left either: an entry is whole or there is none.
static void clock_content(const struct lru_clock *l, struct content *c)
{
	for (uint32_t i = 0; i < l->sets; i++)
		for (unsigned way = 0; way < LRU_CLOCK_WAYS; way++) {
			uint64_t entry =
				load(&l->set[i].entry[way], relaxed); /* relaxed: at rest */
			if (!entry)
				continue;
			c->wrong += !(entry & LRU_CLOCK_WHOLE) || (entry & LRU_CLOCK_CLAIMED);
			found(c, entry & LRU_CLOCK_KEY, entry >> 32);
		}
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct lru *l = r->state;
	struct content c = {.keys = l->requests->keys};
	c.seen = calloc(c.keys, 1);
	if (!c.seen)
		return 1; /* not known to be right */
	if (l->list.entry)
		list_content(&l->list, &c);
	if (l->clock.set)
		clock_content(&l->clock, &c);
	for (unsigned i = 0; l->shards && i < SHARDS; i++)
		list_content(
			&((struct shard *)(l->shards + i * shard_stride(r->variant->lock)))->list,
			&c);
	free(c.seen);
	int64_t wrong = c.wrong + (c.entries > l->capacity ? c.entries - l->capacity : 0);
	for (unsigned i = 0; i < r->count; i++) {
		const struct lru_own *own = r->workers[i]->own;
		wrong += (int64_t)own->wrong;
		wrong += llabs((int64_t)(done[i] - own->hits - own->misses));
	}
	return wrong;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock) LOCKED_VARIANTS("fine-lock", fine_lock){
		.strategy = "lock-free", .batch = lock_free},
};

static const struct param params[] = {
	{"capacity", "4096", "entries that the cache holds", "64..1048576"},
	{"keys", "16384", "different keys that are asked for", "1..4194304"},
	{"theta", "0.99", "skew of Zipf's law; 0: all keys alike", "0..5 (real)"},
	{0},
};

KERNEL(lru, .summary = "gets from a cache that evicts what was not used for long",
	.shared = "a cache of 4096 entries", .unit = "gets", .locks = "mutex ttas mcs",
	.state_size = sizeof(struct lru), .own_size = sizeof(struct lru_own), .params = params,
	VARIANTS(variants), .prepare = prepare, .unprepare = unprepare, .create = create,
	.destroy = destroy, .check = check);
