// SPDX-License-Identifier: BSD-2-Clause
// The tour's claim about processes: forked ones, each with an interpreter and a lock of its own,
// which receive their share of a countdown and send its result as messages through pipes.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "interpreter/interpreter.h"
#include "tour.h"

enum { COUNTS_MOST = 5, REPETITIONS_MOST = 15, PINGS = 1000 };

static const char program[] = "def loop(n):\n"
			      "    while n > 0:\n"
			      "        n = n - 1\n"
			      "    return n\n";

struct child {
	pid_t pid;
	int to, from; // the parent's ends; -1: none
};

struct family {
	struct child child[TOUR_WORKERS_MOST];
	unsigned count;
};

// Whole messages only; false at the end.
static bool receive(int fd, int64_t *message)
{
	ssize_t n;
	do
		n = read(fd, message, sizeof *message);
	while (n < 0 && errno == EINTR);
	return n == sizeof *message;
}

static bool send(int fd, int64_t message)
{
	ssize_t n;
	do
		n = write(fd, &message, sizeof message);
	while (n < 0 && errno == EINTR);
	return n == sizeof message;
}

// In the child: counts down from what it is sent, until nobody sends any more.
static int serve(int in, int out)
{
	const struct interpreter_settings settings = {.mode = INTERPRETER_GIL_3};
	struct interpreter *i;
	struct interpreter_error why;
	int64_t n, result;
	if (interpreter_create(&i, &settings))
		return 1;
	struct interpreter_thread *t = interpreter_enter(i, 0);
	int rc = t ? interpreter_run(t, "tour.py", program, &why) : ENOMEM;
	const struct interpreter_function *loop = rc ? NULL : interpreter_function(i, "loop");
	while (loop && !rc && receive(in, &n)) {
		rc = interpreter_call(t, loop, 1, &n, &result, &why);
		if (!rc && !send(out, result))
			break;
	}
	if (t)
		interpreter_leave(t);
	interpreter_destroy(i);
	return rc != 0 || !loop;
}

// Ends that earlier children have in the parent are closed here: their end of file must come.
static void be_child(struct tour *t, const struct family *f, pid_t parent, int in, int out)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (unsigned i = 0; i < f->count; i++) {
		close(f->child[i].to);
		close(f->child[i].from);
	}
	unsigned pu = t->order[f->count % t->machine.allowed_pus];
	if (machine_pin(&t->machine, t->machine.pu[pu].os) < 0)
		_exit(1);
	_exit(serve(in, out));
}

