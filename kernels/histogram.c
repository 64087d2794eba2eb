// SPDX-License-Identifier: BSD-2-Clause
// histogram: workers count the byte values of an input that lies in memory. Each byte is one
// update of one of 256 counters, so the input's skew decides how often two workers meet.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"
#include "locks.h"

enum { BUCKETS = 256, TEXT_SIZE = 1 << 16 };

struct text {
	size_t size;
	unsigned char *bytes;
	uint64_t count[BUCKETS]; // of the whole text
};

struct histogram {
	struct any_lock lock; // global-lock
	struct text *text;
	char *cells; // BUCKETS cells: the count, then (fine-lock) its lock; each on its own line,
		     // but for the sequential program, which has no reason to spread them
};

struct walk {
	const unsigned char *at, *begin, *end; // next byte; the text
};

struct histogram_own {
	struct walk walk;
	size_t start;            // first byte of the walk
	uint64_t count[BUCKETS]; // private
};

// Letters with about the frequencies of English text, most frequent first.
static const char letters[] = " etaoinshrdlcumwfgypbvkxjqz,.\n";

static void generate(struct text *t)
{
	/* Zipf's law over the letters: the few frequent ones collide all the time, as in text. */
	double weight[sizeof letters - 1];
	for (size_t i = 0; i < sizeof letters - 1; i++)
		weight[i] = 1.0 / (double)(i + 1);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same text */
	gsl_ran_discrete_t *law = gsl_ran_discrete_preproc(sizeof letters - 1, weight);
	for (size_t i = 0; i < t->size; i++)
		t->bytes[i] = (unsigned char)letters[gsl_ran_discrete(rng, law)];
	gsl_ran_discrete_free(law);
	gsl_rng_free(rng);
}

static int read_file(struct input *in, struct text *t, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t room = 0;
	if (!f)
		goto failed;
	for (;;) {
		if (t->size == room) {
			room = room ? 2 * room : 1 << 16;
			unsigned char *more = realloc(t->bytes, room);
			if (!more)
				goto failed;
			t->bytes = more;
		}
		size_t got = fread(t->bytes + t->size, 1, room - t->size, f);
		if (got == 0)
			break;
		t->size += got;
	}
	if (ferror(f))
		goto failed;
	fclose(f);
	if (t->size == 0) {
		snprintf(in->error, sizeof in->error, "'%s' is empty: nothing to count", path);
		return EINVAL;
	}
	return 0;
failed:
	snprintf(in->error, sizeof in->error, "cannot read '%s': %s", path, strerror(errno));
	if (f)
		fclose(f);
	return EINVAL;
}

static void unprepare(struct input *in)
{
	struct text *t = in->data;
	if (t)
		free(t->bytes);
	free(t);
}

static int prepare(struct input *in)
{
	struct text *t = calloc(1, sizeof *t);
	in->data = t;
	if (!t)
		return ENOMEM;
	const char *path = input_text(in, "input");
	if (*path) {
		int rc = read_file(in, t, path);
		if (rc)
			return rc;
	} else {
		t->size = TEXT_SIZE;
		t->bytes = malloc(t->size);
		if (!t->bytes)
			return ENOMEM;
		generate(t);
	}
	for (size_t i = 0; i < t->size; i++)
		t->count[t->bytes[i]]++;
	return 0;
}

// How far apart cells lie. Constant in each batch function, so that finding one costs a shift.
enum { COMPACT = sizeof(uint64_t), SPREAD = 64 };

static ALWAYS_INLINE uint64_t *cell(struct histogram *h, size_t stride, unsigned bucket)
{
	return (uint64_t *)(h->cells + bucket * stride);
}

static size_t stride_of(const struct variant *v)
{
	return STRATEGY_IS(v, "sequential")  ? (size_t)COMPACT
	       : STRATEGY_IS(v, "fine-lock") ? cell_stride(sizeof(uint64_t), v->lock)
					     : (size_t)SPREAD;
}

// The next byte of the worker's walk round and round the text.
static ALWAYS_INLINE unsigned next_byte(struct walk *walk)
{
	unsigned byte = *walk->at++;
	if (walk->at == walk->end)
		walk->at = walk->begin;
	return byte;
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct histogram *h = state;
	struct histogram_own *own = w->own;
	struct walk walk = own->walk;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *count = cell(h, COMPACT, next_byte(&walk));
		++*count;
		keep_in_memory(count);
	}
	own->walk = walk;
	return n;
}

static uint64_t unsynchronized(void *state, struct worker *w, uint64_t n)
{
	struct histogram *h = state;
	struct histogram_own *own = w->own;
	struct walk walk = own->walk;
	for (uint64_t i = 0; i < n; i++) {
		/* relaxed load and store: the plain instructions; the race is the program's */
		_Atomic uint64_t *count = (_Atomic uint64_t *)cell(h, SPREAD, next_byte(&walk));
		store(count, load(count, relaxed) + 1, relaxed);
	}
	own->walk = walk;
	return n;
}

