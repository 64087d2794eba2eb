// SPDX-License-Identifier: BSD-2-Clause
// Structures and programs: against the libraries in the same run, against what other suites
// measured on a machine of this kind, against the sequential program; what reclamation costs.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "catalog.h"
#include "peers.h"

enum { PATTERNS_MOST = 24 };

// A strategy of somebody else's structure has the library's name.
static bool is_library(const char *strategy)
{
	static const char *const names[] = {"ck-", "urcu-", "moodycamel"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(strategy, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static const struct row *best(
	const struct table *t, const char *kernel, unsigned threads, bool library)
{
	const struct row *found = NULL;
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];
		const struct point *p = &row->point;
		if (strcmp(p->kernel, kernel) || p->threads != threads || !row->has_samples ||
			row->failed || !strcmp(p->strategy, "sequential") ||
			is_library(p->strategy) != library)
			continue;
		if (!found || row->ops_per_second > found->ops_per_second)
			found = row;
	}
	return found;
}

static const char *strategy_of(const struct row *row, char *buf, size_t size)
{
	const struct point *p = &row->point;
	snprintf(buf, size, "%s%s%s", p->strategy, *p->lock ? "/" : "", p->lock);
	return buf;
}

static void against_libraries(struct bench *b, const struct table *t)
{
	static const char *const kernels[] = {"hashmap", "queue", "stack"};
	const unsigned counts[] = {1, b->machine.allowed_cores};
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 2 && (j == 0 || counts[j] > 1); j++) {
			const struct row *ours = best(t, kernels[i], counts[j], false);
			const struct row *theirs = best(t, kernels[i], counts[j], true);
			char figure[256], x[2 * NAME_LEN + 2], y[2 * NAME_LEN + 2];
			if (!ours || !theirs)
				continue;
			snprintf(figure, sizeof figure, "%s, %u: our %s, their %s", kernels[i],
				counts[j], strategy_of(ours, x, sizeof x),
				strategy_of(theirs, y, sizeof y));
			compare_rows(b, figure, ours, theirs, 1, "at least 1");
		}
}

// The best that other suites measured on such a machine (2 cores, Zen 3), in M operations/s, with
// 90 % lookups where there are lookups. Theirs count all tries, so here ours do too.
static void against_suite(
	struct bench *b, const struct table *t, const char *kernel, double one, double two)
{
	for (unsigned workers = 1; workers <= 2; workers++) {
		const struct row *ours = best(t, kernel, workers, false);
		char figure[192], x[2 * NAME_LEN + 2];
		double theirs = (workers == 1 ? one : two) * 1e6;
		if (!ours)
			continue;
		snprintf(figure, sizeof figure, "%s, %u: our %s, best of other suites (tries)",
			kernel, workers, strategy_of(ours, x, sizeof x));
		double tries = ours->ops_per_second + ours->failed_per_second;
		double all = tries / ours->ops_per_second;
		line(b, figure, tries * 1e-6, theirs * 1e-6, tries / theirs,
			all * ours->ops.lo / theirs, all * ours->ops.hi / theirs, "above 1",
			tries > theirs);
	}
}

static void against_sequential(struct bench *b, const struct table *t)
{
	static const struct {
		const char *kernel, *strategy; // null: the best
		double least;
	} wanted[] = {{"set", "lock-free", 1.5}, {"skiplist", "lock-free", 1.5},
		{"wordcount", "private", 1.9}, {"random", "private", 1.95}, {"graph", NULL, 1.5}};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const char *kernel = wanted[i].kernel, *strategy = wanted[i].strategy;
		const struct row *row =
			strategy ? find(t, kernel, strategy, "", 2) : best(t, kernel, 2, false);
		const struct row *alone = find(t, kernel, "sequential", "", 1);
		char figure[192], x[2 * NAME_LEN + 2], target[32];
		if (!row || !alone)
			continue;
		snprintf(figure, sizeof figure, "%s: %s on 2 cores over sequential", kernel,
			strategy_of(row, x, sizeof x));
		snprintf(target, sizeof target, "above %g", wanted[i].least);
		line(b, figure, row->ops_per_second * 1e-6, alone->ops_per_second * 1e-6,
			row->speedup, row->gain.lo, row->gain.hi, target,
			row->speedup > wanted[i].least);
	}
}

