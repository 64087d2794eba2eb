// SPDX-License-Identifier: BSD-2-Clause
// lockscale report: verdict on the terminal and in verdict.txt, tables, then the chart script.
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "result.h"
#include "table.h"
#include "verdict.h"

int cmd_report(int argc, char **argv);

extern char **environ;

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

// Charts

// Where the chart script may be: with $LOCKSCALE_SHARE, in the tree that the program was
// built in, or where it was installed.
static bool find_script(char *path, size_t size)
{
	const char *share = getenv("LOCKSCALE_SHARE");
	if (share && *share) {
		snprintf(path, size, "%s/scripts/chart", share);
		return !access(path, X_OK);
	}
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	static const char *const places[] = {"../scripts", "../share/lockscale/scripts"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t used = (size_t)snprintf(path, size, "%s/%s/chart", self, places[i]);
		if (used < size && !access(path, X_OK))
			return true;
	}
	return false;
}

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");
	while (path && *path) {
		char file[PATH_MAX];
		size_t n = strcspn(path, ":");
		int used = snprintf(file, sizeof file, "%.*s/%s", (int)n, path, program);
		if ((size_t)used < sizeof file && !access(file, X_OK))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static int run_script(const char *script, const char *dir, bool quiet)
{
	char *const argv[] = {(char *)script, (char *)dir, NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status, rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return rc;
	if (quiet)
		rc = posix_spawn_file_actions_addopen(
			&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawn(&child, script, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return rc;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int draw(const struct report *report, const char *dir)
{
	char script[PATH_MAX] = "";
	const char *kept = "verdict and tables are complete; --no-charts leaves charts out";
	if (!find_script(script, sizeof script)) {
		fprintf(stderr,
			"lockscale report: %s: no charts: the script scripts/chart is not beside "
			"this program%s%s. Set LOCKSCALE_SHARE to the folder that holds "
			"scripts/chart. (%s)\n",
			dir, *script ? ", nor is it " : "", script, kept);
		return 1;
	}
	if (!in_path("gnuplot")) {
		fprintf(stderr,
			"lockscale report: %s: no charts: gnuplot is not installed. Run "
			"scripts/install-deps, or install the package gnuplot. (%s)\n",
			dir, kept);
		return 1;
	}
	fflush(stdout);
	int rc = run_script(script, dir, report->quiet);
	if (rc)
		fprintf(stderr, "lockscale report: %s: no charts: %s ended with %d (%s)\n", dir,
			script, rc, kept);
	return rc ? 1 : 0;
}

// One directory

struct work {
	const struct report *report;
	const char *dir;
	struct result result;
	struct table table;
};

static int write_verdict(FILE *out, void *data)
{
	const struct work *w = data;
	return verdict_print(out, &w->result, &w->table, w->report->yes_at, false);
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");
	return isatty(STDOUT_FILENO) && !(no && *no);
}

static int write_files(struct work *w, struct error *e)
{
	const struct report *report = w->report;
	int rc = table_write(&w->table, &w->result, w->dir, report->yes_at, e);
	if (!rc)
		rc = table_replace_file(w->dir, "verdict.txt", write_verdict, w, e);
	if (rc)
		return rc;
	if (!report->quiet) {
		if (report->count > 1)
			printf("== %s ==\n", w->dir);
		rc = verdict_print(stdout, &w->result, &w->table, report->yes_at, wants_colour());
		putchar('\n');
	}
	printf("%s/verdict.txt\n%s/speedup.tsv\n%s/boundaries.tsv\n%s/findings.tsv\n", w->dir,
		w->dir, w->dir, w->dir);
	if (rc || fflush(stdout))
		return error_set(e, EIO, "standard output cannot be written");
	return 0;
}

static int make(struct work *w, struct error *e)
{
	int rc = result_load(&w->result, w->dir, e);
	if (rc)
		return rc;
	if (!w->result.sample_count && !w->result.failure_count)
		rc = error_set(e, ENODATA, "%.220s: holds no samples", w->dir);
	if (!rc)
		rc = table_init(&w->table, &w->result, e);
	if (!rc) {
		rc = write_files(w, e);
		table_fini(&w->table);
	}
	result_free(&w->result);
	return rc;
}

static int report_one(const struct report *report, const char *dir)
{
	struct work w = {.report = report, .dir = dir};
	struct error e;
	if (make(&w, &e)) {
		fprintf(stderr, "lockscale report: %s\n", e.text);
		return 1;
	}
	if (!report->charts)
		return 0;
	int rc = draw(report, dir);
	if (!rc)
		printf("%s/charts\n", dir);
	return rc;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "DIR...",
		.doc = "Verdict, tables and charts of each result directory DIR.\v"
		       "Writes DIR/verdict.txt, speedup.tsv, boundaries.tsv, findings.tsv and "
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