static inline void increment(void *state, void *count)
{
	(void)state;
	++*(uint64_t *)count;
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct histogram *h = state;
	struct histogram_own *own = w->own;
	struct walk walk = own->walk;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *count = cell(h, SPREAD, next_byte(&walk));
		lock_execute(lock, &h->lock, &w->node[0], increment, h, count);
	}
	own->walk = walk;
	return n;
}
LOCKED_BATCH(global_lock)

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct histogram *h = state;
	struct histogram_own *own = w->own;
	struct walk walk = own->walk;
	const size_t stride = cell_stride(sizeof(uint64_t), lock);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *count = cell(h, stride, next_byte(&walk));
		void *its_lock = cell_lock(count, sizeof *count);
		lock->acquire(its_lock, &w->node[0]);
		++*count;
		lock->release(its_lock, &w->node[0]);
	}
	own->walk = walk;
	return n;
}
LOCKED_BATCH(fine_lock)

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	struct histogram *h = state;
	struct histogram_own *own = w->own;
	struct walk walk = own->walk;
	for (uint64_t i = 0; i < n; i++)
		/* relaxed: a count publishes nothing but itself */
		fetch_add((_Atomic uint64_t *)cell(h, SPREAD, next_byte(&walk)), 1, relaxed);
	own->walk = walk;
	return n;
}

static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	struct histogram_own *own = w->own;
	struct walk walk = own->walk;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *count = &own->count[next_byte(&walk)];
		++*count;
		keep_in_memory(count);
	}
	own->walk = walk;
	return n;
}

// The merge that private counting owes, within the measured time.
static void finish(void *state, struct worker *w)
{
	struct histogram *h = state;
	struct histogram_own *own = w->own;
	for (unsigned b = 0; b < BUCKETS; b++) {
		if (own->count[b])
			/* relaxed: read when all are at rest */
			fetch_add((_Atomic uint64_t *)cell(h, SPREAD, b), own->count[b], relaxed);
		own->count[b] = 0;
	}
}

static int create(struct run *r)
{
	struct histogram *h = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock");
	h->text = r->input->data;
	size_t stride = stride_of(r->variant);
	h->cells = aligned_alloc(LINE_PAIR, BUCKETS * stride);
	if (!h->cells)
		return ENOMEM;
	memset(h->cells, 0, BUCKETS * stride);
	int rc = lock && !fine ? lock->init(&h->lock, r->team) : 0;
	for (unsigned b = 0; fine && b < BUCKETS && !rc; b++)
		rc = lock->init(cell_lock(cell(h, stride, b), sizeof(uint64_t)), r->team);
	for (unsigned i = 0; i < r->count; i++) {
		struct histogram_own *own = r->workers[i]->own;
		const unsigned char *text = h->text->bytes;
		own->start = h->text->size / r->count * i;
		own->walk = (struct walk){text + own->start, text, text + h->text->size};
	}
	return rc;
}

static void destroy(struct run *r)
{
	struct histogram *h = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock");
	size_t stride = stride_of(r->variant);
	if (lock && !fine)
		lock->fini(&h->lock);
	for (unsigned b = 0; fine && h->cells && b < BUCKETS; b++)
		lock->fini(cell_lock(cell(h, stride, b), sizeof(uint64_t)));
	free(h->cells);
}

// What one worker's walk of `bytes` bytes from `start` must have counted.
static void expect(const struct text *t, size_t start, uint64_t bytes, uint64_t *count)
{
	for (unsigned b = 0; b < BUCKETS; b++)
		count[b] += bytes / t->size * t->count[b];
	for (uint64_t i = 0; i < bytes % t->size; i++)
		count[t->bytes[(start + i) % t->size]]++;
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct histogram *h = r->state;
	uint64_t expected[BUCKETS] = {0};
	size_t stride = stride_of(r->variant);
	for (unsigned i = 0; i < r->count; i++) {
		const struct histogram_own *own = r->workers[i]->own;
		expect(h->text, own->start, done[i], expected);
	}
	int64_t lost = 0;
	for (unsigned b = 0; b < BUCKETS; b++)
		lost += llabs((int64_t)(expected[b] - *cell(h, stride, b)));
	return lost;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	{.strategy = "unsynchronized", .batch = unsynchronized},
	LOCKED_VARIANTS("global-lock", global_lock) LOCKED_VARIANTS("fine-lock", fine_lock){
		.strategy = "lock-free", .batch = lock_free},
	{.strategy = "private", .batch = private_batch},
};

static const struct param params[] = {
	{"input", "", "file whose bytes are counted (default: generated text, skewed letters)",
		"a readable, non-empty file"},
	{0},
};

KERNEL(histogram, .summary = "counts the byte values of a text", .shared = "256 counters",
	.standard = true, .unit = "bytes", .state_size = sizeof(struct histogram),
	.own_size = sizeof(struct histogram_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.finish = finish, .check = check);
