// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "team.h"
#include "tour_miniature.h"

enum { SETTLE_PIECES = 100, CALIBRATED_NS = 10000000 };

/* Native work. */

int64_t native_work_do(void *work, const int64_t *arguments)
{
	const struct native_work *w = work;
	uint64_t x = 88172645463325252u;
	(void)arguments;
	for (uint64_t i = 0; i < w->steps; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(x);
	}
	return (int64_t)(x >> 63);
}

void native_work_calibrate(struct native_work *w, unsigned us)
{
	uint64_t ns = 0;
	for (w->steps = 1000; ns < 2000000; w->steps *= 2) {
		uint64_t start = clock_ns();
		native_work_do(w, NULL);
		ns = clock_ns() - start;
	}
	w->steps = (uint64_t)((double)w->steps / 2 * us * 1000 / (double)ns) + 1;
}

/* A contestant on stage: an interpreter that all workers of the team have entered. */

struct stage {
	struct interpreter *interpreter;
	const struct interpreter_function *loop;
	struct interpreter_thread *thread[TOUR_WORKERS_MOST];
};

struct show {
	const struct contest *contest;
	struct team *team;
	struct stage stage[CONTESTANTS_MOST];
	unsigned workers; // that entered
	struct native_work native;
	/* of the job that runs */
	struct stage *now;
	unsigned active;
	uint64_t work;
	struct barrier start;
	LINE_ALIGNED uint64_t begin_ns;
	LINE_ALIGNED uint64_t end_ns[TOUR_WORKERS_MOST];
	LINE_ALIGNED _Atomic int failed; // errno; the first to fail also wrote why
	struct interpreter_error why;
};

static void fail(struct show *s, int code, const struct interpreter_error *why)
{
	int none = 0;
	/* relaxed: the team's end publishes `why` */
	if (compare_exchange(&s->failed, &none, code, relaxed, relaxed) && why)
		s->why = *why;
}

// Worker 0 first, alone: its run of the main program makes what the others use.
static void enter(void *arg, unsigned index)
{
	struct show *s = arg;
	struct interpreter_error why = {""};
	struct stage *stage = s->now;
	if (index == 0) {
		stage->thread[0] = interpreter_enter(stage->interpreter, 0);
		int rc = stage->thread[0] ? interpreter_run(stage->thread[0], "tour.py",
						    s->contest->program, &why)
					  : ENOMEM;
		if (rc)
			fail(s, rc, &why);
	}
	barrier_wait(&s->start);
	if (index == 0)
		return;
	stage->thread[index] = interpreter_enter(stage->interpreter, index);
	if (!stage->thread[index])
		fail(s, ENOMEM, NULL);
}

static void leave(void *arg, unsigned index)
{
	struct show *s = arg;
	if (s->now->thread[index])
		interpreter_leave(s->now->thread[index]);
}

static void perform(void *arg, unsigned index)
{
	struct show *s = arg;
	struct interpreter_error why = {""};
	uint64_t first = s->work * index / s->active, last = s->work * (index + 1) / s->active;
	int64_t pieces = (int64_t)(last - first), result = 0;
	barrier_wait(&s->start);
	if (index == 0)
		s->begin_ns = clock_ns();
	int rc = interpreter_call(s->now->thread[index], s->now->loop, 1, &pieces, &result, &why);
	s->end_ns[index] = clock_ns();
	if (rc)
		fail(s, rc, &why);
	else if (result != 0)
		fail(s, EPROTO, &(struct interpreter_error){"the program's result is wrong"});
}

static void together(struct show *s, struct stage *stage, unsigned active, uint64_t work,
	void (*job)(void *, unsigned))
{
	s->now = stage;
	s->active = active;
	s->work = work;
	barrier_init(&s->start, active, team_oversubscribed(s->team, active));
	team_run(s->team, active, job, NULL, s);
}

// Returns seconds from the common start to the last worker's end.
static double time_once(struct show *s, struct stage *stage, unsigned active, uint64_t work)
{
	uint64_t last = 0;
	together(s, stage, active, work, perform);
	for (unsigned i = 0; i < active; i++)
		last = s->end_ns[i] > last ? s->end_ns[i] : last;
	return (double)(last - s->begin_ns) * 1e-9;
}

static int what_failed(struct show *s, struct error *e)
{
	int rc = load(&s->failed, relaxed); /* relaxed: all at rest */
	if (!rc)
		return 0;
	return error_set(e, rc, "%s", *s->why.text ? s->why.text : strerror(rc));
}

static int set_stage(struct show *s, unsigned c, struct error *e)
{
	struct stage *stage = &s->stage[c];
	int rc = interpreter_create(&stage->interpreter, &s->contest->contestant[c].settings);
	if (rc)
		return error_set(e, rc, "cannot make an interpreter: %s", strerror(rc));
	if (s->contest->native_us)
		rc = interpreter_native(
			stage->interpreter, "native", 0, true, native_work_do, &s->native);
	if (rc)
		return error_set(e, rc, "cannot make a native function: %s", strerror(rc));
	together(s, stage, s->workers, 0, enter);
	rc = what_failed(s, e);
	if (rc)
		return rc;
	stage->loop = interpreter_function(stage->interpreter, "loop");
	return stage->loop ? 0 : error_set(e, ENOENT, "the program has no function loop");
}

// Counts of references that do not balance are a defect of the interpreter's.
static int clear_stage(struct show *s, struct stage *stage, struct error *e)
{
	if (!stage->interpreter)
		return 0;
	together(s, stage, s->workers, 0, leave);
	size_t left = interpreter_destroy(stage->interpreter);
	return left ? error_set(e, EPROTO, "%zu objects were left: references were lost", left) : 0;
}

