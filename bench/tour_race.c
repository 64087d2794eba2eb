// SPDX-License-Identifier: BSD-2-Clause
// The tour's claim about the race: two workers in the miniature interpreter, x = x + 1 and
// x = x - 1, under each rule of when a thread gives way; the first lost update as it happened.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lost_update.h"
#include "team.h"
#include "tour.h"

enum { WORKERS = 2, RACES = 3 };

static const char program[] = "x = 0\n"
			      "\n"
			      "def one():\n"
			      "    return 1\n"
			      "\n"
			      "def up(n):\n"
			      "    global x\n"
			      "    while n > 0:\n"
			      "        x = x + 1\n"
			      "        n = n - 1\n"
			      "\n"
			      "def down(n):\n"
			      "    global x\n"
			      "    while n > 0:\n"
			      "        x = x - 1\n"
			      "        n = n - 1\n"
			      "\n"
			      "def up_by_call(n):\n"
			      "    global x\n"
			      "    while n > 0:\n"
			      "        x = x + one()\n"
			      "        n = n - 1\n"
			      "\n"
			      "def down_by_call(n):\n"
			      "    global x\n"
			      "    while n > 0:\n"
			      "        x = x - one()\n"
			      "        n = n - 1\n"
			      "\n"
			      "def end():\n"
			      "    return x\n";

// Which rule, which statement.
struct rule {
	const char *label; // behind "true" and "false"
	const char *title[WORKERS];
	const char *function[WORKERS];
	bool every_instruction;
};

static const struct rule rules[RACES] = {
	{"to Python 3.9 (a switch after any instruction)",
		{"thread 1: x = x + 1", "thread 2: x = x - 1"}, {"up", "down"}, true},
	{"from 3.10 on (a switch at the ends of loops and at calls only)",
		{"thread 1: x = x + 1", "thread 2: x = x - 1"}, {"up", "down"}, false},
	{"from 3.10 on with a call in the middle",
		{"thread 1: x = x + one()", "thread 2: x = x - one()"},
		{"up_by_call", "down_by_call"}, false},
};

struct race {
	struct interpreter *interpreter;
	struct interpreter_thread *thread[WORKERS];
	const struct interpreter_function *function[WORKERS];
	int64_t iterations;
	struct barrier start;
	struct interpreter_error why[WORKERS];
	int rc[WORKERS];
};

static void enter(void *arg, unsigned index)
{
	struct race *r = arg;
	if (index == 0) {
		r->thread[0] = interpreter_enter(r->interpreter, 0);
		r->rc[0] = r->thread[0]
				   ? interpreter_run(r->thread[0], "race.py", program, &r->why[0])
				   : ENOMEM;
	}
	barrier_wait(&r->start);
	if (index) {
		r->thread[index] = interpreter_enter(r->interpreter, index);
		r->rc[index] = r->thread[index] ? 0 : ENOMEM;
	}
}

static void update(void *arg, unsigned index)
{
	struct race *r = arg;
	int64_t result;
	barrier_wait(&r->start);
	r->rc[index] = interpreter_call(
		r->thread[index], r->function[index], 1, &r->iterations, &result, &r->why[index]);
}

static void leave(void *arg, unsigned index)
{
	struct race *r = arg;
	if (r->thread[index])
		interpreter_leave(r->thread[index]);
}

static int what_failed(struct race *r, struct error *e)
{
	for (unsigned i = 0; i < WORKERS; i++)
		if (r->rc[i])
			return error_set(e, r->rc[i], "%s",
				*r->why[i].text ? r->why[i].text : strerror(r->rc[i]));
	return 0;
}

struct outcome {
	bool lost;        // and drawn
	int64_t end;      // of x: should be 0
	uint64_t updates; // by both
	uint64_t switches;
	double seconds;
};

static void ask_end(void *arg, unsigned index)
{
	struct race *r = arg;
	const struct interpreter_function *end = interpreter_function(r->interpreter, "end");
	if (index == 0)
		r->rc[0] = end ? interpreter_call(
					 r->thread[0], end, 0, NULL, &r->iterations, &r->why[0])
			       : ENOENT;
}