// Runs patterns (ended by a null) with these options into a table.
static bool measured(struct bench *b, const char *name, char *const *words, struct table *t)
{
	char dir[128];
	char *argv[PATTERNS_MOST + 8] = {(char *)b->lockscale, "run", "--quiet", "--threads",
		b->machine.allowed_cores > 1 ? "1,2" : "1", "--output",
		folder(b, name, dir, sizeof dir)};
	size_t count = 7;
	int status;
	for (size_t i = 0; i < PATTERNS_MOST && words[i]; i++)
		argv[count++] = words[i];
	run(argv, &status, NULL);
	return load_table(dir, t);
}

static void ours_and_theirs(struct bench *b)
{
	struct table t;
	char *const libraries[] = {"hashmap", "queue", "stack", "--locks", "mutex,ttas",
		"--processes", "4", "--samples", "4", "--window-ms", "60", NULL};
	/* As many insertions as removals, as theirs. */
	char *const suites[] = {"hashmap", "set", "skiplist", "--param", "hashmap.mix=90/5/5",
		"--param", "set.mix=90/5/5", "--param", "skiplist.mix=90/5/5", "--locks", "ttas",
		"--processes", "3", "--samples", "4", "--window-ms", "60", NULL};
	char *const alone[] = {"set/lock-free", "skiplist/lock-free", "wordcount/private",
		"random/private", "graph", "--processes", "4", "--samples", "4", "--window-ms",
		"60", NULL};
	if (measured(b, "libraries", libraries, &t)) {
		against_libraries(b, &t);
		against_suite(b, &t, "queue", 209, 38);
		against_suite(b, &t, "stack", 178, 44);
		table_fini(&t);
	}
	if (measured(b, "suites", suites, &t)) {
		against_suite(b, &t, "hashmap", 60, 90);
		against_suite(b, &t, "set", 2.8, 4.7);
		against_suite(b, &t, "skiplist", 7, 12);
		table_fini(&t);
	}
	if (measured(b, "alone", alone, &t)) {
		against_sequential(b, &t);
		table_fini(&t);
	}
}

/* Reclamation: every scheme that the kernel accepts, over epochs. */

static const struct param *scheme_of(const struct kernel *k)
{
	for (const struct param *p = k->params; p && p->name; p++)
		if (strcmp(p->name, "reclamation") == 0)
			return p;
	return NULL;
}

// "epoch|hazard|qsbr" as the list that --param takes.
static void list_schemes(const struct kernel *k, char *text, size_t size)
{
	snprintf(text, size, "%s.reclamation=%s", k->name, scheme_of(k)->accepts);
	for (char *c = text; *c; c++)
		*c = *c == '|' ? ',' : *c;
}

static void scheme_lines(struct bench *b, const struct table *t, const struct kernel *k)
{
	char schemes[128], name[64], figure[160];
	snprintf(schemes, sizeof schemes, "%s", scheme_of(k)->accepts);
	for (unsigned workers = 1; workers <= 2; workers++) {
		snprintf(name, sizeof name, "%s@reclamation=epoch", k->name);
		const struct row *epoch = find(t, name, "lock-free", "", workers);
		char list[128], *rest;
		snprintf(list, sizeof list, "%s", schemes);
		for (char *s = strtok_r(list, "|", &rest); s; s = strtok_r(NULL, "|", &rest)) {
			struct interval i = {NAN, NAN, 0};
			snprintf(name, sizeof name, "%s@reclamation=%s", k->name, s);
			const struct row *row = find(t, name, "lock-free", "", workers);
			if (!row || !epoch || strcmp(s, "epoch") == 0)
				continue;
			stats_ratio_interval(&row->modes[row->mode].used,
				&epoch->modes[epoch->mode].used, 0.95, &i);
			snprintf(figure, sizeof figure,
				"reclamation: %s/lock-free, %u: %s over epoch", k->name, workers,
				s);
			line(b, figure, row->ops_per_second * 1e-6, epoch->ops_per_second * 1e-6,
				row->ops_per_second / epoch->ops_per_second, i.lo, i.hi, "shown",
				true);
		}
	}
}

