// SPDX-License-Identifier: BSD-2-Clause
// pool: a few items (connections, buffers) that more workers want than there are: the textbook's
// semaphore. An operation takes any free item, uses it alone and puts it back.
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

#include "kernel.h"
#include "locks.h"

enum { PERMITS_MOST = 64, NONE = PERMITS_MOST, USE_MOST = 1000000 };
enum { TOUCHES = 4 };                          // of an item in an operation
enum { PAUSES_FIRST = 16, PAUSES_MOST = 512 }; // where no item is free

struct limits {
	unsigned permits, use;
};

// Used by one worker at a time, which is why nothing in it is atomic.
struct item {
	LINE_ALIGNED uint64_t touched;
	uint64_t x;    // what the use computes
	unsigned user; // index of the worker
};

struct pool {
	/* The list of free items and its lock side by side; sequential has the list alone. */
	LINE_ALIGNED unsigned char lock[LOCK_SIZE];
	unsigned free_count;
	uint8_t free_item[PERMITS_MOST];
	LINE_ALIGNED _Atomic uint64_t free_bits; // semaphore, lock-free: a bit for each free item
	LINE_ALIGNED sem_t permits;              // semaphore
	LINE_ALIGNED unsigned use;
	uint64_t all_bits;
	struct item item[PERMITS_MOST];
};

struct pool_own {
	uint64_t intrusions; // uses in which the item was not this worker's alone
};

static int prepare(struct input *in)
{
	struct limits *l = malloc(sizeof *l);
	in->data = l;
	if (!l)
		return ENOMEM;
	int rc = input_whole(in, "permits", 1, PERMITS_MOST, &l->permits);
	return rc ? rc : input_whole(in, "use", 0, USE_MOST, &l->use);
}

static void unprepare(struct input *in)
{
	free(in->data);
}

static ALWAYS_INLINE void use(struct pool *p, struct worker *w, unsigned i)
{
	struct item *item = &p->item[i];
	struct pool_own *own = w->own;
	uint64_t x = item->x;
	item->user = w->index;
	for (unsigned touch = 0; touch < TOUCHES; touch++) {
		item->touched++;
		keep_in_memory(&item->touched);
	}
	for (unsigned step = 0; step < p->use; step++) {
		x = x * 6364136223846793005u + 1442695040888963407u; /* as control does */
		keep_in_register(x);
	}
	item->x = x;
	keep_in_memory(&item->user);
	if (item->user != w->index)
		own->intrusions++;
}

// No item is free: one will be soon, but where its user is not running, that one must run first.
static __attribute__((noinline)) void back_off(unsigned *pauses)
{
	for (unsigned i = 0; i < *pauses; i++)
		cpu_relax();
	if (*pauses < PAUSES_MOST)
		*pauses *= 2;
	else
		sched_yield();
}

/* With a list. The remainders mean nothing while the lock holds what it promises; where it does
 * not, the check must tell, and not the damage. */

static inline void take_listed(void *state, void *taken)
{
	struct pool *p = state;
	unsigned count = p->free_count, i = NONE;
	if (count > 0) {
		p->free_count = --count;
		i = p->free_item[count % PERMITS_MOST];
	}
	*(unsigned *)taken = i;
}

static inline void put_listed(void *state, void *taken)
{
	struct pool *p = state;
	const unsigned *i = taken;
	p->free_item[p->free_count++ % PERMITS_MOST] = (uint8_t)*i;
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		unsigned taken;
		take_listed(state, &taken);
		use(state, w, taken);
		put_listed(state, &taken);
	}
	return n;
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct pool *p = state;
	for (uint64_t i = 0; i < n; i++) {
		unsigned taken, pauses = PAUSES_FIRST;
		for (;;) {
			lock_execute(lock, &p->lock, &w->node[0], take_listed, p, &taken);
			if (taken != NONE)
				break;
			back_off(&pauses);
		}
		use(p, w, taken);
		lock_execute(lock, &p->lock, &w->node[0], put_listed, p, &taken);
	}
	return n;
}
LOCKED_BATCH(global_lock)

/* With bits. */

