// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "trial.h"
#include "usage.h"

enum {
	CHUNK_SHORT_NS = 16000, // a batch lasts at least about this long, so that the clock
	CHUNK_LONG_NS = 64000,  // costs nothing; at most that long, so that windows end on time
	BATCH_MOST = 1 << 20,
	UNITS_FEWEST = 100, // that each worker must count in a window
	WINDOWS_MOST = 64,  // a window grows to at most this multiple
	WARM_UP_SHARE = 8,  // a warm-up window is this part of a measured one
	TIMED_AT_ONCE = 32, // operations with their latency between two looks at the clock
	WAKE_UP_NS = 5000,  // a wait that each voluntary sleep may cost without other work
};
static const double disturbance = 0.01; // of the window
static const double steady_within = 0.02;
static const double line_moves = 0.5; // difference in log2 that makes two modes

// Where a broken twin makes a worker late (tests/unit/test_trial.c); nothing here.
#ifndef AFTER_GATE
#define AFTER_GATE(index) ((void)(index))
#endif

// What a worker writes while others run: on its own lines.
struct record {
	LINE_ALIGNED struct worker worker;
	LINE_ALIGNED _Atomic uint64_t progress; // operations so far, for the watchdog
	uint64_t batch;                         // operations between two looks at the clock
	uint64_t migrations;
	uint64_t done;          // operations that the kernel's check must find
	uint64_t failed_before; // the kernel's count when the window began
	struct worker_record window;
	struct usage before, after;
	int schedstat;
	struct counters counters;
	struct counts counts;
};

// All workers leave together: the last to arrive names the time.
struct gate {
	LINE_ALIGNED atomic_uint arrived;
	LINE_ALIGNED _Atomic uint64_t start_ns; // 0 until all have arrived
};

struct visit {
	const struct trial *trial;
	struct observation *observation;
	struct error *error;
	struct run run;
	struct lock_team flat;      // where no locality is known
	struct lock_class measured; // a latency sample's: the variant's lock and the clock
	struct barrier barrier;
	struct gate gate;
	struct record *record;
	bool yield;
	/* Decided by worker 0 between two barriers, read by all after the second. */
	atomic_int failed; // errno
	bool again;
	uint64_t window_ns;
	int64_t lost_before; // by earlier windows on the same state
	double line_before;
	uint64_t stolen_before;
	double memory_before;                      // bytes
	double counted_before[KERNEL_COUNTS_MOST]; // the kernel's counts
	struct usage process_before, process_after;
	/* For the sleeping main thread alone. */
	uint64_t progress_seen;
};

static bool makespan(const struct visit *v)
{
	return v->trial->kernel->kind == KERNEL_MAKESPAN;
}

// Of a structure the latency is an operation's, of another kernel that of its lock's acquire.
static bool operation_latency(const struct visit *v)
{
	return v->trial->latency && v->trial->variant->model != MODEL_NONE;
}

// An acquire's latency sample runs the same kernel through pointers, with its measured lock.
static uint64_t (*batch_of(const struct visit *v))(void *, struct worker *, uint64_t)
{
	bool wrapped = v->trial->latency && !operation_latency(v);
	return wrapped ? v->trial->variant->indirect : v->trial->variant->batch;
}

static void pass_gate(struct visit *v, unsigned i)
{
	struct gate *g = &v->gate;
	unsigned count = v->trial->workers, steps = 0;
	uint64_t start;
	/* A0: acquire, release; the last to arrive follows all others */
	if (fetch_add(&g->arrived, 1, acq_rel) == count - 1)
		/* Time enough for the news to reach all. A1: release; pairs with A2 */
		store(&g->start_ns, clock_ns() + 2000 + 100 * count, release);
	while (!(start = load(&g->start_ns, acquire))) /* A2: acquire; pairs with A1 */
		wait_step(&steps, v->yield);
	while (clock_ns() < start)
		;
	AFTER_GATE(i);
}

// Between windows, by worker 0 with all others in a barrier.
static void reset_gate(struct visit *v)
{
	store(&v->gate.arrived, 0, relaxed); /* relaxed: the barrier publishes both */
	store(&v->gate.start_ns, 0, relaxed);
}

static void count_migration(struct record *r, int *cpu)
{
	int now = sched_getcpu();
	r->migrations += now != *cpu;
	*cpu = now;
}

