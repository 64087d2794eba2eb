// SPDX-License-Identifier: BSD-2-Clause
// contention: how long inside the lock, how long outside, how much shared: the three numbers that
// decide what a lock costs, each set by itself. An operation is acquire, `cs` nanoseconds of
// arithmetic that begin once `lines` shared cache lines were read and written, release, and `work`
// nanoseconds of arithmetic on what the section computed.
// The times are those of the arithmetic alone: reaching the lines and the mispredicted end of each
// loop (some 5 ns) come on top, for the sequential program too.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "chain.h"
#include "kernel.h"
#include "locks.h"

enum { LINES_MOST = 64, NS_MOST = 1000000 };

struct cell {
	LINE_ALIGNED uint64_t count; // of operations; on lines of its own
};

// From nanoseconds to steps of the chain, on this machine and in this process.
struct pace {
	unsigned lines;
	uint64_t cs_steps, work_steps;
};

struct contention {
	struct any_lock lock;
	const struct pace *pace;
	struct cell cell[LINES_MOST];
};

struct contention_own {
	uint64_t x;                   // the arithmetic
	struct cell cell[LINES_MOST]; // private: in place of the shared ones
};

/* Calibration. */

// A round is short, so that most pass without an interrupt, and only the fastest counts: nothing
// makes arithmetic faster than it is. Rounds go on until QUIET_ROUNDS of them in a row were no
// faster by a 500th, which also leaves a core the time to reach its frequency.
enum { ROUND_STEPS = 50000, QUIET_ROUNDS = 40, ROUNDS_MOST = 2000 };