static ALWAYS_INLINE unsigned take_bit(struct pool *p)
{
	uint64_t bits = load(&p->free_bits, relaxed); /* relaxed: the exchange orders */
	while (bits)
		/* A0: acquire; pairs with A1 of whoever used the item before */
		if (compare_exchange_weak(
			    &p->free_bits, &bits, bits & (bits - 1), acquire, relaxed))
			return (unsigned)__builtin_ctzll(bits);
	return NONE;
}

static ALWAYS_INLINE void put_bit(struct pool *p, unsigned i)
{
	/* The bit is clear, so adding sets it. A1: release; pairs with A0 */
	fetch_add(&p->free_bits, UINT64_C(1) << i, release);
}

static ALWAYS_INLINE unsigned wait_for_bit(struct pool *p)
{
	unsigned taken, pauses = PAUSES_FIRST;
	while ((taken = take_bit(p)) == NONE)
		back_off(&pauses);
	return taken;
}

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	struct pool *p = state;
	for (uint64_t i = 0; i < n; i++) {
		unsigned taken = wait_for_bit(p);
		use(p, w, taken);
		put_bit(p, taken);
	}
	return n;
}

// Whoever has a permit finds a bit: bits are set before the permit is given back.
static uint64_t semaphore(void *state, struct worker *w, uint64_t n)
{
	struct pool *p = state;
	for (uint64_t i = 0; i < n; i++) {
		while (sem_wait(&p->permits) != 0)
			; /* a signal */
		unsigned taken = take_bit(p);
		if (taken == NONE) {
			((struct pool_own *)w->own)->intrusions++; /* more permits than items */
			taken = wait_for_bit(p);
		}
		use(p, w, taken);
		put_bit(p, taken);
		sem_post(&p->permits);
	}
	return n;
}

static int create(struct run *r)
{
	struct pool *p = r->state;
	const struct limits *l = r->input->data;
	p->use = l->use;
	p->all_bits = UINT64_MAX >> (PERMITS_MOST - l->permits);
	p->free_count = l->permits;
	for (unsigned i = 0; i < l->permits; i++)
		p->free_item[i] = (uint8_t)i;
	atomic_init(&p->free_bits, p->all_bits);
	sem_init(&p->permits, 0, l->permits);
	return r->variant->lock ? r->variant->lock->init(&p->lock, r->team) : 0;
}

static void destroy(struct run *r)
{
	struct pool *p = r->state;
	sem_destroy(&p->permits);
	if (r->variant->lock)
		r->variant->lock->fini(&p->lock);
}

// Which items are in the list of free ones.
static uint64_t listed_bits(const struct pool *p)
{
	uint64_t bits = 0;
	for (unsigned i = 0; i < p->free_count && i < PERMITS_MOST; i++)
		bits |= UINT64_C(1) << p->free_item[i] % PERMITS_MOST;
	return bits;
}

// Every touch is there, nobody had another's item, all are back: so there were never more out than
// permits.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct pool *p = r->state;
	uint64_t missing = 0, intrusions = 0, bits = load(&p->free_bits, relaxed); /* at rest */
	bool listed = r->variant->lock || STRATEGY_IS(r->variant, "sequential");
	for (unsigned i = 0; i < r->count; i++) {
		missing += TOUCHES * done[i];
		intrusions += ((struct pool_own *)r->workers[i]->own)->intrusions;
	}
	for (unsigned i = 0; i < PERMITS_MOST; i++)
		missing -= p->item[i].touched;
	uint64_t away = p->all_bits ^ (listed ? listed_bits(p) : bits);
	return (llabs((int64_t)missing) + TOUCHES - 1) / TOUCHES + (int64_t)intrusions +
	       __builtin_popcountll(away);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock){.strategy = "semaphore", .batch = semaphore},
	{.strategy = "lock-free", .batch = lock_free},
};

static const struct param params[] = {
	{"permits", "2", "number of items", "1..64"},
	{"use", "32", "steps of arithmetic with an item in hand", "0..1000000"},
	{0},
};

KERNEL(pool, .summary = "workers take an item of a few, use it alone, put it back",
	.shared = "2 items and which are free", .unit = "uses", .extra = true,
	.state_size = sizeof(struct pool), .own_size = sizeof(struct pool_own), .params = params,
	VARIANTS(variants), .prepare = prepare, .unprepare = unprepare, .create = create,
	.destroy = destroy, .check = check);
