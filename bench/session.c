// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "measure.h"
#include "session.h"

enum { LOOK_MS = 100, LINE_MOST = 1 << 20 };

// What a measuring process said so far that is not a whole line yet.
struct inbox {
	char *text;
	size_t used, room;
};

enum outcome {
	COMPLETE,    // it did all it was asked to
	POINT_FAILED // it hung or died in a point, which is marked; there may be more to do
};

static bool *taken(struct session *s, const struct visit *v)
{
	const struct plan *p = s->plan;
	size_t point = v->point + (v->latency ? p->point_count : 0);
	return &s->taken[(point * p->processes + v->process) * p->samples + v->sample];
}

static size_t places(const struct plan *p)
{
	return 2 * p->point_count * p->processes * p->samples;
}

static bool is_taken(void *session, const struct visit *v)
{
	return *taken(session, v);
}

// Visits with a library preloaded and those without need processes of their own.
static bool taken_or_interposed(void *session, const struct visit *v)
{
	return plan_interposed(((struct session *)session)->plan, v) || is_taken(session, v);
}

static bool taken_or_plain(void *session, const struct visit *v)
{
	return !plan_interposed(((struct session *)session)->plan, v) || is_taken(session, v);
}

int session_init(struct session *s, struct plan *plan, struct journal *journal, const char *dir,
	volatile sig_atomic_t *interrupted)
{
	*s = (struct session){.plan = plan,
		.journal = journal,
		.dir = dir,
		.watchdog_s = 10,
		.interrupted = interrupted};
	s->taken = calloc(places(plan) + 1, sizeof *s->taken);
	return s->taken ? 0 : -ENOMEM;
}

void session_fini(struct session *s)
{
	free(s->taken);
}

static void take(struct session *s, int point, const json_t *sample, bool latency)
{
	json_int_t process = json_integer_value(json_object_get(sample, "process"));
	json_int_t number = json_integer_value(json_object_get(sample, "sample"));
	if (point >= 0 && process >= 0 && process < s->plan->processes && number >= 0 &&
		number < s->plan->samples)
		*taken(s, &(struct visit){(unsigned)point, (unsigned)process, (unsigned)number,
				  latency}) = true;
}

static int point_of(struct session *s, const json_t *line)
{
	struct point point;
	return point_from_json(&point, line) < 0 ? -1 : plan_find(s->plan, &point);
}

static void mark_failed(struct session *s, int point)
{
	if (point < 0 || s->plan->failed[point])
		return;
	s->plan->failed[point] = true;
	s->failures++;
}

void session_continue(struct session *s, const struct journal_content *before)
{
	size_t i;
	json_t *line;
	json_array_foreach (before->samples, i, line)
		take(s, point_of(s, line), line, false);
	json_array_foreach (before->latencies, i, line)
		take(s, point_of(s, line), line, true);
	json_array_foreach (before->failures, i, line)
		mark_failed(s, point_of(s, line));
}

static int note_failure(struct session *s, int point, const char *why, struct error *e)
{
	char name[256];
	json_t *line = json_pack("{s:s, s:s}", "type", "failure", "why", why);
	point_to_json(line, &s->plan->points[point]);
	progress_clear(&s->progress);
	fprintf(stderr, "lockscale run: FAILED %s: %s\n",
		point_name(&s->plan->points[point], name, sizeof name), why);
	mark_failed(s, point);
	int rc = journal_append(s->journal, line, e);
	json_decref(line);
	return rc;
}

static void show(struct session *s, int point)
{
	point_name(&s->plan->points[point], s->progress.point, sizeof s->progress.point);
	progress_show(&s->progress);
}

static int hear_sample(struct session *s, json_t *line, bool latency, struct error *e)
{
	int point = point_of(s, line);
	if (point < 0)
		return 0;
	int rc = journal_append(s->journal, line, e);
	if (rc)
		return rc;
	take(s, point, line, latency);
	s->current = -1; /* whatever happens until the next begins is not this point's doing */
	s->last = point;
	s->progress.done++;
	s->progress.estimate = json_number_value(json_object_get(line, "ops_per_second"));
	s->progress.unit = json_string_value(json_object_get(line, "unit"));
	show(s, point);
	s->progress.estimate = 0; /* the unit is the line's, and the line goes */
	return 0;
}

static int hear(struct session *s, json_t *line, struct error *e)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	s->heard_ns = clock_ns();
	if (!type)
		return 0;
	if (strcmp(type, "begin") == 0) {
		json_int_t point = json_integer_value(json_object_get(line, "point"));
		if (point >= 0 && (size_t)point < s->plan->point_count) {
			s->current = (int)point;
			show(s, s->current);
		}
	} else if (strcmp(type, "sample") == 0 || strcmp(type, "latency") == 0) {
		return hear_sample(s, line, strcmp(type, "latency") == 0, e);
	} else if (strcmp(type, "note") == 0) {
		return journal_append(s->journal, line, e);
	} else if (strcmp(type, "failure") == 0 && point_of(s, line) >= 0) {
		const char *why = json_string_value(json_object_get(line, "why"));
		return note_failure(s, point_of(s, line), why ? why : "no reason given", e);
	} else if (strcmp(type, "end") == 0) {
		s->ended = true;
	}
	return 0;
}

