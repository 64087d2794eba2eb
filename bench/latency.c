// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "latency.h"

enum { CALIBRATION_NS = 5000000, READINGS = 1001 };

/* The clock. */

#ifdef __x86_64__
#include <cpuid.h>

static bool tsc_is_invariant(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

// The fence keeps the reading from passing what comes before it, as Linux's own clock does.
static inline uint64_t ticks(void)
{
	__asm__ volatile("lfence" ::: "memory");
	return __builtin_ia32_rdtsc();
}
#else
static bool tsc_is_invariant(void)
{
	return false;
}

static inline uint64_t ticks(void)
{
	return 0;
}
#endif

// Linux takes `tsc` off this list where it has seen it stop, jump or disagree between PUs.
static bool linux_trusts_tsc(void)
{
	FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/available_clocksource", "re");
	char name[32];
	bool found = false;
	while (f && !found && fscanf(f, "%31s", name) == 1)
		found = strcmp(name, "tsc") == 0;
	if (f)
		fclose(f);
	return found;
}

static inline uint64_t reading(const struct latency_clock *c)
{
	return c->scale ? ticks() : clock_ns();
}

// Where a thread goes from one PU to another the later reading may be the smaller one.
static inline uint64_t between(const struct latency_clock *c, uint64_t began, uint64_t ended)
{
	if (ended <= began)
		return 0;
	return c->scale ? (uint64_t)((unsigned __int128)(ended - began) * c->scale >> 32)
			: ended - began;
}

// Of both clocks at one moment; the closest of some attempts, in case one is interrupted.
static void both(uint64_t *ns, uint64_t *tick)
{
	uint64_t closest = UINT64_MAX;
	for (int i = 0; i < 16; i++) {
		uint64_t before = ticks(), now = clock_ns(), after = ticks();
		if (after - before >= closest)
			continue;
		closest = after - before;
		*ns = now;
		*tick = before + closest / 2;
	}
}

static uint64_t calibrated_scale(void)
{
	uint64_t ns[2] = {0}, tick[2] = {0};
	both(&ns[0], &tick[0]);
	while (clock_ns() - ns[0] < CALIBRATION_NS)
		;
	both(&ns[1], &tick[1]);
	if (tick[1] <= tick[0])
		return 0;
	return (uint64_t)(((unsigned __int128)(ns[1] - ns[0]) << 32) / (tick[1] - tick[0]));
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

// Between neighbouring readings as an acquisition sees them, in ticks: finer than whole ns.
static double cost(const struct latency_clock *c)
{
	uint64_t step[READINGS];
	for (int i = 0; i < READINGS; i++) {
		uint64_t began = reading(c);
		step[i] = reading(c) - began;
	}
	qsort(step, READINGS, sizeof *step, ascending);
	return (double)step[READINGS / 2] * (c->scale ? (double)c->scale * 0x1p-32 : 1);
}

void latency_clock_init(struct latency_clock *c)
{
	*c = (struct latency_clock){0};
	if (tsc_is_invariant() && linux_trusts_tsc())
		c->scale = calibrated_scale();
	c->cost_ns = cost(c);
}

const char *latency_clock_name(const struct latency_clock *c)
{
	return c->scale ? "tsc" : "clock_gettime";
}

/* The records. */

void latency_attach(struct latency_log *log, const struct lock_class *lock,
	const struct latency_clock *clock, struct lock_node node[2])
{
	memset(log, 0, sizeof *log);
	log->lock = lock;
	log->clock = clock;
	for (int i = 0; i < 2; i++) {
		log->node[i].log = log;
		node[i].instrument = &log->node[i];
	}
}

void latency_reset(struct latency_log *log)
{
	memset(&log->histogram, 0, sizeof log->histogram);
}

static inline struct latency_node *node_of(const struct lock_node *node)
{
	return node->instrument;
}

static inline const struct lock_class *lock_of(const struct lock_node *node)
{
	return node_of(node)->log->lock;
}

static inline void begin(struct latency_node *n)
{
	n->began = reading(n->log->clock);
}

static inline void end(struct latency_node *n)
{
	n->ended = reading(n->log->clock);
	n->pending = true;
}

static inline void record(struct latency_node *n)
{
	if (!n->pending)
		return;
	n->pending = false;
	histogram_record(&n->log->histogram, between(n->log->clock, n->began, n->ended));
}

uint64_t latency_reading(const struct latency_log *log)
{
	return reading(log->clock);
}

void latency_record(struct latency_log *log, uint64_t began)
{
	uint64_t ended = reading(log->clock);
	histogram_record(&log->histogram, between(log->clock, began, ended));
}

/* The verbs. */

static void measured_acquire(void *lock, struct lock_node *node)
{
	struct latency_node *n = node_of(node);
	record(n); /* the holder acquires a reentrant lock again */
	begin(n);
	n->log->lock->acquire(lock, node);
	end(n);
}

static bool measured_try_acquire(void *lock, struct lock_node *node)
{
	return lock_of(node)->try_acquire(lock, node);
}

static void measured_release(void *lock, struct lock_node *node)
{
	lock_of(node)->release(lock, node);
	record(node_of(node));
}

static void measured_read_acquire(void *lock, struct lock_node *node)
{
	struct latency_node *n = node_of(node);
	record(n);
	begin(n);
	n->log->lock->read_acquire(lock, node);
	end(n);
}

static bool measured_read_try_acquire(void *lock, struct lock_node *node)
{
	return lock_of(node)->read_try_acquire(lock, node);
}

static bool measured_read_release(void *lock, struct lock_node *node)
{
	bool counts = lock_of(node)->read_release(lock, node);
	record(node_of(node));
	return counts;
}

static void measured_execute(void *lock, struct lock_node *node,
	void (*section)(void *state, void *argument), void *state, void *argument)
{
	struct latency_node *n = node_of(node);
	begin(n);
	n->log->lock->execute(lock, node, section, state, argument);
	end(n);
	record(n);
}

static void measured_safepoint(void *lock, struct lock_node *node)
{
	lock_of(node)->safepoint(lock, node);
}

struct lock_class latency_class(const struct lock_class *lock)
{
	struct lock_class measured = *lock;
	measured.acquire = measured_acquire;
	measured.try_acquire = measured_try_acquire;
	measured.release = measured_release;
	measured.read_acquire = lock->read_acquire ? measured_read_acquire : NULL;
	measured.read_try_acquire = lock->read_try_acquire ? measured_read_try_acquire : NULL;
	measured.read_release = lock->read_release ? measured_read_release : NULL;
	measured.execute = lock->execute ? measured_execute : NULL;
	measured.safepoint = lock->safepoint ? measured_safepoint : NULL;
	return measured;
}
