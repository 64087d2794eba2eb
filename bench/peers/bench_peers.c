// SPDX-License-Identifier: BSD-2-Clause
// Our figures against their targets, each a ratio within one run on this machine. Measures, and
// says so where a target is missed: it never fails for that.
//   bench-peers LOCKSCALE OUT.tsv
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "placement.h"
#include "report.h"
#include "stats.h"
#include "trial.h"

enum { ROUNDS = 15, FEWEST = 3, WORKERS_MOST = 512, VALUES_MOST = 4096 };

struct bench {
	const char *lockscale;
	char folder[64]; // scratch, removed at the end
	FILE *tsv;
	struct machine machine;
	unsigned *order;
};

static void line(struct bench *b, const char *figure, double ours, double reference, double ratio,
	double lo, double hi, const char *target, bool met)
{
	printf("%-54s %11.5g %11.5g  %6.3f [%6.3f, %6.3f]  %-12s %s\n", figure, ours, reference,
		ratio, lo, hi, target, met ? "yes" : "NO");
	fflush(stdout);
	fprintf(b->tsv, "%s\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%s\t%s\n", figure, ours, reference,
		ratio, lo, hi, target, met ? "yes" : "no");
}

// Ratio of two medians with its interval, from samples taken in turn.
static void ratio_line(struct bench *b, const char *figure, double *ours, double *reference,
	size_t count, const char *target, double least, double most)
{
	unsigned process[VALUES_MOST] = {0};
	struct stats_group num = {ours, process, count}, den = {reference, process, count};
	struct interval i = {NAN, NAN, 0};
	stats_ratio_interval(&num, &den, 0.95, &i);
	stats_sort(ours, count);
	stats_sort(reference, count);
	double x = stats_median(ours, count), y = stats_median(reference, count);
	line(b, figure, x, y, x / y, i.lo, i.hi, target, x / y >= least && x / y <= most);
}

/* 1 and 2: the harness against loops written by hand, in this process, in turn. */

// A thread that runs a plain loop for a while, pinned, and tells its rate.
struct by_hand {
	const struct machine *machine;
	unsigned pu;
	double (*loop)(uint64_t operations); // returns seconds
	uint64_t operations;
	double rate;
};

static double count_loop(uint64_t n)
{
	uint64_t start = clock_ns(), value = 0;
	for (uint64_t i = 0; i < n; i++) {
		value++;
		keep_in_register(value);
	}
	return (double)(clock_ns() - start) * 1e-9;
}

static double control_loop(uint64_t n)
{
	uint64_t start = clock_ns(), a = 0, b = 1, c = 2, d = 3;
	for (uint64_t i = 0; i < n; i++) {
		a = a * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(a);
		b = b * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(b);
		c = c * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(c);
		d = d * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(d);
	}
	return (double)(clock_ns() - start) * 1e-9;
}

static void *run_by_hand(void *arg)
{
	struct by_hand *h = arg;
	machine_pin(h->machine, h->pu);
	/* As long as the harness's warm-up, then as long as its window. */
	double seconds = h->loop(h->operations / 2);
	seconds = h->loop(h->operations);
	h->rate = (double)h->operations / seconds;
	return NULL;
}

static double hand_rate(struct bench *b, double (*loop)(uint64_t), uint64_t operations)
{
	struct by_hand h = {&b->machine, b->machine.pu[b->order[0]].os, loop, operations, 0};
	pthread_t thread;
	pthread_create(&thread, NULL, run_by_hand, &h);
	pthread_join(thread, NULL);
	return h.rate;
}

static double harness_rate(struct team *team, struct probe *probe, const struct kernel *k,
	const struct variant *v, unsigned workers, double *skew)
{
	struct worker_record record[WORKERS_MOST];
	struct observation o = {.worker = record};
	struct trial_settings s = {100000000, 100000000, 3};
	struct input in = {0};
	struct error e;
	struct trial t = {.settings = &s,
		.kernel = k,
		.variant = v,
		.input = &in,
		.workers = workers,
		.team = team,
		.probe = probe};
	if (trial_run(&t, &o, &e) < 0 || o.lost_updates) {
		fprintf(stderr, "bench-peers: %s\n", e.text);
		exit(1);
	}
	if (skew)
		*skew = o.start_skew_ns;
	return o.operations_per_second;
}

static void harness_cost(struct bench *b, struct team *team, struct probe *probe,
	const char *kernel, double (*loop)(uint64_t), const char *figure)
{
	double ours[2 * ROUNDS], by_hand[2 * ROUNDS];
	const struct kernel *k = catalog_kernel(kernel);
	const struct variant *v = catalog_variant(k, "sequential", "");
	uint64_t operations = (uint64_t)(harness_rate(team, probe, k, v, 1, NULL) / 10);
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		ours[i] = harness_rate(team, probe, k, v, 1, NULL);
		by_hand[i] = hand_rate(b, loop, operations);
	}
	ratio_line(b, figure, ours, by_hand, 2 * ROUNDS, "0.99..1.01", 0.99, 1.01);
}