static int add_child(struct tour *t, struct family *f, struct error *e)
{
	int to[2], from[2];
	if (pipe(to))
		return error_set(e, errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe(from)) {
		int rc = errno;
		close(to[0]);
		close(to[1]);
		return error_set(e, rc, "cannot make a pipe: %s", strerror(rc));
	}
	fflush(NULL);
	pid_t parent = getpid(), pid = fork();
	int rc = errno;
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		be_child(t, f, parent, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	if (pid < 0) {
		close(to[1]);
		close(from[0]);
		return error_set(e, rc, "cannot fork: %s", strerror(rc));
	}
	f->child[f->count++] = (struct child){pid, to[1], from[0]};
	return 0;
}

static void disband(struct family *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		close(f->child[i].to);
		close(f->child[i].from);
	}
	for (unsigned i = 0; i < f->count; i++)
		while (waitpid(f->child[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
}

// Seconds that the first `active` of them take for the work; negative: one did not answer.
static double share_out(const struct family *f, unsigned active, uint64_t work)
{
	int64_t result;
	uint64_t start = clock_ns();
	for (unsigned i = 0; i < active; i++)
		if (!send(f->child[i].to, (int64_t)(work * (i + 1) / active - work * i / active)))
			return -1;
	for (unsigned i = 0; i < active; i++)
		if (!receive(f->child[i].from, &result) || result != 0)
			return -1;
	return (double)(clock_ns() - start) * 1e-9;
}

static int no_answer(struct error *e)
{
	return error_set(e, ECHILD, "a child process did not answer, or not rightly");
}

struct processes_result {
	unsigned processes[COUNTS_MOST], counts, repetitions;
	uint64_t work;
	struct spread speedup[COUNTS_MOST], ping;
};

static int ping(const struct family *f, struct spread *s, struct error *e)
{
	double ns[PINGS];
	for (int i = 0; i < PINGS; i++) {
		ns[i] = share_out(f, 1, 0) * 1e9;
		if (ns[i] < 0)
			return no_answer(e);
	}
	*s = spread_of(ns, PINGS);
	return 0;
}

static int calibrate(struct tour *t, const struct family *f, uint64_t *work, struct error *e)
{
	double target = t->quick ? 0.03 : 0.08, seconds;
	for (*work = 1000; (seconds = share_out(f, 1, *work)) < target / 4; *work *= 2)
		if (seconds < 0)
			return no_answer(e);
	*work = (uint64_t)((double)*work * target / seconds) + 1;
	return 0;
}

static int compare(
	struct tour *t, const struct family *f, struct processes_result *r, struct error *e)
{
	double speedup[COUNTS_MOST][REPETITIONS_MOST];
	r->repetitions = t->quick ? 9 : REPETITIONS_MOST;
	int rc = calibrate(t, f, &r->work, e);
	for (unsigned i = 0; i < r->repetitions && !rc; i++) {
		double one = 0;
		for (unsigned w = 0; w < r->counts && !rc; w++) {
			double seconds = share_out(f, r->processes[w], r->work);
			one = w == 0 ? seconds : one;
			speedup[w][i] = one / seconds;
			rc = seconds < 0 ? no_answer(e) : tour_continues(t, e);
		}
	}
	for (unsigned w = 0; w < r->counts && !rc; w++)
		r->speedup[w] = spread_of(speedup[w], r->repetitions);
	return rc ? rc : ping(f, &r->ping, e);
}

static void report(struct tour *t, const struct processes_result *r, struct finding *f)
{
	unsigned most = r->processes[r->counts - 1];
	char text[128];
	fprintf(f->experiment,
		"Countdown from %" PRIu64
		" shared out to 1 process and to up to %u on %s, each with an interpreter (gil-3) "
		"of its own; shares and results are messages through pipes. %u repetitions, "
		"interleaved. Then messages to one that has nothing to count.",
		r->work, most, tour_pus(t, most, text, sizeof text), r->repetitions);
	for (unsigned w = 1; w < r->counts; w++) {
		fprintf(f->result, "%u processes %s times as fast as one\n", r->processes[w],
			spread_text(&r->speedup[w], 1, text, sizeof text));
		finding_measure(f, &r->speedup[w], "ratio", "%u processes over 1", r->processes[w]);
	}
	fprintf(f->result, "a message and its answer take %s us\n",
		spread_text(&r->ping, 1e-3, text, sizeof text));
	finding_measure(f, &r->ping, "ns", "message and answer");
	finding_answer(
		f, "of processes", answer_above(r->speedup[r->counts - 1].interval, TOUR_FASTER));
}

int tour_processes(struct tour *t, struct finding *f, struct error *e)
{
	struct processes_result r = {.counts = 0};
	struct family *family;
	unsigned most = t->workers > 1 ? t->workers : 2;
	int rc = 0;
	if (t->machine.allowed_pus < 2)
		return error_set(e, ENOTSUP, "it needs two PUs; one is allowed");
	for (unsigned w = 1; w < most && r.counts < COUNTS_MOST - 1; w *= 2)
		r.processes[r.counts++] = w;
	r.processes[r.counts++] = most;
	family = calloc(1, sizeof *family);
	if (!family)
		return -ENOMEM;
	/* A child that is gone is told by the message that cannot be sent. */
	struct meter meter;
	meter_start(&meter, t);
	struct sigaction before, ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, &before);
	while (family->count < most && !rc)
		rc = add_child(t, family, e);
	if (!rc)
		rc = compare(t, family, &r, e);
	disband(family);
	sigaction(SIGPIPE, &before, NULL);
	free(family);
	f->other_work = meter_share(&meter, t); /* the children have been waited for */
	if (!rc)
		report(t, &r, f);
	return rc;
}
