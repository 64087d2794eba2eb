// SPDX-License-Identifier: BSD-2-Clause
// The tour's claims about the interpreter: whether threads make a program faster or slower, what
// reference counts cost them, what extensions gain that release the lock.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tour_miniature.h"

/* Countdown: faster, slower. Measured once for both. */

static const char countdown_program[] = "def loop(n):\n"
					"    while n > 0:\n"
					"        n = n - 1\n"
					"    return n\n";

enum { THEN, NOW, NEXT, AGES };

static const struct contestant ages[AGES] = {
	[THEN] = {"gil-2", {.mode = INTERPRETER_GIL_2}},
	[NOW] = {"gil-3", {.mode = INTERPRETER_GIL_3}},
	[NEXT] = {"free-threaded", {.mode = INTERPRETER_FREE_THREADED}},
};
static const char *const age_labels[AGES] = {
	[THEN] = "then (gil-2)", [NOW] = "now (gil-3)", [NEXT] = "next (free-threaded)"};

struct countdown {
	struct contest_result result;
};

void tour_countdown_free(struct countdown *c)
{
	free(c);
}

static int get_countdown(struct tour *t, struct error *e)
{
	static const struct contest contest = {
		.program = countdown_program, .contestant = ages, .contestants = AGES};
	if (t->countdown)
		return 0;
	struct countdown *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	int rc = contest_run(t, &contest, &c->result, e);
	if (rc)
		free(c);
	else
		t->countdown = c;
	return rc;
}

static unsigned all_workers(const struct contest_result *r)
{
	return r->workers[r->counts - 1];
}

static void describe_countdown(struct tour *t, const struct contest_result *r, FILE *out)
{
	char pus[128];
	fprintf(out,
		"Countdown from %" PRIu64
		" in the miniature, the work shared out evenly: by 1 worker and by up to %u on %s; "
		"%u repetitions, interleaved.",
		r->work, all_workers(r), tour_pus(t, all_workers(r), pus, sizeof pus),
		r->repetitions);
}

static void print_speedups(const struct contest_result *r, const struct contestant *c,
	unsigned count, struct finding *f)
{
	char text[64];
	for (unsigned i = 0; i < count; i++) {
		fprintf(f->result, "%s:", c[i].label);
		for (unsigned w = 1; w < r->counts; w++) {
			fprintf(f->result, "%s %u workers %s times as fast as one",
				w > 1 ? "," : "", r->workers[w],
				spread_text(&r->speedup[i][w], 1, text, sizeof text));
			finding_measure(f, &r->speedup[i][w], "ratio", "%s, %u workers over 1",
				c[i].label, r->workers[w]);
		}
		fputc('\n', f->result);
	}
}

int tour_faster(struct tour *t, struct finding *f, struct error *e)
{
	char text[64];
	int rc = get_countdown(t, e);
	if (rc)
		return rc;
	const struct contest_result *r = &t->countdown->result;
	f->other_work = r->other_work;
	describe_countdown(t, r, f->experiment);
	print_speedups(r, ages, AGES, f);
	fprintf(f->result, "one worker takes, with gil-3 over gil-2, %s times as long",
		spread_text(&r->cost[NOW], 1, text, sizeof text));
	fprintf(f->result, ", free-threaded %s times\n",
		spread_text(&r->cost[NEXT], 1, text, sizeof text));
	for (int i = 0; i < AGES; i++) {
		finding_measure(
			f, &r->cost[i], "ratio", "%s, 1 worker's time over gil-2's", ages[i].label);
		finding_answer(
			f, age_labels[i], answer_not_faster(r->speedup[i][r->counts - 1].interval));
	}
	return 0;
}

static void print_why(const struct contest_result *r, int age, struct finding *f)
{
	const struct interpreter_counts *c = &r->of_counts[age];
	double iterations = (double)r->work * r->counts * r->repetitions;
	fprintf(f->result,
		"%s: a thousand iterations, of all these runs together, meant %.3g releases of the "
		"lock, %.3g acquisitions that found it taken, %.3g calls of the system\n",
		ages[age].label, 1e3 * (double)c->releases / iterations,
		1e3 * (double)c->failed_acquires / iterations,
		1e3 * (double)c->futex_calls / iterations);
}

int tour_slower(struct tour *t, struct finding *f, struct error *e)
{
	int rc = get_countdown(t, e);
	if (rc)
		return rc;
	const struct contest_result *r = &t->countdown->result;
	f->other_work = r->other_work;
	describe_countdown(t, r, f->experiment);
	print_speedups(r, ages, AGES, f);
	print_why(r, THEN, f);
	print_why(r, NOW, f);
	for (int i = 0; i < AGES; i++)
		finding_answer(
			f, age_labels[i], answer_slower(r->speedup[i][r->counts - 1].interval));
	return 0;
}

/* Reference counts: all workers read one item of one list, which is counted up and down. */

