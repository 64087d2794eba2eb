// SPDX-License-Identifier: BSD-2-Clause
// alloc: workers allocate and free blocks of memory, as programs do that keep a set of objects and
// replace one after another. Some blocks change hands and are freed by another worker than the one
// that allocated them. An operation is one allocation, with the free of what it replaces.
// Strategies from `sequential` to `private` are one allocator of ours (structures/slab.h): alone,
// under one lock, and with magazines for each worker. `libc` is the malloc that this program is
// linked with, or that is preloaded; `jemalloc` and `mimalloc` are theirs, loaded where installed.
// Each block is marked at both ends when it is allocated and looked at when it is freed.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"
#include "locks.h"
#include "structures/slab.h"

enum {
	BLOCKS_MOST = 1 << 16,
	SMALLEST = 16,
	UNIT = 8,             // sizes are multiples of it
	OPERATIONS = 1 << 16, // drawn
	EXCHANGES = 256,      // places where blocks change hands
};

// A drawn operation: which block of the worker's is replaced, by how large a one, and whether it
// changes hands first.
struct step {
	uint16_t place;
	uint16_t units : 15;
	uint16_t remote : 1;
};

struct churn {
	unsigned blocks, largest;
	double remote; // percent
	struct step step[OPERATIONS];
};

struct exchange {
	LINE_ALIGNED _Atomic(void *) block;
};

struct alloc {
	struct any_lock lock;
	LINE_ALIGNED const struct churn *churn;
	void *(*get)(size_t size); // a library's
	void (*put)(void *block);
	struct exchange *exchange;
	struct slabs slabs;
};

struct alloc_own {
	void **block; // churn->blocks of them, or null
	unsigned at;  // next step
	uint64_t allocated, freed;
	uint64_t broken; // blocks that were not as they had been left
	uint64_t serial;
	struct slab_cache cache; // private
};

static void unprepare(struct input *in)
{
	free(in->data);
}

static int prepare(struct input *in)
{
	struct churn *c = malloc(sizeof *c);
	in->data = c;
	if (!c)
		return ENOMEM;
	int rc = input_whole(in, "blocks", 1, BLOCKS_MOST, &c->blocks);
	if (!rc)
		rc = input_whole(in, "largest", SMALLEST, SLAB_LARGEST, &c->largest);
	if (!rc)
		rc = input_number(in, "remote-percent", 0, 100, &c->remote);
	if (rc)
		return rc;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same */
	if (!rng)
		return ENOMEM;
	for (unsigned i = 0; i < OPERATIONS; i++) {
		/* Each power of two as often as any other. */
		double size = SMALLEST * pow((double)c->largest / SMALLEST, gsl_rng_uniform(rng));
		c->step[i] = (struct step){(uint16_t)gsl_rng_uniform_int(rng, c->blocks),
			(uint16_t)(size / UNIT), gsl_rng_uniform(rng) * 100 < c->remote};
	}
	gsl_rng_free(rng);
	return 0;
}

/* Blocks. The first word says how large a block is and is no other's; the last one is the first,
 * changed by the block's address. */

static ALWAYS_INLINE uint64_t last_word(const void *block, uint64_t first)
{
	return (first ^ (uintptr_t)block) * 0x9e3779b97f4a7c15u;
}

static ALWAYS_INLINE void mark(struct alloc_own *own, struct worker *w, void *block, unsigned units)
{
	uint64_t *word = block, first = own->serial++ << 32 | (uint64_t)w->index << 16 | units;
	word[units - 1] = last_word(block, first);
	word[0] = first;
}

static ALWAYS_INLINE size_t block_size(const void *block)
{
	return (*(const uint64_t *)block & 0xffff) * UNIT;
}

// Whether both ends are as they were left.
static ALWAYS_INLINE bool intact(const struct churn *c, const void *block)
{
	const uint64_t *word = block;
	size_t size = block_size(block);
	return size >= SMALLEST && size <= c->largest &&
	       word[size / UNIT - 1] == last_word(block, word[0]);
}

/* Churn. */

static ALWAYS_INLINE uint64_t churn(struct alloc *a, struct worker *w, uint64_t n,
	const struct lock_class *lock,
	void *(*get)(struct alloc *, struct worker *, const struct lock_class *, size_t),
	void (*put)(struct alloc *, struct worker *, const struct lock_class *, void *))
{
	struct alloc_own *own = w->own;
	const struct churn *c = a->churn;
	uint64_t before = own->allocated;
	for (uint64_t i = 0; i < n; i++) {
		struct step step = c->step[own->at++ % OPERATIONS];
		void **place = &own->block[step.place], *old = *place;
		if (step.remote)
			/* A0: acquire, release: what one worker left in the block, another sees */
			old = exchange(&a->exchange[step.place % EXCHANGES].block, old, acq_rel);
		if (old) {
			own->broken += !intact(c, old);
			own->freed++;
			put(a, w, lock, old);
		}
		*place = get(a, w, lock, (size_t)step.units * UNIT);
		if (*place) {
			mark(own, w, *place, step.units);
			own->allocated++;
		}
	}
	w->failed += n - (own->allocated - before);
	return own->allocated - before;
}