// One worker does 50 times the work per operation, on nothing shared.
enum { SLOW = 50 };

static uint64_t uneven_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	control_loop(w->index == 1 ? n * SLOW : n);
	return n;
}

static int64_t nothing_lost(struct run *r, const uint64_t *done)
{
	(void)r;
	(void)done;
	return 0;
}

static void uneven(struct bench *b, struct team *team, struct probe *probe)
{
	static const struct variant variant = {.strategy = "private", .batch = uneven_batch};
	static const struct kernel kernel = {.name = "uneven",
		.unit = "steps",
		.variants = &variant,
		.variant_count = 1,
		.check = nothing_lost};
	double ours[ROUNDS], plain[ROUNDS];
	for (unsigned i = 0; i < ROUNDS; i++) {
		ours[i] = harness_rate(team, probe, &kernel, &variant, 2, NULL);
		/* The plain sum: the fast worker's own rate and a fiftieth of it. */
		double fast = hand_rate(b, control_loop, (uint64_t)(ours[i] / 10));
		plain[i] = fast + fast / SLOW;
	}
	ratio_line(b, "uneven workers (1:50) against the plain sum of rates", ours, plain, ROUNDS,
		"0.98..1.02", 0.98, 1.02);
}

static void start_skew(struct bench *b, struct team *team, struct probe *probe, unsigned workers)
{
	double skew[4 * ROUNDS];
	const struct kernel *k = catalog_kernel("control");
	const struct variant *v = catalog_variant(k, "private", "");
	for (unsigned i = 0; i < 4 * ROUNDS; i++)
		harness_rate(team, probe, k, v, workers, &skew[i]);
	stats_sort(skew, 4 * ROUNDS);
	struct interval i = stats_median_interval(skew, 4 * ROUNDS, 0.95);
	double median = stats_median(skew, 4 * ROUNDS);
	line(b, "start skew, median of 60 (ns; against 1000)", median, 1000, median / 1000,
		i.lo / 1000, i.hi / 1000, "below 1", median < 1000);
}

static void in_process(struct bench *b)
{
	struct team *team;
	struct error e;
	unsigned workers = b->machine.allowed_pus < 2 ? 1 : 2;
	struct probe *probe = probe_create(workers);
	if (!probe || team_create(&team, &b->machine, b->order, b->machine.allowed_pus, workers,
			      true, &e)) {
		fprintf(stderr, "bench-peers: %s\n", probe ? e.text : "no memory");
		exit(1);
	}
	harness_cost(b, team, probe, "counter", count_loop,
		"harness: counter/sequential against a plain loop");
	harness_cost(
		b, team, probe, "control", control_loop, "harness: control against a plain loop");
	if (workers == 2) {
		uneven(b, team, probe);
		start_skew(b, team, probe, workers);
	}
	team_destroy(team);
	probe_destroy(probe);
}

/* The rest: runs of the program. */

