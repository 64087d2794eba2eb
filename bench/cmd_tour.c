// SPDX-License-Identifier: BSD-2-Clause
// lockscale tour: runs the experiments of the claims and prints, for each, claim, experiment,
// result and verdict.
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "placement.h"
#include "tour.h"

enum { COLUMNS = 100, INDENT = 15, KEY_LIST = 0x100 };

// In the order in which the deck comes to them.
static const struct claim claims[] = {
	{"join",
		"A thread is started, runs to the end of its function, and another one joins it. "
		"It cannot join itself.",
		tour_join},
	{"daemon",
		"A detached (daemon) thread runs in the background: nobody can join it, and it "
		"vanishes when the program ends.",
		tour_daemon},
	{"race",
		"One thread's x = x + 1 and another's x = x - 1 interleave between instructions: "
		"one stores what it computed from a stale x, and an update is lost.",
		tour_race},
	{"mutex", "A mutex lets one thread at a time into the critical section; the others block.",
		tour_mutex},
	{"rlock", "The owner of a re-entrant lock may acquire it again.", tour_rlock},
	{"semaphore", "A semaphore is a lock with a counter: it lets so many in, and no more.",
		tour_semaphore},
	{"faster", "With threads, a program that computes does not run any faster.", tour_faster},
	{"slower", "With threads, it will probably run slower.", tour_slower},
	{"refcount",
		"Reference counting is an especially poor way to manage memory where there are "
		"many threads.",
		tour_refcount},
	{"extension",
		"Extensions in C can release the lock, and then their threads do run at "
		"the same time.",
		tour_extension},
	{"processes",
		"Independent processes that pass messages are the alternative, and use many "
		"cores well.",
		tour_processes},
	{"server", "Threads still serve network programs well, hundreds of connections of them.",
		tour_server},
};
enum { CLAIMS = sizeof claims / sizeof *claims };

struct tour_options {
	bool quick, json, list;
	bool chosen[CLAIMS], any;
};

static const struct argp_option option_list[] = {
	{"list", KEY_LIST, NULL, 0, "List the claims and stop", 0},
	{"quick", 'q', NULL, 0, "Fewer repetitions: a quarter of a minute in all", 0},
	{"json", 'j', NULL, 0, "Print JSON", 0},
	{0},
};

static bool choose(struct tour_options *o, const char *text)
{
	for (unsigned i = 0; i < CLAIMS; i++) {
		char number[16];
		snprintf(number, sizeof number, "%u", i + 1);
		if (strcmp(text, claims[i].name) == 0 || strcmp(text, number) == 0)
			return o->chosen[i] = o->any = true;
	}
	return false;
}

static void refuse(const char *text, struct argp_state *state)
{
	char names[256] = "";
	for (unsigned i = 0; i < CLAIMS; i++)
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
			claims[i].name);
	argp_error(state, "'%s' is no claim; there are 1 to %d: %s", text, CLAIMS, names);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct tour_options *o = state->input;
	switch (key) {
	case KEY_LIST:
		o->list = true;
		return 0;
	case 'q':
		o->quick = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!choose(o, arg))
			refuse(arg, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {option_list, parse, "[CLAIM...]",
	"What a well-known slide deck of 2009 says about threads in Python, claim by claim (all, "
	"or "
	"those given by number or name), each tried out on this machine: on pinned workers, and in "
	"a miniature interpreter that can be Python 2, Python 3 and Python without its lock. "
	"Prints "
	"claim, experiment, result and verdict. Numbers are medians with the interval, in "
	"brackets, "
	"of that median. Faster and slower mean by more than 5 %, with the whole interval. "
	"Where other work has more than a tenth of the PUs' time, such verdicts are left out. "
	"Exit status: 1 where an experiment could not be made.",
	NULL, NULL, NULL};

static int open_finding(struct finding *f)
{
	*f = (struct finding){0};
	f->experiment = open_memstream(&f->experiment_text, &f->size[0]);
	f->result = open_memstream(&f->result_text, &f->size[1]);
	f->picture = open_memstream(&f->picture_text, &f->size[2]);
	return f->experiment && f->result && f->picture ? 0 : -ENOMEM;
}

static void close_stream(FILE **f)
{
	if (*f)
		fclose(*f);
	*f = NULL;
}

// From here on the texts may be read.
static void end_finding(struct finding *f)
{
	close_stream(&f->experiment);
	close_stream(&f->result);
	close_stream(&f->picture);
}

static void free_finding(struct finding *f)
{
	end_finding(f);
	free(f->experiment_text);
	free(f->result_text);
	free(f->picture_text);
}

// Words up to the margin, each line but the first indented; a new line stays one.
static void print_wrapped(const char *text)
{
	unsigned column = INDENT;
	while (*text) {
		size_t word = strcspn(text, " \n");
		if (column > INDENT && column + 1 + word > COLUMNS) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		}
		printf("%s%.*s", column > INDENT ? " " : "", (int)word, text);
		column += (unsigned)word + (column > INDENT);
		text += word;
		if (*text == '\n' && text[1]) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		}
		text += *text != '\0';
	}
	putchar('\n');
}