static ALWAYS_INLINE void *get_alone(
	struct alloc *a, struct worker *w, const struct lock_class *lock, size_t size)
{
	(void)w;
	(void)lock;
	return slab_get(&a->slabs, size);
}

static ALWAYS_INLINE void put_alone(
	struct alloc *a, struct worker *w, const struct lock_class *lock, void *block)
{
	(void)w;
	(void)lock;
	slab_put(&a->slabs, block);
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	return churn(state, w, n, NULL, get_alone, put_alone);
}

struct request {
	size_t size;
	void *block;
};

static inline void get_section(void *slabs, void *request)
{
	struct request *r = request;
	r->block = slab_get(slabs, r->size);
}

static inline void put_section(void *slabs, void *block)
{
	slab_put(slabs, block);
}

static ALWAYS_INLINE void *get_locked(
	struct alloc *a, struct worker *w, const struct lock_class *lock, size_t size)
{
	struct request r = {size, NULL};
	lock_execute(lock, &a->lock, &w->node[0], get_section, &a->slabs, &r);
	return r.block;
}

static ALWAYS_INLINE void put_locked(
	struct alloc *a, struct worker *w, const struct lock_class *lock, void *block)
{
	lock_execute(lock, &a->lock, &w->node[0], put_section, &a->slabs, block);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return churn(state, w, n, lock, get_locked, put_locked);
}
LOCKED_BATCH(global_lock)

static ALWAYS_INLINE void *get_private(
	struct alloc *a, struct worker *w, const struct lock_class *lock, size_t size)
{
	(void)lock;
	return slab_cache_get(&a->slabs, &((struct alloc_own *)w->own)->cache, size);
}

static ALWAYS_INLINE void put_private(
	struct alloc *a, struct worker *w, const struct lock_class *lock, void *block)
{
	(void)lock;
	slab_cache_put(&a->slabs, &((struct alloc_own *)w->own)->cache, block);
}

static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	return churn(state, w, n, NULL, get_private, put_private);
}

/* Libraries: all through pointers, so that they are called alike. */

static const struct library {
	const char *strategy, *file, *get, *put; // file: null for the program's own
} libraries[] = {
	{"libc", NULL, "malloc", "free"},
	{"jemalloc", "libjemalloc.so.2", "malloc", "free"},
	{"mimalloc", "libmimalloc.so.2", "mi_malloc", "mi_free"},
};

static const struct library *library_of(const struct variant *v)
{
	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
		if (STRATEGY_IS(v, libraries[i].strategy))
			return &libraries[i];
	return NULL;
}

// Only where it is to be measured: nothing else should run in a process with two allocators. It
// stays, since threads that used it have memory of its own.
static int load_library(struct alloc *a, const struct library *l)
{
	if (!l->file) {
		a->get = malloc;
		a->put = free;
		return 0;
	}
	void *library = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return ELIBACC;
	*(void **)&a->get = dlsym(library, l->get);
	*(void **)&a->put = dlsym(library, l->put);
	return a->get && a->put ? 0 : ELIBBAD;
}