// Doubles the work until it takes long enough to tell how long a piece takes; the fastest of some
// tries, since other work only makes it longer.
static uint64_t calibrate(struct show *s, unsigned target_ms)
{
	enum { TRIES = 4 };
	uint64_t work = SETTLE_PIECES;
	double best;
	while ((best = time_once(s, &s->stage[0], 1, work)) * 1e9 < CALIBRATED_NS &&
		!load(&s->failed, relaxed)) /* relaxed: all at rest */
		work *= 2;
	for (int i = 0; i < TRIES; i++)
		best = fmin(best, time_once(s, &s->stage[0], 1, work));
	return (uint64_t)((double)work * target_ms * 1e-3 / best) + 1;
}

static struct spread ratios(double (*seconds)[CONTESTANTS_MOST][CONTEST_COUNTS_MOST], unsigned n,
	unsigned num_c, unsigned num_w, unsigned den_c, unsigned den_w)
{
	double v[CONTEST_REPETITIONS_MOST];
	for (unsigned i = 0; i < n; i++)
		v[i] = seconds[i][num_c][num_w] / seconds[i][den_c][den_w];
	return spread_of(v, n);
}

static void summarise(double (*seconds)[CONTESTANTS_MOST][CONTEST_COUNTS_MOST],
	unsigned contestants, struct contest_result *r)
{
	unsigned n = r->repetitions, last = r->counts - 1;
	double v[CONTEST_REPETITIONS_MOST];
	for (unsigned c = 0; c < contestants; c++) {
		for (unsigned i = 0; i < n; i++)
			v[i] = seconds[i][c][0];
		r->seconds[c] = spread_of(v, n);
		for (unsigned w = 0; w < r->counts; w++)
			r->speedup[c][w] = ratios(seconds, n, c, 0, c, w);
		r->cost[c] = ratios(seconds, n, c, 0, 0, 0);
		r->against_first[c] = ratios(seconds, n, 0, last, c, last);
	}
}

// What calibration did is not among them.
static void subtract_counts(struct interpreter_counts *c, const struct interpreter_counts *before)
{
	c->releases -= before->releases;
	c->failed_acquires -= before->failed_acquires;
	c->switches -= before->switches;
	c->drop_requests -= before->drop_requests;
	c->futex_calls -= before->futex_calls;
	c->merges -= before->merges;
}

static int hold(struct tour *t, struct show *s, struct contest_result *r, struct error *e)
{
	double seconds[CONTEST_REPETITIONS_MOST][CONTESTANTS_MOST][CONTEST_COUNTS_MOST];
	struct interpreter_counts before[CONTESTANTS_MOST];
	const struct contest *c = s->contest;
	unsigned target = c->work_ms ? c->work_ms : t->quick ? 30 : 80;
	r->repetitions = t->quick ? 9 : CONTEST_REPETITIONS_MOST;
	r->work = calibrate(s, target);
	for (unsigned who = 0; who < c->contestants; who++)
		interpreter_counts(s->stage[who].interpreter, &before[who]);
	for (unsigned i = 0; i < r->repetitions; i++) {
		for (unsigned who = 0; who < c->contestants; who++) {
			for (unsigned w = 0; w < r->counts; w++)
				seconds[i][who][w] =
					time_once(s, &s->stage[who], r->workers[w], r->work);
			int rc = what_failed(s, e);
			rc = rc ? rc : tour_continues(t, e);
			if (rc)
				return rc;
		}
	}
	summarise(seconds, c->contestants, r);
	for (unsigned who = 0; who < c->contestants; who++) {
		interpreter_counts(s->stage[who].interpreter, &r->of_counts[who]);
		subtract_counts(&r->of_counts[who], &before[who]);
	}
	return 0;
}

static void choose_counts(const struct contest *c, unsigned most, struct contest_result *r)
{
	r->counts = 0;
	for (unsigned w = 1; w < most && r->counts < CONTEST_COUNTS_MOST - 1; w *= 2)
		if (w == 1 || !c->pair_only)
			r->workers[r->counts++] = w;
	r->workers[r->counts++] = most;
}

static int put_on(struct tour *t, struct show *s, struct contest_result *r, struct error *e)
{
	struct error ignored;
	int rc = 0, left;
	if (s->contest->native_us)
		native_work_calibrate(&s->native, s->contest->native_us);
	for (unsigned c = 0; c < s->contest->contestants && !rc; c++)
		rc = set_stage(s, c, e);
	if (!rc)
		rc = hold(t, s, r, e);
	for (unsigned c = 0; c < s->contest->contestants; c++) {
		left = clear_stage(s, &s->stage[c], rc ? &ignored : e);
		rc = rc ? rc : left;
	}
	return rc;
}

int contest_run(struct tour *t, const struct contest *c, struct contest_result *r, struct error *e)
{
	if (t->machine.allowed_pus < 2)
		return error_set(e, ENOTSUP, "it needs two PUs; one is allowed");
	struct show *s = aligned_alloc(LINE_PAIR, sizeof *s);
	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof *s);
	s->contest = c;
	s->workers = t->workers > 1 ? t->workers : 2;
	choose_counts(c, s->workers, r);
	struct meter meter;
	meter_start(&meter, t);
	int rc = team_create(
		&s->team, &t->machine, t->order, t->machine.allowed_pus, s->workers, true, e);
	if (!rc) {
		rc = put_on(t, s, r, e);
		team_destroy(s->team);
	}
	free(s);
	r->other_work = meter_share(&meter, t);
	return rc;
}