static const char item_program[] = "items = [1000]\n"
				   "\n"
				   "def loop(n):\n"
				   "    while n > 0:\n"
				   "        items[0]\n"
				   "        n = n - 1\n"
				   "    return n\n";

enum { ATOMIC, BIASED, DEFERRED, IMMORTAL, COUNTINGS };

static const struct contestant countings[COUNTINGS] = {
	[ATOMIC] = {"atomic counts", {.mode = INTERPRETER_FREE_THREADED_ATOMIC}},
	[BIASED] = {"biased counts",
		{.mode = INTERPRETER_FREE_THREADED, .sharing = INTERPRETER_BIASED}},
	[DEFERRED] = {"deferred counts",
		{.mode = INTERPRETER_FREE_THREADED, .sharing = INTERPRETER_DEFERRED}},
	[IMMORTAL] = {"immortal objects",
		{.mode = INTERPRETER_FREE_THREADED, .sharing = INTERPRETER_IMMORTAL}},
};
static const char *const counting_labels[COUNTINGS] = {
	[ATOMIC] = "of atomic counts",
	[BIASED] = "of biased counts",
	[DEFERRED] = "of deferred counts",
	[IMMORTAL] = "of immortal objects",
};

int tour_refcount(struct tour *t, struct finding *f, struct error *e)
{
	static const struct contest contest = {.program = item_program,
		.contestant = countings,
		.contestants = COUNTINGS,
		.pair_only = true,
		.work_ms = 40};
	struct contest_result r;
	char pus[128], text[64];
	int rc = contest_run(t, &contest, &r, e);
	if (rc)
		return rc;
	fprintf(f->experiment,
		"No lock; 1 worker, then %u on %s, read the same item of the same list, %" PRIu64
		" times in all: each read counts a reference up and down. %u repetitions, "
		"interleaved. Poor: the workers together are not faster than one.",
		all_workers(&r), tour_pus(t, all_workers(&r), pus, sizeof pus), r.work,
		r.repetitions);
	f->other_work = r.other_work;
	print_speedups(&r, countings, COUNTINGS, f);
	fputs("with one worker, over atomic counts:", f->result);
	for (int i = 0; i < COUNTINGS; i++) {
		if (i)
			fprintf(f->result, "%s %s %s", i > 1 ? "," : "", countings[i].label,
				spread_text(&r.cost[i], 1, text, sizeof text));
		finding_measure(f, &r.cost[i], "ratio", "%s, 1 worker's time over atomic counts",
			countings[i].label);
		finding_answer(f, counting_labels[i],
			answer_not_faster(r.speedup[i][r.counts - 1].interval));
	}
	fputs(" of its time\n", f->result);
	return 0;
}

/* Extensions. */

static const char native_program[] = "def loop(n):\n"
				     "    while n > 0:\n"
				     "        native()\n"
				     "        n = n - 1\n"
				     "    return n\n";

enum { KEPT, RELEASED, EXTENSIONS, NATIVE_US = 100 };

static const struct contestant extensions[EXTENSIONS] = {
	[KEPT] = {"lock kept", {.mode = INTERPRETER_GIL_3, .native_keeps_lock = true}},
	[RELEASED] = {"lock released", {.mode = INTERPRETER_GIL_3}},
};

int tour_extension(struct tour *t, struct finding *f, struct error *e)
{
	static const struct contest contest = {.program = native_program,
		.contestant = extensions,
		.contestants = EXTENSIONS,
		.native_us = NATIVE_US,
		.pair_only = true};
	struct contest_result r;
	char pus[128], text[64];
	int rc = contest_run(t, &contest, &r, e);
	if (rc)
		return rc;
	unsigned last = r.counts - 1;
	fprintf(f->experiment,
		"Strategy gil-3: a program calls a function in C of about %d us, %" PRIu64
		" times in all, by 1 worker and by %u on %s; the function keeps the lock, then "
		"releases it. %u repetitions, interleaved.",
		NATIVE_US, r.work, all_workers(&r), tour_pus(t, all_workers(&r), pus, sizeof pus),
		r.repetitions);
	f->other_work = r.other_work;
	print_speedups(&r, extensions, EXTENSIONS, f);
	fprintf(f->result,
		"%u workers are %s times as fast with the lock released as with it "
		"kept\n",
		all_workers(&r), spread_text(&r.against_first[RELEASED], 1, text, sizeof text));
	finding_measure(f, &r.against_first[RELEASED], "ratio", "released over kept, %u workers",
		all_workers(&r));
	finding_answer(f, "of an extension that releases the lock",
		answer_and(answer_above(r.speedup[RELEASED][last].interval, TOUR_FASTER),
			answer_above(r.against_first[RELEASED].interval, TOUR_FASTER)));
	finding_answer(f, "of one that keeps it",
		answer_above(r.speedup[KEPT][last].interval, TOUR_FASTER));
	return 0;
}
