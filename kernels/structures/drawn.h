// SPDX-License-Identifier: BSD-2-Clause
// The operations of a kernel on a map or set, drawn before the measurement, so that the generator
// costs the workers nothing but reading 4 bytes in sequence: which operation, on which key.
// Keys are present with the probability at which insertions and removals balance, from the start:
// the structure neither grows nor shrinks while it is measured.
#pragma once

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"

enum { DRAWN_KEY_BITS = 30, DRAWN_FEWEST = 1 << 16, DRAWN_MOST = 1 << 22 };

struct drawn {
	unsigned keys;         // that are present at first, and on average
	unsigned range;        // keys are 0 .. range - 1
	unsigned operations;   // drawn: a power of two
	uint32_t *operation;   // verb << DRAWN_KEY_BITS | key
	unsigned char *within; // of each key, whether it is present at first
};

// For a kernel's list of parameters; KEYS is the default, as text, RANGE what is accepted.
#define DRAWN_PARAMS(KEYS, RANGE)                                                                  \
	{"keys", KEYS, "keys present at first and on average", RANGE},                             \
		{"mix", "90/9/1", "lookups/insertions/removals, in percent",                       \
			"three whole numbers, 100 together"},                                      \
	{                                                                                          \
		"distribution", "uniform", "how often keys are asked for (zipf: 0.99)",            \
			"uniform|zipf"                                                             \
	}

static ALWAYS_INLINE enum verb drawn_verb(uint32_t operation)
{
	return (enum verb)(operation >> DRAWN_KEY_BITS);
}

static ALWAYS_INLINE unsigned drawn_key(uint32_t operation)
{
	return operation & (((uint32_t)1 << DRAWN_KEY_BITS) - 1);
}

// Where a worker begins: far from the others.
static inline unsigned drawn_start(const struct drawn *d, unsigned worker, unsigned workers)
{
	return d->operations / workers * worker;
}

static ALWAYS_INLINE uint32_t drawn_next(const struct drawn *d, unsigned *at)
{
	return d->operation[(*at)++ & (d->operations - 1)];
}

static inline void drawn_free(struct drawn *d)
{
	if (!d)
		return;
	free(d->operation);
	free(d->within);
	free(d);
}

static inline int drawn_mix(struct input *in, unsigned share[3])
{
	const char *text = input_text(in, "mix");
	int end = 0;
	if (sscanf(text, "%3u/%3u/%3u%n", &share[0], &share[1], &share[2], &end) == 3 &&
		!text[end] && share[0] + share[1] + share[2] == 100 && !share[1] == !share[2])
		return 0;
	snprintf(in->error, sizeof in->error,
		"'%s' is not lookups/insertions/removals in percent, 100 together, as 90/9/1; "
		"with insertions there are removals",
		text);
	return EINVAL;
}

// Popular keys lie anywhere: ranks are dealt to keys by a shuffle.
static inline int drawn_fill(struct drawn *d, const unsigned share[3], double theta)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same */
	double *weight = malloc(d->range * sizeof *weight);
	uint32_t *key = malloc(d->range * sizeof *key);
	gsl_ran_discrete_t *law = NULL;
	if (rng && weight && key) {
		for (unsigned i = 0; i < d->range; i++) {
			d->within[i] = i < d->keys;
			key[i] = i;
			weight[i] = pow(i + 1, -theta);
		}
		gsl_ran_shuffle(rng, d->within, d->range, sizeof *d->within);
		gsl_ran_shuffle(rng, key, d->range, sizeof *key);
		law = theta > 0 ? gsl_ran_discrete_preproc(d->range, weight) : NULL;
		for (unsigned i = 0; i < d->operations; i++) {
			unsigned percent = (unsigned)gsl_rng_uniform_int(rng, 100);
			uint32_t verb = percent < share[0]              ? VERB_LOOKUP
					: percent < share[0] + share[1] ? VERB_INSERT
									: VERB_REMOVE;
			size_t rank = law ? gsl_ran_discrete(rng, law)
					  : gsl_rng_uniform_int(rng, d->range);
			d->operation[i] = verb << DRAWN_KEY_BITS | key[rank];
		}
	}
	bool made = rng && weight && key && (law || theta == 0);
	if (law)
		gsl_ran_discrete_free(law);
	if (rng)
		gsl_rng_free(rng);
	free(weight);
	free(key);
	return made ? 0 : ENOMEM;
}

// Reads keys (fewest to most), mix and distribution, and draws. 0, or a positive errno with
// in->error set where a value is wrong. The caller frees *made with drawn_free, also after errors.
static inline int drawn_make(struct input *in, unsigned fewest, unsigned most, struct drawn **made)
{
	unsigned share[3];
	struct drawn *d = *made = calloc(1, sizeof *d);
	if (!d)
		return ENOMEM;
	int rc = input_whole(in, "keys", fewest, most, &d->keys);
	if (!rc)
		rc = drawn_mix(in, share);
	if (rc)
		return rc;
	const char *law = input_text(in, "distribution");
	if (strcmp(law, "uniform") && strcmp(law, "zipf")) {
		snprintf(in->error, sizeof in->error, "'%s' is none of uniform|zipf", law);
		return EINVAL;
	}
	/* A key is put in at the rate of its insertions while absent, and out likewise. */
	double within = share[1] ? share[1] / (double)(share[1] + share[2]) : 0.5;
	d->range = (unsigned)ceil(d->keys / within);
	d->operations = DRAWN_FEWEST;
	while (d->operations < 4 * (uint64_t)d->range && d->operations < DRAWN_MOST)
		d->operations *= 2;
	d->operation = malloc(d->operations * sizeof *d->operation);
	d->within = malloc(d->range);
	if (!d->operation || !d->within)
		return ENOMEM;
	return drawn_fill(d, share, strcmp(law, "zipf") == 0 ? 0.99 : 0);
}