// Batches until `end_ns`, adapting their size so that each takes 16 to 64 microseconds. One
// rule for every variant, the sequential baseline included, and for every worker by itself: a
// slow worker among fast ones must not run over the end.
static uint64_t run_until(struct visit *v, struct record *r, uint64_t end_ns)
{
	uint64_t (*batch)(void *, struct worker *, uint64_t) = batch_of(v);
	uint64_t n = r->batch, done = 0, last = clock_ns(), now;
	bool pinned = team_pinned(v->trial->team);
	int cpu = sched_getcpu();
	do {
		done += batch(v->run.state, &r->worker, n);
		/* relaxed: the watchdog only looks whether it changes */
		store(&r->progress, load(&r->progress, relaxed) + n, relaxed);
		now = clock_ns();
		if (now - last < CHUNK_SHORT_NS && n < BATCH_MOST)
			n *= 2;
		else if (now - last > CHUNK_LONG_NS && n > 1)
			n /= 2;
		last = now;
		if (!pinned)
			count_migration(r, &cpu);
	} while (now < end_ns);
	r->batch = n;
	return done;
}

// The same in batches of one operation, each timed.
static uint64_t run_timed(struct visit *v, struct record *r, uint64_t end_ns)
{
	uint64_t (*batch)(void *, struct worker *, uint64_t) = batch_of(v);
	struct latency_log *log = &v->trial->latency[r->worker.index];
	uint64_t done = 0;
	do {
		for (unsigned i = 0; i < TIMED_AT_ONCE; i++) {
			uint64_t began = latency_reading(log);
			done += batch(v->run.state, &r->worker, 1);
			latency_record(log, began);
		}
		/* relaxed: as above */
		store(&r->progress, load(&r->progress, relaxed) + TIMED_AT_ONCE, relaxed);
	} while (clock_ns() < end_ns);
	return done;
}

static uint64_t run_to_completion(struct visit *v, struct record *r)
{
	uint64_t (*batch)(void *, struct worker *, uint64_t) = batch_of(v);
	uint64_t total = 0, done;
	while ((done = batch(v->run.state, &r->worker, 1)) > 0) {
		total += done;
		store(&r->progress, load(&r->progress, relaxed) + done,
			relaxed); /* relaxed: as above */
	}
	return total;
}

// One window (or makespan) by one worker, from the common start.
static void window(struct visit *v, unsigned i, uint64_t window_ns)
{
	struct record *r = &v->record[i];
	const struct kernel *k = v->trial->kernel;
	if (i == 0 && k->begin)
		k->begin(&v->run);
	if (i == 0 && k->count)
		k->count(&v->run, v->counted_before);
	pass_gate(v, i);
	r->failed_before = r->worker.failed;
	r->window.begin_ns = clock_ns();
	r->window.start_ns = load(&v->gate.start_ns, relaxed); /* relaxed: A2 has brought it */
	if (makespan(v))
		r->window.operations = run_to_completion(v, r);
	else if (operation_latency(v))
		r->window.operations = run_timed(v, r, r->window.start_ns + window_ns);
	else
		r->window.operations = run_until(v, r, r->window.start_ns + window_ns);
	if (k->finish)
		k->finish(v->run.state, &r->worker);
	r->window.end_ns = clock_ns();
	r->window.failed = r->worker.failed - r->failed_before;
	r->done = makespan(v) ? r->window.operations : r->done + r->window.operations;
}

// Operations that did not take effect exactly once, by worker 0 with all others at rest.
static int64_t lost(struct visit *v)
{
	uint64_t done[v->trial->workers];
	for (unsigned i = 0; i < v->trial->workers; i++)
		done[i] = v->record[i].done;
	return v->trial->kernel->check(&v->run, done);
}

// From the common start, not from its own: of workers that share a PU, those that have their turn
// later would otherwise be rated by their turn alone, and all together above what the PU can do.
static double elapsed(const struct worker_record *w)
{
	return (double)(w->end_ns - w->start_ns) * 1e-9;
}

// Sum of the workers' own rates, of operations or of failed ones; for a makespan all the work over
// the time of the last worker.
static double rate(const struct visit *v, bool failed)
{
	double sum = 0, operations = 0, longest = 0;
	for (unsigned i = 0; i < v->trial->workers; i++) {
		const struct worker_record *w = &v->record[i].window;
		double own = (double)(failed ? w->failed : w->operations);
		sum += own / elapsed(w);
		operations += own;
		longest = fmax(longest, elapsed(w));
	}
	return makespan(v) ? operations / longest : sum;
}