static void reclamation(struct bench *b)
{
	static const char *const kernels[] = {
		"hashmap", "queue", "stack", "set", "skiplist", "pqueue"};
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		const struct kernel *k = catalog_kernel(kernels[i]);
		char pattern[64], list[160], name[64];
		struct table t;
		if (!k || !scheme_of(k))
			continue;
		snprintf(pattern, sizeof pattern, "%s/lock-free", k->name);
		snprintf(name, sizeof name, "reclamation-%s", k->name);
		list_schemes(k, list, sizeof list);
		char *const words[] = {pattern, "--param", list, "--processes", "3", "--samples",
			"3", "--window-ms", "40", NULL};
		if (!measured(b, name, words, &t))
			continue;
		scheme_lines(b, &t, k);
		table_fini(&t);
	}
}

/* Memory after a long window over that after a short one: what is removed is freed. */

enum { SHORT_MS = 1000, LONG_MS = 6000 };

static void memory_is_bounded(struct bench *b)
{
	static const char *const kernels[] = {
		"hashmap", "queue", "stack", "set", "skiplist", "pqueue"};
	struct table t[2];
	char *words[] = {"hashmap/lock-free", "queue/lock-free", "stack/lock-free", "set/lock-free",
		"skiplist/lock-free", "pqueue/lock-free", "--processes", "1", "--samples", "1",
		"--window-ms", NULL, NULL};
	const unsigned lengths[] = {SHORT_MS, LONG_MS};
	for (size_t i = 0; i < 2; i++) {
		char ms[16], name[32];
		snprintf(ms, sizeof ms, "%u", lengths[i]);
		snprintf(name, sizeof name, "memory-%u", lengths[i]);
		words[11] = ms;
		if (!measured(b, name, words, &t[i])) {
			if (i)
				table_fini(&t[0]);
			return;
		}
	}
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		const struct row *brief = find(&t[0], kernels[i], "lock-free", "", 2);
		const struct row *lasting = find(&t[1], kernels[i], "lock-free", "", 2);
		char figure[96];
		if (!brief || !lasting || !(brief->memory_bytes > 0))
			continue;
		double ratio = lasting->memory_bytes / brief->memory_bytes;
		snprintf(figure, sizeof figure, "memory: %s/lock-free, 6 s over 1 s (MiB)",
			kernels[i]);
		line(b, figure, lasting->memory_bytes / 1048576, brief->memory_bytes / 1048576,
			ratio, NAN, NAN, "at most 2", ratio <= 2);
	}
	table_fini(&t[0]);
	table_fini(&t[1]);
}

static void everything_quick(struct bench *b)
{
	char dir[128];
	int status;
	char *const argv[] = {(char *)b->lockscale, "run", "--quick", "--quiet", "--output",
		folder(b, "everything", dir, sizeof dir), NULL};
	double seconds = run(argv, &status, NULL);
	line(b, "run --quick, all kernels: seconds against 8 minutes", seconds, 480, seconds / 480,
		NAN, NAN, "below 1", seconds < 480 && WEXITSTATUS(status) == 0);
}

void structure_figures(struct bench *b)
{
	ours_and_theirs(b);
	reclamation(b);
	memory_is_bounded(b);
	everything_quick(b);
}
