// SPDX-License-Identifier: BSD-2-Clause
// lockscale python: runs a program in the miniature interpreter, under the interpreter lock (or
// without one) that is asked for; shows its bytecode, what the lock did, how an update was lost.
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "interpreter/interpreter.h"
#include "lost_update.h"
#include "placement.h"

enum {
	TEXT_MOST = 16 << 20,
	TICKS_MOST = 1000000000,
	US_MOST = 10000000,
	KEY_INTERVAL = 0x100,
	KEY_SWITCH,
	KEY_CHECK,
	KEY_SHARING,
	KEY_CPUS,
	KEY_DIS,
	KEY_STATS,
	KEY_TRACE
};

struct python_options {
	struct interpreter_settings settings;
	const char *file;
	unsigned cpus; // 0: as they are
	bool dis, stats;
	const char *gil_2_only, *gil_3_only, *free_only; // the option given, for the message
};

static const struct argp_option option_list[] = {
	{"strategy", 's', "STRATEGY", 0,
		"sequential (one thread, no lock), gil-2 (Python 2 on Linux), gil-2-cond (Python 2 "
		"elsewhere), gil-3 (Python 3.2 and later; the default), free-threaded-atomic "
		"(no lock, all reference counts atomic), free-threaded (PEP 703)",
		0},
	{"interval", KEY_INTERVAL, "TICKS", 0,
		"gil-2: instructions that tick between releases of the lock (100)", 0},
	{"switch-us", KEY_SWITCH, "US", 0,
		"gil-3: microseconds after which a waiter requests the lock (5000)", 0},
	{"check", KEY_CHECK, "WHERE", 0,
		"gil-3: gives way at 'jumps' back and calls, as from Python 3.10 on (the default), "
		"or at 'instructions', as before",
		0},
	{"sharing", KEY_SHARING, "KIND", 0,
		"free-threaded: how objects made by the main program are counted: biased (the "
		"default), deferred, immortal",
		0},
	{"cpus", KEY_CPUS, "N", 0, "Use the first N PUs of placement compact only", 0},
	{"dis", KEY_DIS, NULL, 0, "Print the bytecode and stop", 0},
	{"stats", KEY_STATS, NULL, 0, "Say on stderr how long it took and what the lock did", 0},
	{"trace", KEY_TRACE, NULL, 0,
		"gil-2 and gil-3: explain the first lost update of a global variable after the run "
		"(slow)",
		0},
	{0},
};

static unsigned number(
	const char *option, const char *text, unsigned most, struct argp_state *state)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	if (end == text || *end || errno || strchr(text, '-') || v < 1 || v > most)
		argp_error(
			state, "%s %s: expected a whole number from 1 to %u", option, text, most);
	return (unsigned)v;
}

static enum interpreter_mode strategy(const char *text, struct argp_state *state)
{
	char names[256] = "";
	int mode = interpreter_mode_find(text);
	for (int i = 0; mode < 0 && i < INTERPRETER_MODES; i++)
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
			interpreter_mode_name[i]);
	if (mode < 0)
		argp_error(state, "--strategy %s: unknown; there are %s", text, names);
	return (enum interpreter_mode)mode;
}

static int choice(const char *option, const char *text, const char *const *names, int count,
	struct argp_state *state)
{
	char list[128] = "";
	for (int i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0)
			return i;
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
			names[i]);
	}
	argp_error(state, "%s %s: expected one of %s", option, text, list);
	return 0;
}

static bool is_gil_2(const struct interpreter_settings *s)
{
	return s->mode == INTERPRETER_GIL_2 || s->mode == INTERPRETER_GIL_2_COND;
}

