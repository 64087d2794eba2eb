// SPDX-License-Identifier: BSD-2-Clause
// make bench-peers, make bench-python: our figures against their targets.
//   bench-peers LOCKSCALE OUT.tsv [python]
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "peers.h"
#include "placement.h"
#include "report.h"

enum { FEWEST = 3, WORKERS_MOST = 512, VALUES_MOST = 4096 };

void line(struct bench *b, const char *figure, double ours, double reference, double ratio,
	double lo, double hi, const char *target, bool met)
{
	printf("%-54s %11.5g %11.5g  %6.3f [%6.3f, %6.3f]  %-12s %s\n", figure, ours, reference,
		ratio, lo, hi, target, met ? "yes" : "NO");
	fflush(stdout);
	fprintf(b->tsv, "%s\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%s\t%s\n", figure, ours, reference,
		ratio, lo, hi, target, met ? "yes" : "no");
}

void ratio_line(struct bench *b, const char *figure, double *ours, double *reference, size_t count,
	const char *target, double least, double most)
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

double harness_rate(struct team *team, struct probe *probe, const struct kernel *k,
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

double run(char *const *argv, int *status, double *memory_kb)
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

char *folder(const struct bench *b, const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", b->folder, name);
	return buf;
}

bool load_table(const char *dir, struct table *t)
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

const struct row *find(const struct table *t, const char *kernel, const char *strategy,
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

void compare_rows(struct bench *b, const char *figure, const struct row *ours,
	const struct row *reference, double least, const char *target)
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
				ratio.lo, ratio.hi, target, r >= least);
		}
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
	harness_figures(b, team, probe, workers);
	lock_figures_in_process(b, team, probe);
	team_destroy(team);
	probe_destroy(probe);
}

int main(int argc, char **argv)
{
	struct error e;
	struct bench b = {.folder = "/tmp/bench-peers-XXXXXX"};
	bool python = argc == 4 && !strcmp(argv[3], "python");
	if (argc != 3 && !python) {
		fprintf(stderr, "usage: %s LOCKSCALE OUT.tsv [python]\n", argv[0]);
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
	if (python) {
		python_figures(&b);
	} else {
		in_process(&b);
		lock_figures(&b);
		structure_figures(&b);
		run_figures(&b);
	}
	bool written = fclose(b.tsv) == 0;
	char *const tidy[] = {"/bin/rm", "-rf", b.folder, NULL};
	int status;
	run(tidy, &status, NULL);
	free(b.order);
	machine_unload(&b.machine);
	return written ? 0 : 1;
}