static void print_part(const char *name, const char *text)
{
	printf("   %-*s", INDENT - 3, name);
	print_wrapped(text);
}

static void print_finding(unsigned number, const struct claim *c, const struct finding *f,
	const char *verdict, const struct error *failed)
{
	printf("%2u %-*s", number, INDENT - 3, c->name);
	print_wrapped(c->text);
	if (*f->experiment_text)
		print_part("experiment", f->experiment_text);
	if (*f->result_text)
		print_part("result", f->result_text);
	if (*f->picture_text)
		printf("\n%s\n", f->picture_text);
	print_part("verdict", failed ? "not decided: the experiment could not be made" : verdict);
	if (failed)
		print_part("", failed->text);
	putchar('\n');
	fflush(stdout);
}

static json_t *lines_json(const char *text)
{
	json_t *lines = json_array();
	while (*text) {
		size_t length = strcspn(text, "\n");
		json_array_append_new(lines, json_stringn(text, length));
		text += length + (text[length] == '\n');
	}
	return lines;
}

static json_t *measures_json(const struct finding *f)
{
	json_t *all = json_array();
	for (size_t i = 0; i < f->measures; i++) {
		const struct measure *m = &f->measure[i];
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:f, s:f, s:f, s:I}", "name", m->name, "unit",
				     m->unit, "median", m->spread.median, "lo",
				     m->spread.interval.lo, "hi", m->spread.interval.hi, "samples",
				     (json_int_t)m->spread.samples));
	}
	return all;
}

static json_t *conditions_json(const struct finding *f)
{
	static const char *const words[] = {"false", "true", "unclear"};
	json_t *all = json_array();
	for (size_t i = 0; i < f->conditions; i++)
		json_array_append_new(
			all, json_pack("{s:s, s:s}", "condition", f->condition[i].label, "answer",
				     words[f->condition[i].answer]));
	return all;
}

static json_t *finding_json(unsigned number, const struct claim *c, const struct finding *f,
	const char *verdict, const struct error *failed)
{
	json_t *j = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:f}", "number",
		(int)number, "name", c->name, "claim", c->text, "experiment",
		lines_json(f->experiment_text), "result", lines_json(f->result_text), "picture",
		lines_json(f->picture_text), "measurements", measures_json(f), "conditions",
		conditions_json(f), "other_work", f->other_work);
	if (failed)
		json_object_set_new(j, "error", json_string(failed->text));
	json_object_set_new(j, "verdict", failed ? json_null() : json_string(verdict));
	return j;
}

