// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "waiting.h"
#include "report.h"

extern char **environ;

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
	static const char *const places[] = {
		"../scripts", "../../scripts", "../share/lockscale/scripts"};
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

// Runs argv and returns its exit status, 128 + its signal, or a negative errno.
static int run_script(char *const *argv, bool quiet)
{
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status, rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return -rc;
	if (quiet)
		rc = posix_spawn_file_actions_addopen(
			&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!rc)
		rc = posix_spawn(&child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return -rc;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int report_charts(const char *dir, bool quiet, struct error *e)
{
	char script[PATH_MAX] = "";
	const char *kept = "verdict and tables are complete; --no-charts leaves charts out";
	if (!find_script(script, sizeof script))
		return error_set(e, ENOENT,
			"%.200s: no charts: the script scripts/chart is not beside this program; "
			"set "
			"LOCKSCALE_SHARE to the folder that holds scripts/chart (%s)",
			dir, kept);
	if (!in_path("gnuplot"))
		return error_set(e, ENOENT,
			"%.200s: no charts: gnuplot is not installed; run scripts/install-deps, or "
			"install the package gnuplot (%s)",
			dir, kept);
	fflush(stdout);
	int rc = run_script((char *const[]){script, (char *)dir, NULL}, quiet);
	return rc ? error_set(e, EIO, "%.200s: no charts: scripts/chart ended with %d (%s)", dir,
			    rc, kept)
		  : 0;
}

// An extra: nothing where the script or gnuplot is missing.
static void terminal_chart(const char *dir)
{
	char script[PATH_MAX] = "";
	if (!find_script(script, sizeof script) || !in_path("gnuplot"))
		return;
	fflush(stdout);
	run_script((char *const[]){script, "--terminal", (char *)dir, NULL}, false);
}

struct work {
	const char *dir;
	const struct result *result;
	const struct table *table;
	double yes_at;
};

// The words of DIR/interpreters.txt, where scripts/python-gil left some, below the verdict.
static int print_interpreters(FILE *out, const char *dir)
{
	char path[PATH_MAX], line[1024];
	if ((size_t)snprintf(path, sizeof path, "%s/interpreters.txt", dir) >= sizeof path)
		return 0;
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	fputc('\n', out);
	while (fgets(line, sizeof line, f))
		fputs(line, out);
	fclose(f);
	return ferror(out) ? -EIO : 0;
}

static int print_verdict(FILE *out, const struct work *w, bool colour)
{
	int rc = verdict_print(out, w->result, w->table, w->yes_at, colour);
	return rc ? rc : print_interpreters(out, w->dir);
}

static int write_verdict(FILE *out, void *data)
{
	return print_verdict(out, data, false);
}

static bool wants_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR");
	return isatty(fileno(out)) && !(no && *no);
}

// The charts' second line.
static int write_machine(FILE *out, void *data)
{
	const struct result *r = ((const struct work *)data)->result;
	fprintf(out, "%s, %u cores, %u PUs\n", r->cpu, r->allowed_cores, r->allowed_pus);
	return ferror(out) ? -EIO : 0;
}

static int write_files(
	const char *dir, const struct work *w, FILE *show, bool chart, struct error *e)
{
	int rc = table_write(w->table, w->result, dir, w->yes_at, e);
	if (!rc)
		rc = waiting_write(w->table, w->result, dir, e);
	if (!rc)
		rc = table_replace_file(dir, "verdict.txt", write_verdict, (void *)w, e);
	if (!rc)
		rc = table_replace_file(dir, "machine.txt", write_machine, (void *)w, e);
	if (rc || !show)
		return rc;
	if (chart)
		terminal_chart(dir);
	rc = print_verdict(show, w, wants_colour(show));
	if (rc || fflush(show))
		return error_set(e, EIO, "the verdict cannot be printed");
	return 0;
}

int report_write(const char *dir, double yes_at, FILE *show, bool chart, struct error *e)
{
	struct result r;
	struct table t;
	int rc = result_load(&r, dir, e);
	if (rc)
		return rc;
	if (!r.sample_count && !r.failure_count)
		rc = error_set(e, ENODATA, "%.220s: holds no samples yet", dir);
	if (!rc)
		rc = table_init(&t, &r, e);
	if (!rc) {
		struct work w = {dir, &r, &t, yes_at};
		rc = write_files(dir, &w, show, chart, e);
		table_fini(&t);
	}
	result_free(&r);
	return rc;
}