struct calibration {
	double steps_per_ns;
	double ticks_per_step, ticks_per_ns; // of the counter that TICKS names; 0: there is none
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// The time-stamp counter of x86, which counts at a constant rate whatever the core's frequency.
static uint64_t ticks(void)
{
#if defined __x86_64__ || defined __i386__
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

static struct calibration calibrate(void)
{
	uint64_t best_ns = UINT64_MAX, best_ticks = 0, x = 0;
	unsigned quiet = 0;
	for (unsigned round = 0; round < ROUNDS_MOST && quiet < QUIET_ROUNDS; round++) {
		uint64_t tick = ticks(), ns = now_ns();
		x = chain_walk(x, ROUND_STEPS);
		ns = now_ns() - ns;
		tick = ticks() - tick;
		quiet = ns < best_ns - best_ns / 500 ? 0 : quiet + 1;
		if (ns < best_ns) {
			best_ns = ns;
			best_ticks = tick;
		}
	}
	keep_in_register(x);
	return (struct calibration){ROUND_STEPS / (double)best_ns, (double)best_ticks / ROUND_STEPS,
		(double)best_ticks / (double)best_ns};
}

static void note(struct input *in, const struct calibration *c, const struct pace *p)
{
	int used = snprintf(in->note, sizeof in->note,
		"calibration: %.3f steps per ns; a critical section is %llu steps, the work "
		"outside %llu",
		c->steps_per_ns, (unsigned long long)p->cs_steps,
		(unsigned long long)p->work_steps);
	if (c->ticks_per_step > 0)
		snprintf(in->note + used, sizeof in->note - (size_t)used,
			"; %.2f ticks a step by the time-stamp counter (%.2f GHz whatever the "
			"core's frequency, so no core cycles)",
			c->ticks_per_step, c->ticks_per_ns);
}

static int prepare(struct input *in)
{
	unsigned cs, work, lines;
	int rc = input_whole(in, "cs", 0, NS_MOST, &cs);
	if (!rc)
		rc = input_whole(in, "work", 0, NS_MOST, &work);
	if (!rc)
		rc = input_whole(in, "lines", 0, LINES_MOST, &lines);
	if (rc)
		return rc;
	struct pace *p = malloc(sizeof *p);
	in->data = p;
	if (!p)
		return ENOMEM;
	struct calibration c = calibrate();
	*p = (struct pace){.lines = lines,
		.cs_steps = (uint64_t)(cs * c.steps_per_ns + 0.5),
		.work_steps = (uint64_t)(work * c.steps_per_ns + 0.5)};
	note(in, &c, p);
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

/* The operation. */

// The top bit of a count is never set, but only we know: the arithmetic must wait for the line.
static ALWAYS_INLINE uint64_t after(uint64_t x, uint64_t count)
{
	return x + (count >> 63);
}

static ALWAYS_INLINE uint64_t count_in(struct cell *cell, unsigned lines, uint64_t x)
{
	for (unsigned i = 0; i < lines; i++) {
		x = after(x, cell[i].count);
		cell[i].count++;
		keep_in_memory(&cell[i].count);
	}
	return x;
}

static inline void section(void *state, void *argument)
{
	struct contention *c = state;
	uint64_t *x = argument;
	*x = chain_walk(count_in(c->cell, c->pace->lines, *x), c->pace->cs_steps);
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	struct contention *c = state;
	struct contention_own *own = w->own;
	uint64_t x = own->x;
	for (uint64_t i = 0; i < n; i++) {
		section(c, &x);
		x = chain_walk(x, c->pace->work_steps);
	}
	own->x = x;
	return n;
}

static uint64_t unsynchronized(void *state, struct worker *w, uint64_t n)
{
	struct contention *c = state;
	struct contention_own *own = w->own;
	uint64_t x = own->x;
	for (uint64_t i = 0; i < n; i++) {
		for (unsigned line = 0; line < c->pace->lines; line++) {
			/* relaxed load and store: the plain instructions; the race is the program's
			 */
			_Atomic uint64_t *count = (_Atomic uint64_t *)&c->cell[line].count;
			uint64_t seen = load(count, relaxed);
			x = after(x, seen);
			store(count, seen + 1, relaxed);
		}
		x = chain_walk(x, c->pace->cs_steps + c->pace->work_steps);
	}
	own->x = x;
	return n;
}

// The section may run on another thread, so what it computes lies in memory: one line.
static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	struct contention *c = state;
	struct contention_own *own = w->own;
	for (uint64_t i = 0; i < n; i++) {
		lock_execute(lock, &c->lock, &w->node[0], section, c, &own->x);
		own->x = chain_walk(own->x, c->pace->work_steps);
	}
	return n;
}
LOCKED_BATCH(global_lock)

static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	struct contention *c = state;
	struct contention_own *own = w->own;
	uint64_t x = own->x;
	for (uint64_t i = 0; i < n; i++) {
		x = count_in(own->cell, c->pace->lines, x);
		x = chain_walk(x, c->pace->cs_steps + c->pace->work_steps);
	}
	own->x = x;
	return n;
}

static int create(struct run *r)
{
	struct contention *c = r->state;
	c->pace = r->input->data;
	return r->variant->lock ? r->variant->lock->init(&c->lock, r->team) : 0;
}

static void destroy(struct run *r)
{
	if (r->variant->lock)
		r->variant->lock->fini(&((struct contention *)r->state)->lock);
}

static uint64_t counted(const struct run *r, unsigned line)
{
	const struct contention *c = r->state;
	uint64_t sum = c->cell[line].count;
	for (unsigned i = 0; i < r->count; i++)
		sum += ((const struct contention_own *)r->workers[i]->own)->cell[line].count;
	return sum;
}

// Every operation is on every line once, and each worker's arithmetic has come as far as its
// operations take it.
static int64_t check(struct run *r, const uint64_t *done)
{
	const struct contention *c = r->state;
	uint64_t expected = 0, steps = c->pace->cs_steps + c->pace->work_steps;
	int64_t worst = 0, stray = 0;
	for (unsigned i = 0; i < r->count; i++) {
		expected += done[i];
		stray += ((const struct contention_own *)r->workers[i]->own)->x !=
			 chain_jump(0, done[i] * steps);
	}
	for (unsigned line = 0; line < c->pace->lines; line++) {
		int64_t missing = (int64_t)(expected - counted(r, line));
		worst = llabs(missing) > llabs(worst) ? missing : worst;
	}
	return worst ? worst : stray;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	{.strategy = "unsynchronized", .batch = unsynchronized},
	LOCKED_VARIANTS("global-lock", global_lock){.strategy = "private", .batch = private_batch},
};

static const struct param params[] = {
	{"cs", "100", "nanoseconds of arithmetic inside the lock", "0..1000000"},
	{"work", "400", "nanoseconds of arithmetic between release and acquire", "0..1000000"},
	{"lines", "1", "shared cache lines that each critical section reads and writes", "0..64"},
	{0},
};

KERNEL(contention, .summary = "a critical section and work outside, as long as you like",
	.shared = "0 to 64 cache lines", .unit = "sections", .extra = true,
	.state_size = sizeof(struct contention), .own_size = sizeof(struct contention_own),
	.params = params, VARIANTS(variants), .prepare = prepare, .unprepare = unprepare,
	.create = create, .destroy = destroy, .check = check);