/* The one thing a signal handler may write. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

static void show_progress(unsigned at, unsigned of, const char *name)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%u/%u  %s ...", at, of, name);
	else
		fprintf(stderr, "%u/%u %s\n", at, of, name);
	fflush(stderr);
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

// Returns 0, EXIT_FAILED or EXIT_INTERRUPTED.
static int run_claim(struct tour *t, unsigned number, json_t *all)
{
	const struct claim *c = &claims[number - 1];
	struct finding f;
	struct error e = {""};
	char verdict[512] = "";
	int rc = open_finding(&f);
	if (!rc)
		rc = c->run(t, &f, &e);
	end_finding(&f);
	clear_progress();
	if (rc == -ENOMEM && !*e.text)
		error_set(&e, ENOMEM, "no memory");
	if (rc != -ECANCELED && f.picture_text) {
		verdict_beside(f.condition, f.conditions, f.other_work, verdict, sizeof verdict);
		if (all)
			json_array_append_new(
				all, finding_json(number, c, &f, verdict, rc ? &e : NULL));
		else
			print_finding(number, c, &f, verdict, rc ? &e : NULL);
	}
	free_finding(&f);
	if (rc == -ECANCELED)
		return EXIT_INTERRUPTED;
	return rc ? EXIT_FAILED : 0;
}

static int run_claims(struct tour *t, const struct tour_options *o, json_t *all)
{
	unsigned of = 0, at = 0;
	int status = 0;
	for (unsigned i = 0; i < CLAIMS; i++)
		of += !o->any || o->chosen[i];
	for (unsigned i = 0; i < CLAIMS && status != EXIT_INTERRUPTED; i++) {
		if (o->any && !o->chosen[i])
			continue;
		show_progress(++at, of, claims[i].name);
		int rc = interrupted ? EXIT_INTERRUPTED : run_claim(t, i + 1, all);
		status = rc ? rc : status;
	}
	clear_progress();
	return status;
}

// A machine without a tour on it yet.
static int start_tour(struct tour *t, const struct tour_options *o, struct error *e)
{
	*t = (struct tour){.quick = o->quick, .interrupted = &interrupted};
	int rc = machine_load(&t->machine, NULL, e);
	if (rc)
		return rc;
	t->order = calloc(t->machine.allowed_pus, sizeof *t->order);
	if (!t->order) {
		machine_unload(&t->machine);
		return error_set(e, ENOMEM, "no memory for the order of PUs");
	}
	placement_order(&t->machine, PLACEMENT_COMPACT, t->order);
	t->workers = t->machine.allowed_cores < TOUR_WORKERS_MOST ? t->machine.allowed_cores
								  : TOUR_WORKERS_MOST;
	return 0;
}

static int take_tour(const struct tour_options *o)
{
	struct tour t;
	struct error e;
	if (start_tour(&t, o, &e)) {
		fprintf(stderr, "lockscale tour: %s\n", e.text);
		return EXIT_FAILED;
	}
	catch_signals();
	json_t *all = o->json ? json_array() : NULL;
	uint64_t start = clock_ns();
	int status = run_claims(&t, o, all);
	double seconds = (double)(clock_ns() - start) * 1e-9;
	if (all) {
		json_t *j = json_pack("{s:b, s:b, s:f, s:o}", "quick", o->quick, "interrupted",
			status == EXIT_INTERRUPTED, "seconds", seconds, "claims", all);
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(j);
	}
	if (status == EXIT_INTERRUPTED)
		fputs("lockscale tour: interrupted\n", stderr);
	tour_countdown_free(t.countdown);
	free(t.order);
	machine_unload(&t.machine);
	return status;
}

static void list_claims(bool as_json)
{
	json_t *all = json_array();
	for (unsigned i = 0; i < CLAIMS; i++) {
		if (as_json) {
			json_array_append_new(
				all, json_pack("{s:i, s:s, s:s}", "number", (int)i + 1, "name",
					     claims[i].name, "claim", claims[i].text));
			continue;
		}
		printf("%2u %-*s", i + 1, INDENT - 3, claims[i].name);
		print_wrapped(claims[i].text);
	}
	if (as_json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(all);
}

int cmd_tour(int argc, char **argv)
{
	struct tour_options o = {0};
	int status = 0;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	if (o.list)
		list_claims(o.json);
	else
		status = take_tour(&o);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : status;
}