static int hear_lines(struct session *s, struct inbox *in, struct error *e)
{
	char *end;
	int rc = 0;
	while (!rc && (end = memchr(in->text, '\n', in->used)) != NULL) {
		size_t size = (size_t)(end - in->text) + 1;
		json_t *line = json_loadb(in->text, size, 0, NULL);
		if (line)
			rc = hear(s, line, e);
		json_decref(line);
		in->used -= size;
		memmove(in->text, in->text + size, in->used);
	}
	return rc;
}

// 1 as long as there may be more, 0 at the end of what it says, or a negative errno.
static int receive(struct session *s, struct inbox *in, int from, struct error *e)
{
	if (in->used == in->room) {
		in->room = in->room ? 2 * in->room : 1 << 16;
		char *more = in->room <= LINE_MOST ? realloc(in->text, in->room) : NULL;
		if (!more)
			return error_set(e, ENOMEM, "a measuring process said too much at once");
		in->text = more;
	}
	ssize_t got = read(from, in->text + in->used, in->room - in->used);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	in->used += (size_t)got;
	int rc = hear_lines(s, in, e);
	return rc ? rc : got > 0;
}

static bool silent_too_long(const struct session *s)
{
	return clock_ns() - s->heard_ns > (uint64_t)s->watchdog_s * 1000000000u;
}

// Until the process has said all, or is to be ended. *hung tells that it was silent too long.
static int listen_to(struct session *s, int from, bool *hung, struct error *e)
{
	struct inbox in = {0};
	int rc = 1;
	*hung = false;
	s->current = s->last = -1;
	s->ended = false;
	s->heard_ns = clock_ns();
	while (rc > 0 && !*hung) {
		struct pollfd fd = {.fd = from, .events = POLLIN};
		int ready = poll(&fd, 1, LOOK_MS);
		if (*s->interrupted)
			rc = -EINTR;
		else if (ready > 0)
			rc = receive(s, &in, from, e);
		else if (silent_too_long(s))
			*hung = true;
		progress_show(&s->progress);
	}
	free(in.text);
	return rc > 0 ? 0 : rc;
}

static void reason(char *why, size_t size, const struct session *s, bool hung, int status)
{
	if (hung)
		snprintf(why, size, "no progress for %u s (watchdog): a worker waits for ever",
			s->watchdog_s);
	else if (WIFSIGNALED(status))
		snprintf(why, size, "the measuring process was killed by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, size, "the measuring process ended with status %d",
			WEXITSTATUS(status));
}

static int measure_visits(struct session *s, const struct visit *visits, size_t count,
	enum outcome *outcome, struct error *e)
{
	struct measuring m;
	bool hung;
	int status = 0;
	char why[256];
	int rc = measure_start(&m, s->plan, visits, count, s->dir, e);
	if (rc)
		return rc;
	rc = listen_to(s, m.from, &hung, e);
	if (rc || hung)
		kill(m.pid, SIGKILL);
	close(m.from);
	while (waitpid(m.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc)
		return rc;
	*outcome = COMPLETE;
	if (!hung && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	reason(why, sizeof why, s, hung, status);
	/* How other people's code ends, with all samples there, is not the run's concern. */
	if (s->ended && (s->plan->plugins || s->plan->preload))
		return 0;
	/* A thread that a lock left behind crashes late. */
	if (s->current < 0 && s->last >= 0 && plan_foreign(s->plan, (unsigned)s->last))
		s->current = s->last;
	if (s->current < 0)
		return error_set(e, EIO, "%s, and in no measurement", why);
	*outcome = POINT_FAILED;
	return note_failure(s, s->current, why, e);
}

// One fresh process, or more if it hangs or dies half way.
static int run_part(struct session *s, unsigned process, bool (*done)(void *, const struct visit *),
	struct error *e)
{
	enum outcome outcome = POINT_FAILED;
	int rc = 0;
	while (!rc && outcome == POINT_FAILED) {
		struct visit *visits;
		size_t count = plan_visits(s->plan, process, done, s, &visits);
		outcome = COMPLETE;
		if (count > 0)
			rc = measure_visits(s, visits, count, &outcome, e);
		free(visits);
	}
	return rc;
}

// With a library to compare in two parts, one with it; each first in turn, so that drift hits both.
static int run_process(struct session *s, unsigned process, struct error *e)
{
	bool (*const parts[])(void *, const struct visit *) = {taken_or_interposed, taken_or_plain};
	unsigned count = s->plan->preload ? 2 : 1;
	int rc = 0;
	for (unsigned i = 0; i < count && !rc; i++)
		rc = run_part(s, process, parts[(process + i) % count], e);
	return rc;
}

static size_t missing(struct session *s, unsigned first, unsigned end)
{
	size_t count = 0;
	for (unsigned process = first; process < end; process++) {
		struct visit *visits;
		count += plan_visits(s->plan, process, is_taken, s, &visits);
		free(visits);
	}
	return count;
}

static size_t count_taken(const struct session *s)
{
	size_t count = 0;
	for (size_t i = 0; i < places(s->plan); i++)
		count += s->taken[i];
	return count;
}

int session_run(struct session *s, unsigned first, unsigned end, bool quiet, struct error *e)
{
	size_t done = count_taken(s);
	int rc = 0;
	progress_start(&s->progress, quiet, done, done + missing(s, first, end));
	for (unsigned process = first; process < end && !rc; process++)
		rc = run_process(s, process, e);
	progress_clear(&s->progress);
	return rc;
}
