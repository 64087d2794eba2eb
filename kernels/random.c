// SPDX-License-Identifier: BSD-2-Clause
// random: pi by Monte Carlo: random points in a square, of which pi/4 lie in the quarter circle.
// The points are independent, the generator of random numbers is not: shared, it is what all wait
// for, and C's rand() hides a lock of its own. A generator per worker shares nothing.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "kernel.h"
#include "locks.h"
#include "xoshiro.h"

enum { SEED = 20260101 };

struct generator {
	struct xoshiro xoshiro;
	uint64_t points; // drawn with it
};

struct random_state {
	/* Side by side, as one would declare them. */
	LINE_ALIGNED struct generator shared;
	_Alignas(LOCK_ALIGN) unsigned char lock[LOCK_SIZE];
	LINE_ALIGNED _Atomic uint64_t counter; // splitmix's
};

struct random_own {
	struct xoshiro xoshiro;
	uint64_t points, inside;
};

struct point {
	uint64_t x, y; // 0 .. 2^31 - 1: a side of the square is 2^31
};

static ALWAYS_INLINE struct point point_of(uint64_t x, uint64_t y)
{
	return (struct point){x >> 33, y >> 33};
}

static ALWAYS_INLINE bool is_inside(struct point p)
{
	return p.x * p.x + p.y * p.y < UINT64_C(1) << 62;
}

static ALWAYS_INLINE struct point draw(struct xoshiro *xoshiro)
{
	uint64_t x = xoshiro_next(xoshiro);
	return point_of(x, xoshiro_next(xoshiro));
}

static ALWAYS_INLINE uint64_t counted(struct worker *w, uint64_t points, uint64_t inside)
{
	struct random_own *own = w->own;
	own->points += points;
	own->inside += inside;
	return points;
}

// The same program as `private`: one generator, of the only worker.
static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	struct random_own *own = w->own;
	struct xoshiro mine = own->xoshiro; /* in registers */
	uint64_t inside = 0;
	for (uint64_t i = 0; i < n; i++)
		inside += is_inside(draw(&mine));
	own->xoshiro = mine;
	return counted(w, n, inside);
}

// Relaxed atomics, which compile to the plain instructions: the race is the program's.
static uint64_t unsynchronized(void *state, struct worker *w, uint64_t n)
{
	struct generator *g = &((struct random_state *)state)->shared;
	uint64_t inside = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct xoshiro seen;
		for (unsigned j = 0; j < 4; j++)
			seen.s[j] = load((_Atomic uint64_t *)&g->xoshiro.s[j], relaxed);
		inside += is_inside(draw(&seen));
		for (unsigned j = 0; j < 4; j++)
			store((_Atomic uint64_t *)&g->xoshiro.s[j], seen.s[j], relaxed);
		_Atomic uint64_t *points = (_Atomic uint64_t *)&g->points;
		store(points, load(points, relaxed) + 1, relaxed);
	}
	return counted(w, n, inside);
}

// Both coordinates in one section; whether the point is inside is nobody else's business.
static inline void draw_section(void *generator, void *point)
{
	struct generator *g = generator;
	*(struct point *)point = draw(&g->xoshiro);
	g->points++;
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct random_state *r = state;
	uint64_t inside = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct point p;
		lock_execute(lock, &r->lock, &w->node[0], draw_section, &r->shared, &p);
		inside += is_inside(p);
	}
	return counted(w, n, inside);
}
LOCKED_BATCH(global_lock)

// rand() as programs call it; in glibc it takes a lock each time.
static uint64_t libc(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	uint64_t inside = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct point p = {.x = (uint64_t)rand()};
		p.y = (uint64_t)rand();
		inside += is_inside(p);
	}
	return counted(w, n, inside);
}
_Static_assert(RAND_MAX == 0x7fffffff, "rand() gives 31 bits");

static ALWAYS_INLINE bool numbers_inside(uint64_t counter)
{
	return is_inside(point_of(
		splitmix_of(counter + SPLITMIX_STEP), splitmix_of(counter + 2 * SPLITMIX_STEP)));
}

// One addition for both coordinates: it takes two numbers of the generator.
static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	struct random_state *r = state;
	uint64_t inside = 0;
	for (uint64_t i = 0; i < n; i++)
		/* relaxed: the counter is all there is */
		inside += numbers_inside(fetch_add(&r->counter, 2 * SPLITMIX_STEP, relaxed));
	return counted(w, n, inside);
}

// The same by compare-and-swap, as any generator whose state is one word could.
static uint64_t lock_free_cas(void *state, struct worker *w, uint64_t n)
{
	struct random_state *r = state;
	uint64_t inside = 0;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t seen = load(&r->counter, relaxed); /* relaxed, both: as above */
		while (!compare_exchange_weak(
			&r->counter, &seen, seen + 2 * SPLITMIX_STEP, relaxed, relaxed))
			cpu_relax();
		inside += numbers_inside(seen);
	}
	return counted(w, n, inside);
}

// Each worker's stretch of the period begins 2^128 numbers after the one before.
static int create(struct run *r)
{
	struct random_state *s = r->state;
	struct xoshiro at;
	xoshiro_seed(&at, SEED);
	s->shared.xoshiro = at;
	for (unsigned i = 0; i < r->count; i++) {
		((struct random_own *)r->workers[i]->own)->xoshiro = at;
		xoshiro_jump(&at);
	}
	srand(SEED);
	return r->variant->lock ? r->variant->lock->init(&s->lock, r->team) : 0;
}

static void destroy(struct run *r)
{
	if (r->variant->lock)
		r->variant->lock->fini(&((struct random_state *)r->state)->lock);
}

// Points that the shared generator did not draw, where it tells.
static int64_t undrawn(const struct run *r, uint64_t points)
{
	struct random_state *s = r->state;
	if (r->variant->lock || STRATEGY_IS(r->variant, "unsynchronized"))
		return llabs((int64_t)(points - s->shared.points));
	if (STRATEGY_IS(r->variant, "lock-free") || STRATEGY_IS(r->variant, "lock-free-cas"))
		/* relaxed: at rest */
		return load(&s->counter, relaxed) != points * 2 * SPLITMIX_STEP;
	return 0;
}

// How far the points inside may be from their mean: independent points are further away with a
// probability below 2 exp(-2 * 11) < 6e-10 (Hoeffding's inequality).
static double tolerance(uint64_t points)
{
	return sqrt(11 * (double)points);
}

static int64_t check(struct run *r, const uint64_t *done)
{
	uint64_t points = 0, inside = 0;
	int64_t lost = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct random_own *own = r->workers[i]->own;
		points += done[i];
		inside += own->inside;
		lost += llabs((int64_t)(done[i] - own->points));
	}
	lost += undrawn(r, points);
	double off = fabs((double)inside - (double)points * M_PI_4);
	return lost + (off > tolerance(points) ? llround(off) : 0);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = private_batch},
	{.strategy = "unsynchronized", .batch = unsynchronized},
	LOCKED_VARIANTS("global-lock", global_lock){.strategy = "libc", .batch = libc},
	{.strategy = "lock-free", .batch = lock_free},
	{.strategy = "lock-free-cas", .batch = lock_free_cas},
	{.strategy = "private", .batch = private_batch},
};

KERNEL(random, .summary = "pi by Monte Carlo, with one generator of random numbers or many",
	.shared = "a generator of random numbers", .unit = "points", .locks = "mutex ttas mcs",
	.state_size = sizeof(struct random_state), .own_size = sizeof(struct random_own),
	VARIANTS(variants), .create = create, .destroy = destroy, .check = check);