// Tried in a process of its own, which ends with it. One that fails for want of static thread-local
// memory will be loaded: measuring processes have more.
static bool can_be_loaded(const char *file)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0) {
		const char *why = dlopen(file, RTLD_NOW | RTLD_LOCAL) ? NULL : dlerror();
		_exit(why && !strstr(why, "static TLS"));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ThreadSanitizer does not see into them, and would report each block that changes hands in them.
#if defined __SANITIZE_THREAD__
#define SEEN_INTO false
#elif defined __has_feature
#define SEEN_INTO !__has_feature(thread_sanitizer)
#else
#define SEEN_INTO true
#endif

static bool jemalloc_available(void)
{
	return SEEN_INTO && can_be_loaded("libjemalloc.so.2");
}

static bool mimalloc_available(void)
{
	return SEEN_INTO && can_be_loaded("libmimalloc.so.2");
}

static void *get_library(
	struct alloc *a, struct worker *w, const struct lock_class *lock, size_t size)
{
	(void)w;
	(void)lock;
	return a->get(size);
}

static void put_library(
	struct alloc *a, struct worker *w, const struct lock_class *lock, void *block)
{
	(void)w;
	(void)lock;
	a->put(block);
}

static uint64_t library(void *state, struct worker *w, uint64_t n)
{
	return churn(state, w, n, NULL, get_library, put_library);
}

/* The state. */

static int create(struct run *r)
{
	struct alloc *a = r->state;
	const struct library *l = library_of(r->variant);
	a->churn = r->input->data;
	slab_init(&a->slabs);
	a->exchange = aligned_alloc(LINE_PAIR, EXCHANGES * sizeof *a->exchange);
	if (!a->exchange)
		return ENOMEM;
	memset((void *)a->exchange, 0, EXCHANGES * sizeof *a->exchange);
	for (unsigned i = 0; i < r->count; i++) {
		struct alloc_own *own = r->workers[i]->own;
		own->at = OPERATIONS / r->count * i;
		own->block = calloc(a->churn->blocks, sizeof *own->block);
		if (!own->block)
			return ENOMEM;
	}
	if (l)
		return load_library(a, l);
	return r->variant->lock ? r->variant->lock->init(&a->lock, r->team) : 0;
}

// All blocks that nobody has freed: of the workers, then those that were changing hands. Counts
// them, and puts them to `held` unless that is null.
static size_t collect(const struct run *r, void **held)
{
	const struct alloc *a = r->state;
	size_t count = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct alloc_own *own = r->workers[i]->own;
		for (unsigned b = 0; own->block && b < a->churn->blocks; b++)
			if (own->block[b] && ++count && held)
				held[count - 1] = own->block[b];
	}
	for (unsigned i = 0; a->exchange && i < EXCHANGES; i++) {
		void *block = load(&a->exchange[i].block, relaxed); /* relaxed: all at rest */
		if (block && ++count && held)
			held[count - 1] = block;
	}
	return count;
}

static void destroy(struct run *r)
{
	struct alloc *a = r->state;
	size_t count = a->put ? collect(r, NULL) : 0;
	void **held = count ? malloc(count * sizeof *held) : NULL;
	if (held)
		collect(r, held);
	for (size_t i = 0; held && i < count; i++)
		a->put(held[i]);
	free(held);
	for (unsigned i = 0; i < r->count; i++)
		free(((struct alloc_own *)r->workers[i]->own)->block);
	free(a->exchange);
	slab_fini(&a->slabs);
	if (r->variant->lock)
		r->variant->lock->fini(&a->lock);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
	return (x > y) - (x < y);
}

// Blocks that are not as they were left, or reach into the next one.
static int64_t wrong_blocks(const struct churn *c, void **held, size_t count)
{
	int64_t wrong = 0;
	qsort(held, count, sizeof *held, by_address);
	for (size_t i = 0; i < count; i++)
		wrong += !intact(c, held[i]) ||
			 (i + 1 < count &&
				 (uintptr_t)held[i] + block_size(held[i]) > (uintptr_t)held[i + 1]);
	return wrong;
}

// Every block that was allocated has been freed once or is there, whole.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct alloc *a = r->state;
	size_t count = collect(r, NULL);
	void **held = malloc((count + 1) * sizeof *held);
	int64_t missing = 0, gone = -(int64_t)count, broken = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct alloc_own *own = r->workers[i]->own;
		missing += llabs((int64_t)(done[i] - own->allocated));
		gone += (int64_t)(own->allocated - own->freed);
		broken += (int64_t)own->broken;
	}
	if (held) {
		collect(r, held);
		broken += wrong_blocks(a->churn, held, count);
	}
	free(held);
	return missing + llabs(gone) + broken + !held;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock){.strategy = "private", .batch = private_batch},
	{.strategy = "libc", .batch = library},
	{.strategy = "jemalloc", .batch = library, .available = jemalloc_available},
	{.strategy = "mimalloc", .batch = library, .available = mimalloc_available},
};

static const struct param params[] = {
	{"blocks", "1024", "blocks that each worker keeps", "1..65536"},
	{"largest", "1024", "bytes; sizes are drawn from 16 on, each power of two as often",
		"16..8192"},
	{"remote-percent", "5", "blocks that another worker frees", "0..100 (real)"},
	{0},
};

KERNEL(alloc, .summary = "allocates and frees blocks of memory",
	.shared = "the allocator, and blocks that change hands", .unit = "allocations",
	.locks = "mutex ttas mcs", .state_size = sizeof(struct alloc),
	.own_size = sizeof(struct alloc_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.check = check);
