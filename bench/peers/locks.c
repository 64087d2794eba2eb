// SPDX-License-Identifier: BSD-2-Clause
// Our locks against Concurrency Kit's and the C library's, in the same kernel and run; hand-over
// against the line transfer; NUMA-aware locks against their flat twins; locks whose waiters sleep,
// oversubscribed; and what a call through a lock's pointers costs.
#include <math.h>
#include <string.h>

#include "catalog.h"
#include "peers.h"

struct pair {
	const char *ours, *reference;
};

// The same kind of lock, ours first.
static const struct pair pairs[] = {{"tas", "ck-fas"}, {"tas", "spin"}, {"ttas", "ck-fas-eb"},
	{"ttas", "spin"}, {"ticket", "ck-ticket"}, {"mcs", "ck-mcs"}, {"clh", "ck-clh"},
	{"cohort", "ck-cohort"}, {"futex", "mutex"}, {"parking", "mutex"},
	{"rlock", "rlock-glibc"}};
// On one NUMA node a lock that knows of nodes should cost what its flat twin does.
static const struct pair flat_twins[] = {{"cohort", "ticket"}, {"hmcs", "mcs"}, {"cna", "mcs"}};
static const char *const fifo[] = {
	"ticket", "anderson", "mcs", "clh", "hemlock", "ck-ticket", "ck-mcs", "ck-clh"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void compare_pairs(struct bench *b, const struct table *t, const struct pair *pair,
	size_t count, double least, const char *target)
{
	char figure[96];
	for (size_t i = 0; i < count; i++)
		for (unsigned threads = 1; threads <= 2; threads++) {
			snprintf(figure, sizeof figure, "%s against %s, %u worker%s (M/s)",
				pair[i].ours, pair[i].reference, threads, threads > 1 ? "s" : "");
			compare_rows(b, figure,
				find(t, "counter", "global-lock", pair[i].ours, threads),
				find(t, "counter", "global-lock", pair[i].reference, threads),
				least, target);
		}
}

// The time from owner to owner against the section itself and one line on its way.
static void hand_over(struct bench *b, const struct table *t)
{
	const struct row *alone = find(t, "counter", "sequential", "", 1);
	char figure[96];
	for (size_t i = 0; alone && i < COUNT(fifo); i++) {
		const struct row *row = find(t, "counter", "global-lock", fifo[i], 2);
		for (int m = 0; row && m < row->mode_count; m++) {
			const struct table_mode *mode = &row->modes[m];
			double ns = 1e9 / mode->ops_per_second;
			double limit = 1e9 / alone->ops_per_second + mode->line_ns / 2;
			if (mode->samples < 3 || mode->line_ns <= 0)
				continue;
			snprintf(figure, sizeof figure,
				"hand-over of %s (ns), line there and back %.0f ns (%u samples)",
				fifo[i], mode->line_ns, mode->samples);
			line(b, figure, ns, limit, ns / limit, NAN, NAN, "at most 1.5",
				ns / limit <= 1.5);
		}
	}
}

static void counter_figures(struct bench *b)
{
	char dir[128];
	int status;
	struct table t;
	char *const argv[] = {(char *)b->lockscale, "run", "counter/global-lock/*", "--threads",
		"1,2", "--quiet", "--processes", "5", "--samples", "4", "--window-ms", "50",
		"--output", folder(b, "locks", dir, sizeof dir), NULL};
	run(argv, &status, NULL);
	if (!load_table(dir, &t))
		return;
	compare_pairs(b, &t, pairs, COUNT(pairs), 1, "at least 1");
	compare_pairs(b, &t, flat_twins, COUNT(flat_twins), 0.95, "at least 0.95");
	hand_over(b, &t);
	table_fini(&t);
}

static void reader_figures(struct bench *b)
{
	static const struct pair readers[] = {{"rwlock-phase-fair", "ck-pflock"},
		{"rwlock-phase-fair", "rwlock"}, {"rwlock-big-reader", "ck-rwlock"},
		{"rwlock-big-reader", "rwlock"}, {"seqlock", "rwlock"}};
	char dir[128], figure[96];
	int status;
	struct table t;
	char *const argv[] = {(char *)b->lockscale, "run", "readmostly/global-lock/*rw*",
		"readmostly/global-lock/*pflock", "readmostly/global-lock/seqlock", "--threads",
		"1,2", "--quiet", "--processes", "5", "--samples", "4", "--window-ms", "50",
		"--output", folder(b, "readers", dir, sizeof dir), NULL};
	run(argv, &status, NULL);
	if (!load_table(dir, &t))
		return;
	for (size_t i = 0; i < COUNT(readers); i++)
		for (unsigned threads = 1; threads <= 2; threads++) {
			snprintf(figure, sizeof figure, "readmostly: %s against %s, %u worker%s",
				readers[i].ours, readers[i].reference, threads,
				threads > 1 ? "s" : "");
			compare_rows(b, figure,
				find(&t, "readmostly", "global-lock", readers[i].ours, threads),
				find(&t, "readmostly", "global-lock", readers[i].reference,
					threads),
				1, "at least 1");
		}
	table_fini(&t);
}

// Four workers a core against one a core, for all locks whose waiters sleep.
static void oversubscribed(struct bench *b)
{
	char dir[128], figure[96], counts[32];
	int status;
	struct table t;
	unsigned cores = b->machine.allowed_pus;
	snprintf(counts, sizeof counts, "%u,%u", cores, 4 * cores);
	char *const argv[] = {(char *)b->lockscale, "run", "counter/global-lock/*mutex*",
		"counter/global-lock/futex", "counter/global-lock/parking",
		"counter/global-lock/rlock*", "counter/global-lock/semaphore",
		"counter/global-lock/gil-*", "counter/global-lock/rwlock", "--oversubscribe",
		"--threads", counts, "--quiet", "--processes", "3", "--samples", "5", "--window-ms",
		"50", "--output", folder(b, "crowd", dir, sizeof dir), NULL};
	run(argv, &status, NULL);
	if (!load_table(dir, &t))
		return;
	for (size_t i = 0; i < t.count; i++) {
		const struct row *crowd = &t.rows[i];
		if (crowd->point.threads != 4 * cores || !crowd->has_samples || crowd->failed ||
			!crowd->point.lock[0])
			continue;
		const struct row *even =
			find(&t, "counter", "global-lock", crowd->point.lock, cores);
		struct interval ratio = {NAN, NAN, 0};
		if (!even)
			continue;
		stats_ratio_interval(&crowd->modes[crowd->mode].used, &even->modes[even->mode].used,
			0.95, &ratio);
		double r = crowd->ops_per_second / even->ops_per_second;
		snprintf(figure, sizeof figure, "%s, 4 workers a PU against 1 (M/s)",
			crowd->point.lock);
		line(b, figure, crowd->ops_per_second * 1e-6, even->ops_per_second * 1e-6, r,
			ratio.lo, ratio.hi, "at least 0.5", r >= 0.5);
	}
	table_fini(&t);
}

void lock_figures(struct bench *b)
{
	counter_figures(b);
	reader_figures(b);
	oversubscribed(b);
}

// A lock whose loop has everything inlined, against the same through its class's pointers.
void lock_figures_in_process(struct bench *b, struct team *team, struct probe *probe)
{
	const struct kernel *k = catalog_kernel("counter");
	const struct variant *inlined = catalog_variant(k, "global-lock", "tas");
	struct variant called = *inlined;
	double cost[2 * ROUNDS];
	called.batch = inlined->indirect;
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		double with = 1e9 / harness_rate(team, probe, k, &called, 1, NULL);
		cost[i] = with - 1e9 / harness_rate(team, probe, k, inlined, 1, NULL);
	}
	stats_sort(cost, 2 * ROUNDS);
	struct interval i = stats_median_interval(cost, 2 * ROUNDS, 0.95);
	double median = stats_median(cost, 2 * ROUNDS);
	line(b, "calls through a lock's pointers, per acquire and release (ns)", median, 2,
		median / 2, i.lo / 2, i.hi / 2, "below 1", median < 2);
}