// Rounds until an update is lost, or there were switches enough to say that none is.
static int hunt(
	struct tour *t, struct race *r, struct team *team, struct outcome *o, struct error *e)
{
	uint64_t patience = t->quick ? 2000000000u : 6000000000u, start = clock_ns();
	unsigned most = t->quick ? 2 * TOUR_SWITCHES : 10 * TOUR_SWITCHES;
	struct interpreter_trace_event event[INTERPRETER_TRACE_MOST];
	struct interpreter_counts counts;
	size_t left_out;
	for (;;) {
		r->iterations = 100000;
		team_run(team, WORKERS, update, NULL, r);
		o->updates += 2 * 100000;
		int rc = what_failed(r, e);
		rc = rc ? rc : tour_continues(t, e);
		if (rc)
			return rc;
		interpreter_counts(r->interpreter, &counts);
		o->switches = counts.switches;
		o->lost = interpreter_lost_update(r->interpreter, event, &left_out) > 0;
		if (o->lost || o->switches >= most || clock_ns() - start > patience)
			break;
	}
	o->seconds = (double)(clock_ns() - start) * 1e-9;
	team_run(team, 1, ask_end, NULL, r);
	o->end = r->iterations;
	return what_failed(r, e);
}

static int run_race(struct tour *t, const struct rule *rule, struct team *team, struct race *r,
	struct outcome *o, struct error *e)
{
	barrier_init(&r->start, WORKERS, team_oversubscribed(team, WORKERS));
	team_run(team, WORKERS, enter, NULL, r);
	int rc = what_failed(r, e);
	for (unsigned i = 0; i < WORKERS && !rc; i++) {
		r->function[i] = interpreter_function(r->interpreter, rule->function[i]);
		if (!r->function[i])
			rc = error_set(e, ENOENT, "no function %s", rule->function[i]);
	}
	return rc ? rc : hunt(t, r, team, o, e);
}

static void draw(FILE *out, const struct rule *rule, const struct race *r)
{
	const struct lost_update_title titles[WORKERS] = {{0, rule->title[0]}, {1, rule->title[1]}};
	fprintf(out, "   true %s:\n\n", rule->label);
	lost_update_print(out, r->interpreter, titles, WORKERS);
	fputc('\n', out);
}

static void report(struct finding *f, const struct rule *rule, const struct outcome *o)
{
	const char *statement = strchr(rule->title[0], ':') + 2;
	char label[32];
	bool lost = o->lost || o->end != 0;
	snprintf(label, sizeof label, "%s", rule->every_instruction ? "to 3.9" : "from 3.10 on");
	fprintf(f->result,
		"%s, %s: %s; x ended at %" PRId64 ", should be 0, after %" PRIu64
		" updates and %" PRIu64 " switches (%.2g s)\n",
		label, statement, lost ? "updates were lost" : "no update was lost", o->end,
		o->updates, o->switches, o->seconds);
	struct spread end = spread_single((double)o->end);
	struct spread switches = spread_single((double)o->switches);
	finding_measure(f, &end, "updates", "x at the end, %s, %s", label, statement);
	finding_measure(f, &switches, "switches", "switches, %s, %s", label, statement);
	finding_answer(f, rule->label, answer_loses(lost, o->switches));
}

static int race_by(struct tour *t, const struct rule *rule, struct team *team, struct finding *f,
	struct error *e)
{
	struct interpreter_settings settings = {.mode = INTERPRETER_GIL_3,
		.check_every_instruction = rule->every_instruction,
		.trace = true};
	struct outcome o = {0};
	struct race *r = aligned_alloc(LINE_PAIR, sizeof *r);
	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof *r);
	int rc = interpreter_create(&r->interpreter, &settings);
	if (rc) {
		free(r);
		return error_set(e, rc, "cannot make an interpreter: %s", strerror(rc));
	}
	rc = run_race(t, rule, team, r, &o, e);
	team_run(team, WORKERS, leave, NULL, r);
	if (!rc) {
		report(f, rule, &o);
		if (o.lost)
			draw(f->picture, rule, r);
	}
	interpreter_destroy(r->interpreter);
	free(r);
	return rc;
}

int tour_race(struct tour *t, struct finding *f, struct error *e)
{
	struct team *team = NULL;
	char pus[128];
	fprintf(f->experiment,
		"Two workers on %s run loops of x = x + 1 and of x = x - 1 in the miniature, "
		"strategy gil-3, and every load and store of x is written down; as Python gave way "
		"to 3.9 and as it does from 3.10 on; then x = x + one() and x = x - one().",
		tour_pus(t, WORKERS, pus, sizeof pus));
	int rc =
		team_create(&team, &t->machine, t->order, t->machine.allowed_pus, WORKERS, true, e);
	for (unsigned i = 0; i < RACES && !rc; i++)
		rc = race_by(t, &rules[i], team, f, e);
	team_destroy(team);
	if (rc)
		return rc;
	fprintf(f->result,
		"Up to 3.9 a thread could lose the lock after any instruction, so also between its "
		"load of x and its store. From 3.10 on it looks whether to give way only at the "
		"end of a loop and at a call, so x = x + 1 happens to be whole, until something "
		"is called in its middle.\n");
	return 0;
}