static void start_and_end(
	const struct visit *v, uint64_t *first, uint64_t *last_begin, uint64_t *end)
{
	*first = UINT64_MAX;
	*last_begin = *end = 0;
	for (unsigned i = 0; i < v->trial->workers; i++) {
		const struct worker_record *w = &v->record[i].window;
		*first = w->begin_ns < *first ? w->begin_ns : *first;
		*last_begin = w->begin_ns > *last_begin ? w->begin_ns : *last_begin;
		*end = w->end_ns > *end ? w->end_ns : *end;
	}
}

// What malloc has given out, all threads together, which a resident size tells only until the next
// kernel reuses what this one gave back. 0 with a malloc other than glibc's.
static double memory_in_use(void)
{
	struct mallinfo2 m = mallinfo2();
	return (double)m.uordblks + (double)m.hblkhd;
}

// Worker 0 allocates and touches the shared state; the others have touched their own before.
static int set_up(struct visit *v)
{
	const struct kernel *k = v->trial->kernel;
	size_t size = (k->state_size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	v->memory_before = memory_in_use();
	v->run.state = aligned_alloc(LINE_PAIR, size);
	if (!v->run.state)
		return ENOMEM;
	memset(v->run.state, 0, size);
	return k->create ? k->create(&v->run) : 0;
}

static void tear_down(struct visit *v)
{
	if (v->trial->kernel->destroy)
		v->trial->kernel->destroy(&v->run);
	free(v->run.state);
}

static int attach(struct visit *v, unsigned i)
{
	struct record *r = &v->record[i];
	size_t size = (v->trial->kernel->own_size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	r->worker.index = i;
	r->worker.count = v->trial->workers;
	r->worker.lock = v->trial->variant->lock;
	r->worker.node[0].worker = r->worker.node[1].worker = i;
	if (v->trial->latency) {
		latency_attach(
			&v->trial->latency[i], r->worker.lock, v->trial->clock, r->worker.node);
		if (!operation_latency(v))
			r->worker.lock = &v->measured;
	}
	r->worker.own = aligned_alloc(LINE_PAIR, size);
	r->batch = 1;
	r->schedstat = schedstat_open();
	counters_open(&r->counters, counters_hardware); /* none: all is measured without */
	if (!r->worker.own)
		return ENOMEM;
	memset(r->worker.own, 0, size);
	return 0;
}

static void detach(struct record *r)
{
	const struct lock_class *lock = r->worker.lock;
	for (unsigned i = 0; lock && lock->retire && i < 2; i++)
		lock->retire(&r->worker.node[i]);
	free(r->worker.own);
	counters_close(&r->counters);
	if (r->schedstat >= 0)
		close(r->schedstat);
}

// Windows that are not counted, until two successive ones agree or the time is over.
static void warm_up(struct visit *v, unsigned i)
{
	uint64_t part = v->trial->settings->window_ns / WARM_UP_SHARE, began = clock_ns();
	double before = 0;
	do {
		window(v, i, part);
		barrier_wait(&v->barrier);
		if (i == 0) {
			double now = rate(v, false), spent = (double)(clock_ns() - began);
			v->observation->steady = fabs(now - before) <= steady_within * now;
			v->observation->warm_up_seconds = spent * 1e-9;
			v->again = !v->observation->steady &&
				   spent < (double)v->trial->settings->warm_up_ns;
			before = now;
			if (!v->again)
				v->lost_before = lost(v);
			reset_gate(v);
		}
		barrier_wait(&v->barrier);
	} while (v->again);
}

static uint64_t fewest_operations(const struct visit *v)
{
	uint64_t fewest = UINT64_MAX;
	for (unsigned i = 0; i < v->trial->workers; i++)
		if (v->record[i].window.operations < fewest)
			fewest = v->record[i].window.operations;
	return fewest;
}

// How long threads of the kernel's own that are no workers (an aggregator) may have kept a worker
// waiting: their CPU time, and what their sleeping and waking costs. That is the kernel's price
// and no disturbance.
static double own_helpers_ns(const struct visit *v)
{
	double cpu = (double)(v->process_after.cpu_ns - v->process_before.cpu_ns);
	double slept = (double)(v->process_after.voluntary - v->process_before.voluntary);
	for (unsigned i = 0; i < v->trial->workers; i++) {
		const struct record *r = &v->record[i];
		cpu -= (double)(r->after.cpu_ns - r->before.cpu_ns);
		slept -= (double)(r->after.voluntary - r->before.voluntary);
	}
	return fmax(cpu, 0) + fmax(slept, 0) * WAKE_UP_NS;
}

// The evidence that other work or the hypervisor had a hand in the window.
static void judge_disturbance(struct visit *v)
{
	struct observation *o = v->observation;
	unsigned count = v->trial->workers;
	bool alone = team_pinned(v->trial->team) && !team_oversubscribed(v->trial->team, count) &&
		     !v->trial->kernel->own_threads;
	double own = own_helpers_ns(v);
	o->foreign_ns = o->cpu_seconds = 0;
	o->voluntary_switches = o->involuntary_switches = o->page_faults = o->migrations = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct record *r = &v->record[i];
		uint64_t slept = r->after.voluntary - r->before.voluntary;
		double waited = (double)(r->after.wait_ns - r->before.wait_ns) -
				(double)(slept * WAKE_UP_NS) - own;
		if (alone) /* otherwise workers wait for each other, or for the kernel's threads */
			o->foreign_ns = fmax(o->foreign_ns, waited);
		o->cpu_seconds += (double)(r->after.cpu_ns - r->before.cpu_ns) * 1e-9;
		o->voluntary_switches += slept;
		o->involuntary_switches += r->after.involuntary - r->before.involuntary;
		o->page_faults += r->after.page_faults - r->before.page_faults;
		o->migrations += r->migrations;
	}
	double limit = disturbance * o->seconds * 1e9;
	o->disturbed = o->foreign_ns > limit || o->stolen_ns > limit || o->line_moved ||
		       (alone && o->start_skew_ns > limit);
}

// All workers' counts together, where each has them.
static void add_counts(struct visit *v)
{
	struct counts *sum = &v->observation->counts;
	*sum = (struct counts){.known = true};
	for (unsigned i = 0; i < v->trial->workers; i++) {
		const struct counts *own = &v->record[i].counts;
		sum->known = sum->known && own->known;
		for (int j = 0; j < COUNTERS; j++)
			sum->value[j] += own->value[j];
	}
}

// What the kernel itself counted during the window, all others at rest.
static void read_kernel_counts(struct visit *v)
{
	const struct kernel *k = v->trial->kernel;
	double *value = v->observation->kernel_counts;
	if (!k->count)
		return;
	k->count(&v->run, value);
	for (size_t i = 0; k->counts[i].name; i++)
		if (!k->counts[i].level)
			value[i] = fmax(value[i] - v->counted_before[i], 0);
}

static unsigned pu_of(const void *team, unsigned i)
{
	return team_pu(team, i);
}

static uint64_t stolen(const struct visit *v)
{
	return stolen_ns(v->trial->workers, pu_of, v->trial->team);
}

// Worker 0, all others at rest: makes the observation of the window just over.
static void observe(struct visit *v)
{
	struct observation *o = v->observation;
	uint64_t first, last_begin, end;
	start_and_end(v, &first, &last_begin, &end);
	o->operations_per_second = rate(v, false);
	o->failed_per_second = rate(v, true);
	o->memory_bytes = fmax(memory_in_use() - v->memory_before, 0);
	o->seconds = (double)(end - v->record[0].window.start_ns) * 1e-9;
	o->start_skew_ns = (double)(last_begin - first);
	double line_after =
		v->line_before > 0 ? probe_line_ns(v->trial->probe, v->trial->workers) : 0;
	o->line_ns = sqrt(v->line_before * line_after);
	o->line_moved = o->line_ns > 0 && fabs(log2(v->line_before / line_after)) > line_moves;
	o->stolen_ns = (double)(stolen(v) - v->stolen_before);
	for (unsigned i = 0; i < v->trial->workers; i++)
		o->worker[i] = v->record[i].window;
	/* Where losses are the lesson, those of this window; elsewhere one anywhere is too many. */
	int64_t lost_so_far = lost(v);
	o->lost_updates = lost_so_far;
	if (STRATEGY_IS(v->trial->variant, "unsynchronized"))
		o->lost_updates -= v->lost_before;
	v->lost_before = lost_so_far;
	add_counts(v);
	read_kernel_counts(v);
	judge_disturbance(v);
}

// Worker 0: whether the window is to be measured again, and how long it is then.
static bool decide(struct visit *v)
{
	struct observation *o = v->observation;
	uint64_t fewest = makespan(v) ? UNITS_FEWEST : fewest_operations(v);
	uint64_t most = v->trial->settings->window_ns * WINDOWS_MOST;
	if (fewest < UNITS_FEWEST && v->window_ns < most) {
		uint64_t factor = fewest ? 2 * UNITS_FEWEST / fewest : WINDOWS_MOST;
		v->window_ns = v->window_ns * factor < most ? v->window_ns * factor : most;
		return true;
	}
	if (!o->disturbed || o->tries > v->trial->settings->retries)
		return false;
	o->tries++;
	return true;
}

static void measure(struct visit *v, unsigned i)
{
	struct record *r = &v->record[i];
	bool probing = team_pinned(v->trial->team) && !v->yield;
	do {
		if (i == 0)
			v->stolen_before = stolen(v);
		if (probing)
			probe_neighbours(v->trial->probe, i, v->trial->workers, &v->barrier);
		barrier_wait(&v->barrier);
		if (i == 0)
			v->line_before =
				probing ? probe_line_ns(v->trial->probe, v->trial->workers) : 0;
		r->migrations = 0;
		if (i == 0)
			usage_read_process(&v->process_before);
		if (v->trial->latency)
			latency_reset(&v->trial->latency[i]); /* the warm-up's, an earlier try's */
		usage_read(&r->before, r->schedstat);
		counters_start(&r->counters);
		window(v, i, v->window_ns);
		counters_stop(&r->counters, &r->counts);
		usage_read(&r->after, r->schedstat);
		barrier_wait(&v->barrier);
		if (i == 0)
			usage_read_process(&v->process_after);
		if (probing)
			probe_neighbours(v->trial->probe, i, v->trial->workers, &v->barrier);
		barrier_wait(&v->barrier);
		if (i == 0) {
			observe(v);
			v->again = decide(v);
			reset_gate(v);
		}
		barrier_wait(&v->barrier);
	} while (v->again);
}

static void draw(struct visit *v)
{
	const struct kernel *k = v->trial->kernel;
	if (v->trial->picture && k->picture)
		k->picture(&v->run, v->trial->picture);
}

// What each worker does from the first to the last moment of a visit.
static void work(void *arg, unsigned i)
{
	struct visit *v = arg;
	if (attach(v, i))
		store(&v->failed, ENOMEM, relaxed); /* relaxed: the barrier publishes it */
	barrier_wait(&v->barrier);
	if (i == 0 && !v->failed)
		v->failed = set_up(v);
	barrier_wait(&v->barrier);
	bool failed = v->failed;
	if (!failed) {
		warm_up(v, i);
		measure(v, i);
	}
	if (i == 0) {
		if (!failed)
			draw(v);
		if (v->run.state)
			tear_down(v);
	}
	barrier_wait(&v->barrier);
	detach(&v->record[i]);
}

// Every second, by the sleeping main thread: alive as long as any worker gets anything done.
static void tick(void *arg)
{
	struct visit *v = arg;
	uint64_t progress = 0;
	for (unsigned i = 0; i < v->trial->workers; i++)
		progress += load(&v->record[i].progress, relaxed); /* relaxed: any change will do */
	if (progress != v->progress_seen && v->trial->alive)
		v->trial->alive(v->trial->context);
	v->progress_seen = progress;
}

int trial_run(const struct trial *t, struct observation *o, struct error *e)
{
	struct visit *v = aligned_alloc(LINE_PAIR, sizeof *v);
	struct record *record = aligned_alloc(LINE_PAIR, t->workers * sizeof *record);
	struct worker *workers[t->workers];
	if (!v || !record) {
		free(v);
		free(record);
		return error_set(e, ENOMEM, "no memory for %u workers", t->workers);
	}
	memset(v, 0, sizeof *v);
	memset(record, 0, t->workers * sizeof *record);
	for (unsigned i = 0; i < t->workers; i++)
		workers[i] = &record[i].worker;
	struct worker_record *kept = o->worker;
	*o = (struct observation){.tries = 1, .worker = kept};
	v->trial = t;
	v->observation = o;
	v->record = record;
	v->window_ns = t->settings->window_ns;
	v->yield = team_oversubscribed(t->team, t->workers);
	if (t->latency && t->variant->lock)
		v->measured = latency_class(t->variant->lock);
	v->flat = (struct lock_team){.workers = t->workers, .spare_pu = -1};
	v->run = (struct run){.kernel = t->kernel,
		.variant = t->variant,
		.input = t->input,
		.workers = workers,
		.count = t->workers,
		.team = t->locality ? t->locality : &v->flat};
	barrier_init(&v->barrier, t->workers, v->yield);
	team_run(t->team, t->workers, work, tick, v);
	int rc = v->failed;
	free(record);
	free(v);
	return rc ? error_set(e, rc, "cannot set up %s/%s: %s", t->kernel->name,
			    t->variant->strategy, strerror(rc))
		  : 0;
}