// An option that would have no effect is a mistake of the user's.
static void check_options(const struct python_options *o, struct argp_state *state)
{
	const struct interpreter_settings *s = &o->settings;
	const char *name = interpreter_mode_name[s->mode];
	if (!o->file)
		argp_error(state, "no program: give a FILE, or - for stdin");
	if (o->gil_2_only && !is_gil_2(s))
		argp_error(state, "%s has no effect under %s: it is gil-2's", o->gil_2_only, name);
	if (o->gil_3_only && s->mode != INTERPRETER_GIL_3)
		argp_error(state, "%s has no effect under %s: it is gil-3's", o->gil_3_only, name);
	if (o->free_only && s->mode != INTERPRETER_FREE_THREADED)
		argp_error(state, "%s has no effect under %s: it is free-threaded's", o->free_only,
			name);
	if (s->trace && !is_gil_2(s) && s->mode != INTERPRETER_GIL_3)
		argp_error(state, "--trace works under gil-2, gil-2-cond and gil-3, not under %s",
			name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	static const char *const checks[] = {"jumps", "instructions"};
	static const char *const kinds[] = {"biased", "deferred", "immortal"};
	struct python_options *o = state->input;
	struct interpreter_settings *s = &o->settings;
	switch (key) {
	case 's':
		s->mode = strategy(arg, state);
		return 0;
	case KEY_INTERVAL:
		s->check_interval = number("--interval", arg, TICKS_MOST, state);
		o->gil_2_only = "--interval";
		return 0;
	case KEY_SWITCH:
		s->switch_interval_us = number("--switch-us", arg, US_MOST, state);
		o->gil_3_only = "--switch-us";
		return 0;
	case KEY_CHECK:
		s->check_every_instruction = choice("--check", arg, checks, 2, state) == 1;
		o->gil_3_only = "--check";
		return 0;
	case KEY_SHARING:
		s->sharing = (enum interpreter_sharing)choice("--sharing", arg, kinds, 3, state);
		o->free_only = "--sharing";
		return 0;
	case KEY_CPUS:
		o->cpus = number("--cpus", arg, CPU_SETSIZE, state);
		return 0;
	case KEY_DIS:
		o->dis = true;
		return 0;
	case KEY_STATS:
		o->stats = true;
		return 0;
	case KEY_TRACE:
		s->trace = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "'%s' is one too many: one program at a time", arg);
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		check_options(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {option_list, parse, "FILE",
	"Runs a program in a miniature of CPython: integers of 64 bits, functions, classes, lists, "
	"dictionaries, and the modules threading, thread and time. FILE - is stdin. Exit status: 1 "
	"where the program is at fault.",
	NULL, NULL, NULL};

// The whole text, ended by a null. The caller frees it.
static int read_all(FILE *f, const char *name, char **text, struct error *e)
{
	size_t size = 0;
	FILE *copy = open_memstream(text, &size);
	char block[65536];
	if (!copy)
		return error_set(e, ENOMEM, "%s: no memory", name);
	for (size_t got, all = 0; (got = fread(block, 1, sizeof block, f)) > 0;) {
		all += got;
		if (all > TEXT_MOST || fwrite(block, 1, got, copy) != got)
			break;
	}
	int rc = ferror(f) ? error_set(e, errno, "%s: %s", name, strerror(errno)) : 0;
	if (fclose(copy) && !rc)
		rc = error_set(e, ENOMEM, "%s: no memory", name);
	if (!rc && !feof(f))
		rc = error_set(e, EFBIG, "%s: longer than 16 MiB", name);
	if (!rc && strlen(*text) != size)
		rc = error_set(e, EINVAL, "%s: a null byte after %zu bytes: not a program", name,
			strlen(*text));
	if (rc)
		free(*text);
	return rc;
}

static int read_program(const char *file, char **text, struct error *e)
{
	if (strcmp(file, "-") == 0)
		return read_all(stdin, "<stdin>", text, e);
	FILE *f = fopen(file, "re");
	if (!f)
		return error_set(e, errno, "%s: %s", file, strerror(errno));
	int rc = read_all(f, file, text, e);
	fclose(f);
	return rc;
}

// Threads that the program starts inherit it.
static int restrict_to(unsigned cpus, struct error *e)
{
	struct machine m;
	int rc = machine_load(&m, NULL, e);
	if (rc)
		return rc;
	unsigned *order = calloc(m.allowed_pus, sizeof *order);
	size_t size = CPU_ALLOC_SIZE(CPU_SETSIZE);
	cpu_set_t set;
	CPU_ZERO(&set);
	if (!order) {
		rc = error_set(e, ENOMEM, "no memory for the order of PUs");
	} else if (cpus > m.allowed_pus) {
		rc = error_set(e, EINVAL, "--cpus %u: there are %u", cpus, m.allowed_pus);
	} else {
		placement_order(&m, PLACEMENT_COMPACT, order);
		for (unsigned i = 0; i < cpus; i++)
			CPU_SET(m.pu[order[i]].os, &set);
		if (sched_setaffinity(0, size, &set))
			rc = error_set(e, errno, "--cpus %u: %s", cpus, strerror(errno));
	}
	free(order);
	machine_unload(&m);
	return rc;
}

/* What a signal handler needs to know: whom to stop; and what it has to tell. */
static struct interpreter *_Atomic running;
static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
	struct interpreter *i = running;
	signalled = number;
	if (i)
		interpreter_stop(i);
}

// The second signal of a kind ends the process, whatever the program does.
static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

static void print_stats(const struct interpreter *i, double seconds)
{
	struct interpreter_counts c;
	interpreter_counts(i, &c);
	fprintf(stderr,
		"seconds          %.6f\n"
		"releases         %" PRIu64 "\n"
		"failed acquires  %" PRIu64 "\n"
		"switches         %" PRIu64 "\n"
		"drop requests    %" PRIu64 "\n"
		"futex calls      %" PRIu64 "\n"
		"merges           %" PRIu64 "\n",
		seconds, c.releases, c.failed_acquires, c.switches, c.drop_requests, c.futex_calls,
		c.merges);
	if (c.instructions)
		fprintf(stderr, "instructions     %" PRIu64 "\n", c.instructions);
}

static void print_trace(const struct interpreter *i)
{
	fflush(stdout);
	if (!lost_update_print(stderr, i, NULL, 0))
		fputs("No update of a global variable was lost.\n", stderr);
}

static int run_in(struct interpreter *i, const struct python_options *o, const char *text)
{
	struct interpreter_error why;
	struct interpreter_thread *t = interpreter_enter(i, 0);
	if (!t) {
		fputs("lockscale python: no memory for a thread\n", stderr);
		return EXIT_FAILED;
	}
	running = i;
	if (signalled)
		interpreter_stop(i); /* it came before there was anybody to stop */
	uint64_t start = clock_ns();
	int rc = interpreter_run(t, strcmp(o->file, "-") ? o->file : "<stdin>", text, &why);
	double seconds = (double)(clock_ns() - start) * 1e-9;
	running = NULL;
	interpreter_leave(t);
	fflush(stdout); /* what it printed comes before what is said of it */
	if (rc && !signalled)
		fprintf(stderr, "%s\n", why.text);
	if (o->stats)
		print_stats(i, seconds);
	if (o->settings.trace)
		print_trace(i);
	return rc ? EXIT_FAILED : 0;
}

static int run(const struct python_options *o, const char *text)
{
	struct interpreter *i;
	int rc = interpreter_create(&i, &o->settings);
	if (rc) {
		fprintf(stderr, "lockscale python: %s\n", strerror(rc));
		return EXIT_FAILED;
	}
	catch_signals();
	int status = run_in(i, o, text);
	size_t left = interpreter_destroy(i);
	if (o->stats && !o->settings.trace)
		fprintf(stderr, "objects left     %zu\n", left);
	return signalled ? 128 + signalled : status;
}

static int disassemble(const struct python_options *o, const char *text)
{
	struct interpreter_error why;
	int rc = interpreter_disassemble(
		strcmp(o->file, "-") ? o->file : "<stdin>", text, stdout, &why);
	if (rc)
		fprintf(stderr, "%s\n", why.text);
	return rc ? EXIT_FAILED : 0;
}

int cmd_python(int argc, char **argv)
{
	struct python_options o = {.settings = {.mode = INTERPRETER_GIL_3}};
	struct error e;
	char *text;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	int rc = o.cpus ? restrict_to(o.cpus, &e) : 0;
	if (rc == -EINVAL) {
		fprintf(stderr, "lockscale python: %s\n", e.text);
		return EXIT_USAGE;
	}
	if (rc || read_program(o.file, &text, &e)) {
		fprintf(stderr, "lockscale python: %s\n", e.text);
		return EXIT_FAILED;
	}
	int status = o.dis ? disassemble(&o, text) : run(&o, text);
	free(text);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : status;
}
