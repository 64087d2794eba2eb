// SPDX-License-Identifier: BSD-2-Clause
// lockscale report: verdict on the terminal and in verdict.txt, tables, then the chart script.
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

int cmd_report(int argc, char **argv);

struct report {
	double yes_at;
	bool charts, quiet;
	char **dirs; // borrowed from argv
	size_t count;
};

static const struct argp_option options[] = {
	{"yes-at", 'y', "X", 0,
		"Say yes where the interval's lower end reaches X times the cores used (0.9)", 0},
	{"no-charts", 'n', NULL, 0, "Write the verdict and the tables, draw nothing", 0},
	{"quiet", 'q', NULL, 0, "Print only where the files are", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report *report = state->input;
	char *end;
	switch (key) {
	case 'y':
		report->yes_at = strtod(arg, &end);
		if (end == arg || *end || !(report->yes_at > 0 && report->yes_at <= 2))
			argp_error(state, "--yes-at %s: expected a number above 0, up to 2", arg);
		return 0;
	case 'n':
		report->charts = false;
		return 0;
	case 'q':
		report->quiet = true;
		return 0;
	case ARGP_KEY_ARGS:
		report->dirs = state->argv + state->next;
		report->count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no DIR given: expected a result directory, as `run` writes it");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool exists_in(const char *dir, const char *name)
{
	char path[PATH_MAX];
	return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path &&
	       !access(path, F_OK);
}

static bool is_result(const char *dir)
{
	struct stat st;
	return !stat(dir, &st) && S_ISDIR(st.st_mode) &&
	       (exists_in(dir, "benchmark.json") || exists_in(dir, "journal.jsonl"));
}

static void name_files(const struct report *report, const char *dir)
{
	static const char *const names[] = {"verdict.txt", "speedup.tsv", "boundaries.tsv",
		"findings.tsv", "fairness.tsv", "handover.tsv", "latency.tsv", "counters.tsv",
		"counts.tsv", "contention.tsv", "crossover.tsv", "core_to_core.tsv"};
	if (!report->quiet)
		putchar('\n');
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (exists_in(dir, names[i])) /* not all runs have all */
			printf("%s/%s\n", dir, names[i]);
}

static int report_one(const struct report *report, const char *dir)
{
	struct error e;
	if (!report->quiet && report->count > 1)
		printf("== %s ==\n", dir);
	int rc = report_write(dir, report->yes_at, report->quiet ? NULL : stdout, false, &e);
	if (!rc)
		name_files(report, dir);
	if (!rc && report->charts) {
		rc = report_charts(dir, report->quiet, &e);
		if (!rc)
			printf("%s/charts\n", dir);
	}
	if (!rc && fflush(stdout))
		rc = error_set(&e, EIO, "standard output cannot be written");
	if (rc)
		fprintf(stderr, "lockscale report: %s\n", e.text);
	return rc ? 1 : 0;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "DIR...",
		.doc = "Verdict, tables and charts of each result directory DIR.\v"
		       "Writes DIR/verdict.txt, speedup.tsv, fairness.tsv and other tables, and "
		       "charts/. Exit status: 0, 1 where something could not be made, 2 for usage.",
	};
	struct report report = {.yes_at = VERDICT_YES_AT, .charts = true};
	argp_err_exit_status = 2;
	error_t wrong = argp_parse(&argp, argc, argv, 0, NULL, &report);
	if (wrong) {
		fprintf(stderr, "lockscale report: %s\n", strerror(wrong));
		return 2;
	}
	for (size_t i = 0; i < report.count; i++) {
		if (is_result(report.dirs[i]))
			continue;
		fprintf(stderr,
			"lockscale report: %s: not a result directory (expected a folder with "
			"benchmark.json or journal.jsonl, as `lockscale run` writes it)\n",
			report.dirs[i]);
		return 2;
	}
	int rc = 0;
	for (size_t i = 0; i < report.count; i++)
		rc |= report_one(&report, report.dirs[i]);
	return rc;
}
