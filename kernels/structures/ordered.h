// SPDX-License-Identifier: BSD-2-Clause
// What the kernels on sorted structures share: drawn operations, the order in which the first keys
// get their nodes, and what each worker did, for the check.
// The first keys' nodes are made in a shuffled order, the same for all variants: neighbours in the
// structure are no neighbours in memory, as after a long life, and no variant profits from a
// structure that was just made.
#pragma once

#include "drawn.h"
#include "request.h"

struct ordered {
	struct drawn *drawn;
	uint32_t *shuffled; // the first keys, drawn->keys of them
	const void *scheme; // of reclamation
};

static inline void ordered_free(struct ordered *o)
{
	if (!o)
		return;
	drawn_free(o->drawn);
	free(o->shuffled);
	free(o);
}

// As drawn_make.
static inline int ordered_make(
	struct input *in, unsigned fewest, unsigned most, struct ordered **made)
{
	struct ordered *o = *made = calloc(1, sizeof *o);
	if (!o)
		return ENOMEM;
	int rc = drawn_make(in, fewest, most, &o->drawn);
	if (rc)
		return rc;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same */
	o->shuffled = malloc(o->drawn->keys * sizeof *o->shuffled);
	if (rng && o->shuffled) {
		for (unsigned key = 0, i = 0; key < o->drawn->range; key++)
			if (o->drawn->within[key])
				o->shuffled[i++] = key;
		gsl_ran_shuffle(rng, o->shuffled, o->drawn->keys, sizeof *o->shuffled);
	}
	if (rng)
		gsl_rng_free(rng);
	return rng && o->shuffled ? 0 : ENOMEM;
}

// The nodes of the first keys in ascending order, each made by make(structure, key). The caller
// frees the array. Null: no memory; what was made by then is lost to all but the pool.
static inline void **ordered_nodes(
	const struct ordered *o, void *structure, void *(*make)(void *structure, uint32_t key))
{
	void **node = calloc(o->drawn->range, sizeof *node);
	unsigned made = 0;
	if (!node)
		return NULL;
	for (unsigned i = 0; i < o->drawn->keys; i++)
		if (!(node[o->shuffled[i]] = make(structure, o->shuffled[i]))) {
			free(node);
			return NULL;
		}
	for (unsigned key = 0; key < o->drawn->range; key++)
		if (node[key])
			node[made++] = node[key];
	return node;
}

/* A worker's own account. */

struct ordered_own {
	unsigned at; // next drawn operation
	uint64_t lookups, inserted, removed;
	uint64_t sum;   // of the keys inserted, less those removed
	uint64_t wrong; // values found that were not their keys'
};

static inline void ordered_begin(
	struct ordered_own *own, const struct drawn *d, unsigned worker, unsigned workers)
{
	own->at = drawn_start(d, worker, workers);
}

static ALWAYS_INLINE struct request ordered_next(const struct drawn *d, struct ordered_own *own)
{
	uint32_t drawn = drawn_next(d, &own->at), key = drawn_key(drawn);
	return (struct request){(enum request_verb)drawn_verb(drawn), key, key};
}

// Returns whether the operation counts.
static ALWAYS_INLINE unsigned ordered_count(
	struct ordered_own *own, const struct request *q, bool done)
{
	own->wrong += q->value != q->key;
	if (q->verb == REQUEST_LOOKUP) {
		own->lookups++;
		return 1;
	}
	if (done && q->verb == REQUEST_INSERT) {
		own->inserted++;
		own->sum += q->key;
	} else if (done) {
		own->removed++;
		own->sum -= q->key;
	}
	return done;
}

// One operation by itself, as kernel.h has it: request(state, worker, q) does it.
static ALWAYS_INLINE bool ordered_operate(void *state, struct worker *w, struct operation *op,
	bool (*request)(void *state, struct worker *w, struct request *q))
{
	struct request q = {(enum request_verb)op->verb, (uint32_t)op->key, (uint32_t)op->value};
	bool done = request(state, w, &q);
	op->value = q.value;
	return done;
}

// How many operations did not take effect exactly once, given what the structure holds; `sound`
// says whether it is in order. done: as kernel's check has it.
static inline int64_t ordered_check(struct run *r, const struct ordered *o, const uint64_t *done,
	bool sound, uint64_t count, uint64_t sum)
{
	uint64_t expected = o->drawn->keys, expected_sum = 0;
	int64_t lost = 0;
	for (unsigned i = 0; i < o->drawn->keys; i++)
		expected_sum += o->shuffled[i];
	for (unsigned i = 0; i < r->count; i++) {
		const struct ordered_own *own = r->workers[i]->own;
		expected += own->inserted - own->removed;
		expected_sum += own->sum;
		lost += (int64_t)own->wrong;
		lost += llabs((int64_t)(done[i] - own->lookups - own->inserted - own->removed));
	}
	lost += llabs((int64_t)(expected - count));
	/* The right number of wrong keys is two operations at the least. */
	lost += expected == count && expected_sum != sum ? 2 : 0;
	return lost + (lost == 0 && !sound);
}