static pid_t start(char *const *argv)
{
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		if (!getenv("BENCH_PEERS_VERBOSE"))
			dup2(null, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

// Seconds it took; *status and *memory_kb as the system tells.
static double run(char *const *argv, int *status, double *memory_kb)
{
	struct rusage usage;
	uint64_t before = clock_ns();
	pid_t pid = start(argv);
	if (pid < 0 || wait4(pid, status, 0, &usage) < 0) {
		fprintf(stderr, "bench-peers: cannot run %s: %s\n", argv[0], strerror(errno));
		exit(1);
	}
	if (memory_kb)
		*memory_kb = (double)usage.ru_maxrss;
	return (double)(clock_ns() - before) * 1e-9;
}

static char *folder(const struct bench *b, const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", b->folder, name);
	return buf;
}

static bool load_table(const char *dir, struct table *t)
{
	struct result r;
	struct error e;
	int rc = result_load(&r, dir, &e);
	if (!rc) {
		rc = table_init(t, &r, &e);
		result_free(&r);
	}
	if (rc)
		fprintf(stderr, "bench-peers: %s\n", e.text);
	return rc == 0;
}

static const struct row *find(const struct table *t, const char *kernel, const char *strategy,
	const char *lock, unsigned threads)
{
	struct point p = {.threads = threads};
	snprintf(p.kernel, sizeof p.kernel, "%s", kernel);
	snprintf(p.strategy, sizeof p.strategy, "%s", strategy);
	snprintf(p.lock, sizeof p.lock, "%s", lock);
	snprintf(p.placement, sizeof p.placement, "compact");
	const struct row *row = table_find(t, &p);
	return row && row->has_samples && !row->failed ? row : NULL;
}

// Like with like: modes of the same line transfer, each a line.
static void compare_rows(
	struct bench *b, const char *figure, const struct row *ours, const struct row *reference)
{
	for (int i = 0; ours && reference && i < ours->mode_count; i++)
		for (int j = 0; j < reference->mode_count; j++) {
			const struct table_mode *x = &ours->modes[i], *y = &reference->modes[j];
			bool probed = x->line_ns > 0 && y->line_ns > 0;
			if (probed && fabs(log2(x->line_ns / y->line_ns)) > STATS_MODE_GAP)
				continue;
			/* A mode seen once or twice says nothing of a ratio. */
			if (x->samples < FEWEST || y->samples < FEWEST)
				continue;
			struct interval ratio = {NAN, NAN, 0};
			char name[160], mode[64] = "";
			stats_ratio_interval(&x->used, &y->used, 0.95, &ratio);
			if (probed)
				snprintf(mode, sizeof mode, " at %.0f ns (%u, %u samples)",
					x->line_ns, x->samples, y->samples);
			snprintf(name, sizeof name, "%s%s", figure, mode);
			double r = x->ops_per_second / y->ops_per_second;
			line(b, name, x->ops_per_second * 1e-6, y->ops_per_second * 1e-6, r,
				ratio.lo, ratio.hi, "at least 1", r >= 1);
		}
}

struct pair {
	const char *ours, *reference;
};

static void add_lock(char *names, size_t size, const char *lock)
{
	size_t used = strlen(names);
	if (catalog_variant(catalog_kernel("counter"), "global-lock", lock))
		snprintf(names + used, size - used, ",%s", lock);
}

static void locks(struct bench *b)
{
	static const struct pair pairs[] = {{"tas", "ck-fas"}, {"tas", "spin"},
		{"ttas", "ck-fas-eb"}, {"ttas", "ck-fas"}, {"ttas", "spin"},
		{"ticket", "ck-ticket"}, {"mcs", "ck-mcs"}, {"clh", "ck-clh"},
		{"cohort", "ck-cohort"}, {"cohort", "ticket"}, {"hmcs", "mcs"}, {"cna", "mcs"}};
	char dir[128], figure[96];
	int status;
	struct table t;
	/* Some twice; those that were not built are left out. */
	char names[512] = "tas";
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		add_lock(names, sizeof names, pairs[i].ours);
		add_lock(names, sizeof names, pairs[i].reference);
	}
	char *const argv[] = {(char *)b->lockscale, "run", "counter/global-lock/*", "--locks",
		names, "--quiet", "--processes", "5", "--samples", "4", "--window-ms", "50",
		"--output", folder(b, "locks", dir, sizeof dir), NULL};
	run(argv, &status, NULL);
	if (!load_table(dir, &t))
		return;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (unsigned threads = 1; threads <= 2; threads++) {
			snprintf(figure, sizeof figure, "%s against %s, %u worker%s (M/s)",
				pairs[i].ours, pairs[i].reference, threads, threads > 1 ? "s" : "");
			compare_rows(b, figure,
				find(&t, "counter", "global-lock", pairs[i].ours, threads),
				find(&t, "counter", "global-lock", pairs[i].reference, threads));
		}
	table_fini(&t);
}

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
	char *const measure[] = {(char *)b->lockscale, "run", "--quiet", "--output",
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
	char *const first[] = {(char *)b->lockscale, "run", "--quick", "--quiet", "--output",
		folder(b, "quick1", one, sizeof one), NULL};
	char *const second[] = {(char *)b->lockscale, "run", "--quick", "--quiet", "--output",
		folder(b, "quick2", two, sizeof two), NULL};
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

int main(int argc, char **argv)
{
	struct error e;
	struct bench b = {.folder = "/tmp/bench-peers-XXXXXX"};
	if (argc != 3) {
		fprintf(stderr, "usage: %s LOCKSCALE OUT.tsv\n", argv[0]);
		return 2;
	}
	b.lockscale = argv[1];
	b.tsv = fopen(argv[2], "we");
	if (!b.tsv || !mkdtemp(b.folder) || machine_load(&b.machine, NULL, &e) < 0) {
		fprintf(stderr, "bench-peers: cannot write %s or measure here\n", argv[2]);
		return 1;
	}
	b.order = calloc(b.machine.allowed_pus, sizeof *b.order);
	placement_order(&b.machine, PLACEMENT_COMPACT, b.order);
	fputs("figure\tours\treference\tratio\tlo\thi\ttarget\tmet\n", b.tsv);
	printf("%s, %u cores\n\n%-54s %11s %11s  %6s %18s  %-12s %s\n", b.machine.cpu,
		b.machine.allowed_cores, "figure", "ours", "reference", "ratio", "95 % interval",
		"target", "met");
	in_process(&b);
	locks(&b);
	spread(&b);
	default_run(&b);
	two_quick_runs(&b);
	footprint(&b);
	bool written = fclose(b.tsv) == 0;
	char *const tidy[] = {"/bin/rm", "-rf", b.folder, NULL};
	int status;
	run(tidy, &status, NULL);
	free(b.order);
	machine_unload(&b.machine);
	return written ? 0 : 1;
}
