// SPDX-License-Identifier: BSD-2-Clause
// What whole runs of the program must keep: spread, time, memory, agreement.
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "peers.h"

// How much of a mode's samples lies within 4 % of their median.
static double share_within(const struct stats_group *g, double median)
{
	size_t within = 0;
	for (size_t i = 0; i < g->count; i++)
		within += fabs(g->value[i] / median - 1) <= 0.04;
	return (double)within / (double)g->count;
}

static void spread(struct bench *b)
{
	static const struct {
		const char *name, *strategy, *lock;
	} points[] = {{"tas", "global-lock", "tas"}, {"mutex", "global-lock", "mutex"},
		{"fetch-add", "lock-free", ""}};
	char dir[128], figure[128];
	int status;
	struct table t;
	char *const argv[] = {(char *)b->lockscale, "run", "counter/global-lock/tas",
		"counter/global-lock/mutex", "counter/lock-free", "--threads", "2", "--quiet",
		"--processes", "5", "--samples", "10", "--window-ms", "100", "--output",
		folder(b, "spread", dir, sizeof dir), NULL};
	run(argv, &status, NULL);
	if (!load_table(dir, &t))
		return;
	for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
		const struct row *row = find(&t, "counter", points[i].strategy, points[i].lock, 2);
		for (int m = 0; row && m < row->mode_count; m++) {
			const struct table_mode *mode = &row->modes[m];
			double share = share_within(&mode->used, mode->ops_per_second);
			snprintf(figure, sizeof figure,
				"spread: %s, 2 workers, within 4 %% at %.0f ns (%zu samples)",
				points[i].name, mode->line_ns, mode->used.count);
			line(b, figure, share, 0.8, share / 0.8, NAN, NAN, "at least 1",
				share >= 0.8);
		}
	}
	table_fini(&t);
}

static void control(struct bench *b, const struct table *t)
{
	unsigned cores = b->machine.allowed_cores;
	const struct row *all = find(t, "control", "private", "", cores);
	const struct row *one = find(t, "control", "private", "", 1);
	struct interval i;
	if (!all || !one)
		return;
	stats_ratio_interval(&all->modes[all->mode].used, &one->modes[one->mode].used, 0.95, &i);
	double ratio = all->ops_per_second / one->ops_per_second / cores;
	line(b, "control at all cores over control at 1, per core", all->ops_per_second * 1e-6,
		one->ops_per_second * 1e-6, ratio, i.lo / cores, i.hi / cores, "at least 0.97",
		ratio >= 0.97);
}

// The default run with its report: how long, and how many speedups it knows within 3 %.
static void default_run(struct bench *b)
{
	char dir[128];
	int status;
	struct table t;
	char *const measure[] = {(char *)b->lockscale, "run", "--standard", "--quiet", "--output",
		folder(b, "default", dir, sizeof dir), NULL};
	char *const report[] = {(char *)b->lockscale, "report", "--quiet", dir, NULL};
	double seconds = run(measure, &status, NULL);
	seconds += run(report, &status, NULL);
	line(b, "make run: seconds against 4 minutes", seconds, 240, seconds / 240, NAN, NAN,
		"below 1", seconds < 240);
	if (!load_table(dir, &t))
		return;
	size_t points = 0, known = 0;
	for (size_t i = 0; i < t.count; i++) {
		const struct row *row = &t.rows[i];
		if (!row->has_samples || !(row->speedup > 0) || row->point.threads == 1)
			continue;
		points++;
		known += (row->gain.hi - row->gain.lo) / 2 <= 0.03 * row->speedup;
	}
	double share = points ? (double)known / (double)points : 0;
	line(b, "make run: share of speedups known within 3 %", share, 0.9, share / 0.9, NAN, NAN,
		"at least 1", share >= 0.9);
	control(b, &t);
	table_fini(&t);
}

static void two_quick_runs(struct bench *b)
{
	char one[128], two[128];
	int status;
	char *const first[] = {(char *)b->lockscale, "run", "--standard", "--quick", "--quiet",
		"--output", folder(b, "quick1", one, sizeof one), NULL};
	char *const second[] = {(char *)b->lockscale, "run", "--standard", "--quick", "--quiet",
		"--output", folder(b, "quick2", two, sizeof two), NULL};
	run(first, &status, NULL);
	run(second, &status, NULL);
	/* Both ways round: compare alarms at what became slower. */
	char *const compare[] = {(char *)b->lockscale, "compare", one, two, NULL};
	char *const reverse[] = {(char *)b->lockscale, "compare", two, one, NULL};
	int slower = 0, faster = 0;
	run(compare, &slower, NULL);
	run(reverse, &faster, NULL);
	double alarms = (WEXITSTATUS(slower) != 0) + (WEXITSTATUS(faster) != 0);
	line(b, "two quick runs: directions with a difference above 5 %", alarms, 0, alarms, NAN,
		NAN, "0", alarms == 0);
}

static void footprint(struct bench *b)
{
	char dir[128];
	int status;
	double planned, real, seconds[ROUNDS];
	char *const plan[] = {(char *)b->lockscale, "run", "--dry-run", "--topology",
		"pack:8 core:28 pu:2", NULL};
	char *const measure[] = {(char *)b->lockscale, "run", "control", "--oversubscribe",
		"--threads", "448", "--processes", "1", "--samples", "1", "--window-ms", "10",
		"--quiet", "--output", folder(b, "wide", dir, sizeof dir), NULL};
	char *const list[] = {(char *)b->lockscale, "list", NULL};
	run(plan, &status, &planned);
	line(b, "memory, 448 workers planned (MiB)", planned / 1024, 64, planned / 1024 / 64, NAN,
		NAN, "below 1", WEXITSTATUS(status) == 0 && planned / 1024 < 64);
	run(measure, &status, &real);
	line(b, "memory, 448 workers running (MiB)", real / 1024, 64, real / 1024 / 64, NAN, NAN,
		"below 1", WEXITSTATUS(status) == 0 && real / 1024 < 64);
	for (unsigned i = 0; i < ROUNDS; i++)
		seconds[i] = run(list, &status, NULL);
	stats_sort(seconds, ROUNDS);
	double median = stats_median(seconds, ROUNDS) * 1e3;
	line(b, "start-up of lockscale list (ms)", median, 50, median / 50, seconds[0] * 20,
		seconds[ROUNDS - 1] * 20, "below 1", median < 50);
}

void run_figures(struct bench *b)
{
	spread(b);
	default_run(b);
	two_quick_runs(b);
	footprint(b);
}
