// SPDX-License-Identifier: BSD-2-Clause
// lockscale run: chooses points, has them measured, and writes the result directory.
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "command.h"
#include "core_to_core.h"
#include "environment.h"
#include "foreign.h"
#include "google.h"
#include "measure.h"
#include "report.h"
#include "session.h"

enum {
	LIST_MOST = 1024,
	WARNINGS_MOST = 32,
	FULL_SAMPLES_MOST = 60,
	DEFAULT_PROCESSES = 3,
	DEFAULT_SAMPLES = 5,
	QUICK_SAMPLES = 3,
	RETRIES = 3,
};
static const double default_window_ms = 100, least_window_ms = 10;
// How long the measuring may take where the user names no window: so that all of scripts/run
// stays under 4 minutes on a desktop, 15 on a large server, and --quick under 30 seconds.
static const double desktop_s = 135, server_s = 660, quick_s = 13;
// The same for all kernels instead of the standard ones: minutes too, and a minute.
static const double all_s = 420, all_server_s = 1800, all_quick_s = 50;
static const unsigned desktop_cores = 4;
static const double full_precision = 0.01;

// The settings under which the kernel contention is measured: --cs, --work, --cs-lines.
enum { SETTINGS = 3, SETTING_MOST = 64, INSTANCES_MOST = 1024 };
static const struct setting {
	const char *option, *param;
	unsigned most;
} settings[SETTINGS] = {
	{"--cs", "cs", 1000000},
	{"--work", "work", 1000000},
	{"--cs-lines", "lines", 64},
};
struct setting_list {
	unsigned value[SETTING_MOST];
	size_t count; // 0: not given
};

struct run_options {
	struct selection select;
	struct setting_list setting[SETTINGS];
	char **patterns; // where they are not the arguments themselves
	bool quick, full, quiet, dry_run, placed, latency;
	double window_ms;                                     // 0: not given
	unsigned samples, processes, repetitions, watchdog_s; // 0: not given
	bool seeded;
	uint64_t seed;
	const char *output, *resume, *topology;
	json_t *params, *plugins, *preload; // the last two as the plan's
	struct google google;
};

enum {
	KEY_WINDOW = 0x100,
	KEY_SAMPLES,
	KEY_PROCESSES,
	KEY_SEED,
	KEY_RESUME,
	KEY_PARAM,
	KEY_OVERSUBSCRIBE,
	KEY_WATCHDOG,
	KEY_QUIET,
	KEY_DRY_RUN,
	KEY_TOPOLOGY,
	KEY_STRATEGIES,
	KEY_QUICK,
	KEY_FULL,
	KEY_LOCK_PLUGIN,
	KEY_INTERPOSE,
	KEY_CS,
	KEY_WORK,
	KEY_CS_LINES,
	KEY_LATENCY,
	KEY_STANDARD,
};

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What to measure:", 1},
	{"threads", 't', "LIST", 0,
		"Worker counts, e.g. 1,2,4-16 (default: 1, 2, 3, 4, 6, 8, 12, ... up to all "
		"allowed "
		"cores, then all PUs, and around each boundary of the topology)",
		1},
	{"placement", 'p', "LIST", 0,
		"compact (default), spread, smt, none: order in which workers "
		"fill the PUs",
		1},
	{"locks", 'l', "LIST", 0,
		"Only these locks; all: every lock (default: the standard ones; all that match "
		"where a PATTERN, --strategies or --benchmark_filter is given; in kernels with "
		"many strategies the few that 'lockscale list' names for them)",
		1},
	{"strategies", KEY_STRATEGIES, "LIST", 0, "Only these strategies", 1},
	{"standard", KEY_STANDARD, NULL, 0,
		"Without PATTERN only the kernels of a first look at a machine (what 'make run' "
		"measures)",
		1},
	{"param", KEY_PARAM, "KERNEL.NAME=VALUE", 0,
		"Set a kernel's parameter; to VALUE,VALUE,...: measure it once for each", 1},
	{"oversubscribe", KEY_OVERSUBSCRIBE, NULL, 0,
		"Allow more workers than PUs; the default counts then go on to 2 and 4 a PU", 1},
	{"lock-plugin", KEY_LOCK_PLUGIN, "FILE.so", 0,
		"Measure the lock in this shared object too, under the file's name (may be given "
		"again); without PATTERN and --locks beside mutex, ttas, mcs and nothing else",
		1},
	{"interpose", KEY_INTERPOSE, "LIB.so", OPTION_ARG_OPTIONAL,
		"Measure the pthread_mutex that LIB.so (default: $LD_PRELOAD) provides, as the "
		"lock "
		"'interposed'; without PATTERN and --locks beside mutex and nothing else",
		1},
	{"cs", KEY_CS, "LIST", 0,
		"Measure the kernel contention with critical sections of these lengths, in "
		"nanoseconds (0 to 1000000); with --work and --cs-lines once per combination",
		1},
	{"work", KEY_WORK, "LIST", 0,
		"... with that much work outside them, in nanoseconds (0 to 1000000)", 1},
	{"cs-lines", KEY_CS_LINES, "LIST", 0,
		"... and with that many shared cache lines in them (0 to 64)", 1},
	{NULL, 0, NULL, 0, "How well:", 2},
	{"quick", KEY_QUICK, NULL, 0,
		"1 process x 3 samples, short windows: under half a minute with --standard or a "
		"PATTERN, some minutes for all kernels",
		2},
	{"full", KEY_FULL, NULL, 0, "Until each speedup is known within 1 %, or 60 samples", 2},
	{"latency", KEY_LATENCY, NULL, 0,
		"Also measure how long acquire takes, and an operation of a structure, in samples "
		"of their own (latency.tsv)",
		2},
	{"window-ms", 'w', "MS", 0,
		"Length of a sample (100, shortened where the run would take too "
		"long)",
		2},
	{"samples", KEY_SAMPLES, "N", 0, "Samples of each point per process (5)", 2},
	{"processes", KEY_PROCESSES, "N", 0, "Fresh processes (3)", 2},
	{"seed", KEY_SEED, "N", 0, "Seed of the random order (default: from the clock, recorded)",
		2},
	{"watchdog", KEY_WATCHDOG, "S", 0, "Give a point up after S seconds without progress (10)",
		2},
	{NULL, 0, NULL, 0, "Where to:", 3},
	{"output", 'o', "DIR", 0, "Result directory (results/HOST-DATE-TIME)", 3},
	{"resume", KEY_RESUME, "DIR", 0, "Go on with an interrupted run: measure what is missing",
		3},
	{"quiet", KEY_QUIET, NULL, 0, "No progress, no warnings", 3},
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Only list the points and the time they would take", 3},
	{"topology", KEY_TOPOLOGY, "FILE|SYNTHETIC", 0, "With --dry-run: for this machine instead",
		3},
	{NULL, 0, NULL, 0,
		"Any --benchmark_* flag is Google Benchmark's: --benchmark_filter=REGEX, "
		"--benchmark_repetitions=N (samples of each point in all), --benchmark_min_time=S "
		"(the window), --benchmark_format=console|json|csv, --benchmark_out=FILE, "
		"--benchmark_list_tests, ... With one that asks for output stdout is Google's "
		"report.",
		4},
	{0},
};

static double number(const char *option, const char *text, double low, double high, bool whole,
	struct argp_state *state)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !(value >= low && value <= high) ||
		(whole && value != floor(value)))
		argp_error(state, "%s %s: expected a %snumber from %g to %g", option, text,
			whole ? "whole " : "", low, high);
	return value;
}

// Splits a comma-separated list in place; the texts stay the argument's.
static size_t split(char *text, char **list, size_t most)
{
	size_t count = 0;
	char *rest;
	for (char *s = strtok_r(text, ",", &rest); s && count < most;
		s = strtok_r(NULL, ",", &rest))
		list[count++] = s;
	return count;
}

static void parse_names(
	const char *option, char *arg, char ***names, size_t *count, struct argp_state *state)
{
	*names = calloc(LIST_MOST, sizeof **names);
	*count = *names ? split(arg, *names, LIST_MOST) : 0;
	if (*count == 0)
		argp_error(state, "%s: expected a comma-separated list of names", option);
}

static bool add_count(struct selection *s, unsigned n)
{
	for (size_t i = 0; i < s->thread_count; i++)
		if (s->threads[i] == n)
			return true;
	if (s->thread_count == LIST_MOST)
		return false;
	s->threads[s->thread_count++] = n;
	return true;
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return (x > y) - (x < y);
}

static void parse_threads(char *arg, struct selection *s, struct argp_state *state)
{
	char *parts[LIST_MOST];
	size_t count = split(arg, parts, LIST_MOST);
	if (!s->threads) /* given twice: both count */
		s->threads = calloc(LIST_MOST, sizeof *s->threads);
	for (size_t i = 0; i < count && s->threads; i++) {
		unsigned from, to;
		int used = 0;
		if (sscanf(parts[i], "%u-%u%n", &from, &to, &used) != 2 || parts[i][used]) {
			used = 0;
			if (sscanf(parts[i], "%u%n", &from, &used) != 1 || parts[i][used])
				from = 0;
			to = from;
		}
		if (from < 1 || to < from || to > 65536)
			argp_error(state, "--threads %s: expected worker counts such as 1,2,4-16",
				parts[i]);
		for (unsigned n = from; n <= to; n++)
			if (!add_count(s, n))
				argp_error(state, "--threads %s: more than %d worker counts",
					parts[i], LIST_MOST);
	}
	if (s->thread_count == 0)
		argp_error(state, "--threads: expected worker counts such as 1,2,4-16");
	qsort(s->threads, s->thread_count, sizeof *s->threads, ascending);
}

static void parse_placements(char *arg, struct selection *s, struct argp_state *state)
{
	char *parts[LIST_MOST];
	struct error e;
	size_t count = split(arg, parts, LIST_MOST);
	s->placement_count = 0;
	for (size_t i = 0; i < count; i++) {
		enum placement p;
		if (placement_parse(parts[i], &p, &e) < 0)
			argp_error(state, "--placement: %s", e.text);
		bool known = false;
		for (size_t j = 0; j < s->placement_count; j++)
			known = known || s->placements[j] == p;
		if (!known)
			s->placements[s->placement_count++] = p;
	}
	if (s->placement_count == 0)
		argp_error(state, "--placement: expected compact, spread, smt or none");
}

static bool lock_or_strategy_exists(const char *name, bool lock)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < k[i]->variant_count; j++) {
			const struct variant *v = &k[i]->variants[j];
			const char *its = !lock ? v->strategy : v->lock ? v->lock->name : "";
			if (strcmp(its, name) == 0)
				return true;
		}
	return false;
}

static void check_names(
	const char *option, char **names, size_t count, bool lock, struct argp_state *state)
{
	for (size_t i = 0; i < count; i++)
		if (!lock_or_strategy_exists(names[i], lock))
			argp_error(state, "%s %s: no such %s; 'lockscale list' shows them all",
				option, names[i], lock ? "lock" : "strategy");
}

static void parse_plugin(char *arg, struct run_options *o, struct argp_state *state)
{
	char path[PATH_MAX];
	if (!realpath(arg, path))
		argp_error(state, "--lock-plugin %s: %s", arg, strerror(errno));
	if (!o->plugins)
		o->plugins = json_array();
	json_array_append_new(o->plugins, json_string(path));
}

// The value of LD_PRELOAD, a list, with its paths made absolute.
static void parse_preload(const char *arg, struct run_options *o, struct argp_state *state)
{
	const char *list = arg ? arg : getenv("LD_PRELOAD");
	char one[PATH_MAX], path[PATH_MAX], all[4 * PATH_MAX] = "";
	size_t used = 0;
	if (!list || !list[strspn(list, ": ")])
		argp_error(state,
			"--interpose%s: expected a library, --interpose=LIB.so, or one in "
			"LD_PRELOAD",
			arg ? "=" : "");
	for (list += strspn(list, ": "); *list; list += strspn(list, ": ")) {
		size_t length = strcspn(list, ": ");
		snprintf(one, sizeof one, "%.*s", (int)length, list);
		list += length;
		/* Of LD_PRELOAD a bare name is one that the dynamic loader finds. */
		if (!arg && !strchr(one, '/'))
			snprintf(path, sizeof path, "%s", one);
		else if (!realpath(one, path))
			argp_error(state, "--interpose %s: %s", one, strerror(errno));
		if (used < sizeof all)
			used += (size_t)snprintf(
				all + used, sizeof all - used, "%s%s", used ? ":" : "", path);
	}
	json_decref(o->preload);
	o->preload = json_string(all);
}

static void compare_with(struct selection *s, const char *name)
{
	if (catalog_lock(name))
		s->locks[s->lock_count++] = (char *)catalog_lock(name)->name;
}

// Where nothing else is asked for: these locks and what they are usually compared with.
static void choose_foreign(struct run_options *o)
{
	struct selection *s = &o->select;
	size_t i, count = json_array_size(o->plugins);
	json_t *path;
	if ((!count && !o->preload) || s->pattern_count || s->lock_count || s->all_locks ||
		o->google.filter || o->google.list_tests)
		return;
	s->locks = calloc(count + 4, sizeof *s->locks);
	if (!s->locks)
		return;
	s->locked_only = !s->strategy_count;
	json_array_foreach (o->plugins, i, path) {
		char name[NAME_LEN];
		compare_with(s, foreign_name(json_string_value(path), name, sizeof name));
	}
	if (o->preload)
		compare_with(s, INTERPOSED_LOCK);
	compare_with(s, "mutex");
	if (count) {
		compare_with(s, "ttas");
		compare_with(s, "mcs");
	}
}

// All options are known: locks from outside come first, since others name them.
static void check_locks(struct run_options *o, struct argp_state *state)
{
	struct selection *s = &o->select;
	struct error e;
	if (foreign_add(o->plugins, o->preload != NULL, &e) < 0)
		argp_error(state, "%s", e.text);
	for (size_t i = 0; i < s->lock_count && !s->all_locks; i++)
		s->all_locks = strcmp(s->locks[i], "all") == 0;
	if (s->all_locks)
		s->lock_count = 0;
	check_names("--locks", s->locks, s->lock_count, true, state);
	s->indirect_cost = json_array_size(o->plugins) > 0;
	choose_foreign(o);
	/* A filter chooses among all points, and what it may choose from is listed. */
	static char *everything[] = {"*"};
	if ((o->google.filter || o->google.list_tests) && !s->pattern_count) {
		s->patterns = everything;
		s->pattern_count = 1;
		s->all_locks = s->lock_count == 0;
	}
}

static void parse_setting(
	char *arg, const struct setting *of, struct setting_list *list, struct argp_state *state)
{
	char *parts[LIST_MOST];
	size_t count = split(arg, parts, LIST_MOST);
	if (count == 0)
		argp_error(state, "%s: expected whole numbers from 0 to %u, such as 0,10",
			of->option, of->most);
	for (size_t i = 0; i < count; i++) {
		unsigned value = 0;
		int used = 0;
		bool known = false;
		if (!isdigit((unsigned char)*parts[i]) ||
			sscanf(parts[i], "%7u%n", &value, &used) != 1 || parts[i][used] ||
			value > of->most)
			argp_error(state,
				"%s %s: expected whole numbers from 0 to %u, such as 0,10",
				of->option, parts[i], of->most);
		for (size_t j = 0; j < list->count; j++)
			known = known || list->value[j] == value;
		if (known)
			continue;
		if (list->count == SETTING_MOST)
			argp_error(state, "%s %s: more than %d values", of->option, parts[i],
				SETTING_MOST);
		list->value[list->count++] = value;
	}
}

static bool settings_given(const struct run_options *o)
{
	return o->setting[0].count || o->setting[1].count || o->setting[2].count;
}

// What was not given is as --param says, or the kernel's default.
static void fill_setting(const struct kernel *k, const struct setting *of,
	struct setting_list *list, const json_t *params)
{
	char name[NAME_LEN];
	if (list->count)
		return;
	snprintf(name, sizeof name, "%s.%s", k->name, of->param);
	const char *value = json_string_value(json_object_get(params, name));
	for (const struct param *p = k->params; !value && p->name; p++)
		value = strcmp(p->name, of->param) == 0 ? p->value : NULL;
	list->value[list->count++] = value ? (unsigned)strtod(value, NULL) : 0;
}

// A pattern that names the kernel stands; beside those that do not it is measured whole.
static void add_pattern(struct run_options *o, const struct kernel *k, struct argp_state *state)
{
	struct selection *s = &o->select;
	char name[3 * NAME_LEN];
	for (size_t i = 0; i < s->pattern_count; i++)
		for (size_t j = 0; j < k->variant_count; j++) {
			catalog_name(k, &k->variants[j], name, sizeof name);
			if (catalog_match(s->patterns[i], name) || strchr(s->patterns[i], '@'))
				return;
		}
	char **more = calloc(s->pattern_count + 1, sizeof *more);
	if (!more)
		argp_failure(state, EXIT_FAILED, ENOMEM, "%s", k->name);
	for (size_t i = 0; i < s->pattern_count; i++)
		more[i] = s->patterns[i];
	more[s->pattern_count++] = (char *)k->name;
	s->patterns = o->patterns = more;
}

/* --param with a list of values: the kernel is measured once for each, and once for each
 * combination where there are more lists. */

// The kernels that this one is measured as so far, one name where none.
static size_t names_so_far(
	const struct selection *s, const struct kernel *k, char (*names)[NAME_LEN])
{
	size_t count = 0;
	for (size_t i = 0; i < s->instance_count; i++)
		if (catalog_kernel(s->instances[i]) == k)
			memcpy(names[count++], s->instances[i], NAME_LEN);
	if (!count)
		snprintf(names[count++], NAME_LEN, "%s", k->name);
	return count;
}

static void drop_instances(struct selection *s, const struct kernel *k)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->instance_count; i++)
		if (catalog_kernel(s->instances[i]) != k)
			memmove(s->instances[kept++], s->instances[i], NAME_LEN);
	s->instance_count = kept;
}

static void add_instance(struct selection *s, const char *base, const char *name, const char *value,
	const char *arg, struct argp_state *state)
{
	char instance[2 * NAME_LEN];
	if (s->instance_count == INSTANCES_MOST)
		argp_error(state, "--param %s: more than %d combinations", arg, INSTANCES_MOST);
	snprintf(instance, sizeof instance, "%s%c%s=%s", base, strchr(base, '@') ? ',' : '@', name,
		value);
	if (strlen(instance) >= NAME_LEN || strpbrk(value, "/ @="))
		argp_error(state,
			"--param %s: values in a list become part of the kernel's name: at most %d "
			"characters in all, without blanks and any of / @ =",
			arg, NAME_LEN - 1);
	memcpy(s->instances[s->instance_count++], instance, NAME_LEN);
}

static void add_instances(struct run_options *o, const char *arg, char **values, size_t count,
	struct argp_state *state)
{
	static char before[INSTANCES_MOST][NAME_LEN];
	struct selection *s = &o->select;
	char kernel[NAME_LEN], name[NAME_LEN];
	if (sscanf(arg, "%47[^.].%47[^=]", kernel, name) != 2)
		return; /* what measure_check_param accepts has both */
	const struct kernel *k = catalog_kernel(kernel);
	if (!s->instances)
		s->instances = calloc(2 * INSTANCES_MOST, sizeof *s->instances);
	if (!s->instances)
		argp_failure(state, EXIT_FAILED, ENOMEM, "--param");
	size_t bases = names_so_far(s, k, before);
	drop_instances(s, k);
	for (size_t i = 0; i < bases; i++)
		for (size_t j = 0; j < count; j++)
			add_instance(s, before[i], name, values[j], arg, state);
}

// What is measured under several settings is asked for by that.
static void add_patterns(struct run_options *o, struct argp_state *state)
{
	for (size_t i = 0; i < o->select.instance_count; i++)
		add_pattern(o, catalog_kernel(o->select.instances[i]), state);
}

static void make_instances(struct run_options *o, struct argp_state *state)
{
	struct selection *s = &o->select;
	struct setting_list *l = o->setting;
	const struct kernel *k = catalog_kernel("contention");
	for (size_t i = 0; i < SETTINGS; i++)
		fill_setting(k, &settings[i], &l[i], o->params);
	size_t count = l[0].count * l[1].count * l[2].count;
	if (count > INSTANCES_MOST)
		argp_error(state, "--cs, --work, --cs-lines: %zu combinations, at most %d", count,
			INSTANCES_MOST);
	drop_instances(s, k);
	if (!s->instances)
		s->instances = calloc(2 * INSTANCES_MOST, sizeof *s->instances);
	for (size_t i = 0; i < count && s->instances; i++) /* lines fastest */
		snprintf(s->instances[s->instance_count++], NAME_LEN, "%s@cs=%u,work=%u,lines=%u",
			k->name, l[0].value[i / l[2].count / l[1].count],
			l[1].value[i / l[2].count % l[1].count], l[2].value[i % l[2].count]);
	add_pattern(o, k, state);
}

static void parse_param(char *arg, struct run_options *o, struct argp_state *state)
{
	char *values[SETTING_MOST], one[PATH_MAX];
	struct error e, first;
	char *list = strchr(arg, '=');
	json_t *with = json_copy(o->params);
	bool good = measure_check_param(arg, with, &first) == 0;
	if (good)
		json_object_update(o->params, with);
	json_decref(with);
	if (good)
		return;
	/* Not a value that has commas in it, so a list of values? */
	list = list && strchr(list, ',') ? strdup(list + 1) : NULL;
	if (!list)
		argp_error(state, "%s", first.text);
	size_t count = split(list, values, SETTING_MOST);
	for (size_t i = 0; i < count; i++) {
		json_t *tried = json_copy(o->params);
		snprintf(one, sizeof one, "%.*s=%s", (int)strcspn(arg, "="), arg, values[i]);
		if (measure_check_param(one, tried, &e) < 0)
			argp_error(state, "%s", e.text);
		json_decref(tried);
	}
	if (count)
		add_instances(o, arg, values, count, state);
	else
		argp_error(state, "%s", first.text);
	free(list);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;
	struct selection *s = &o->select;
	switch (key) {
	case 't':
		parse_threads(arg, s, state);
		return 0;
	case 'p':
		o->placed = true;
		parse_placements(arg, s, state);
		return 0;
	case 'l':
		parse_names("--locks", arg, &s->locks, &s->lock_count, state);
		return 0;
	case KEY_LOCK_PLUGIN:
		parse_plugin(arg, o, state);
		return 0;
	case KEY_INTERPOSE:
		parse_preload(arg, o, state);
		return 0;
	case KEY_STRATEGIES:
		parse_names("--strategies", arg, &s->strategies, &s->strategy_count, state);
		check_names("--strategies", s->strategies, s->strategy_count, false, state);
		return 0;
	case KEY_PARAM:
		parse_param(arg, o, state);
		return 0;
	case KEY_CS:
	case KEY_WORK:
	case KEY_CS_LINES:
		parse_setting(arg, &settings[key - KEY_CS], &o->setting[key - KEY_CS], state);
		return 0;
	case KEY_OVERSUBSCRIBE:
		s->oversubscribe = true;
		return 0;
	case KEY_QUICK:
		o->quick = true;
		return 0;
	case KEY_FULL:
		o->full = true;
		return 0;
	case KEY_LATENCY:
		o->latency = true;
		return 0;
	case KEY_STANDARD:
		s->standard_only = true;
		return 0;
	case 'w':
		o->window_ms = number("--window-ms", arg, 1, 60000, false, state);
		return 0;
	case KEY_SAMPLES:
		o->samples = (unsigned)number("--samples", arg, 1, 10000, true, state);
		return 0;
	case KEY_PROCESSES:
		o->processes = (unsigned)number("--processes", arg, 1, 1000, true, state);
		return 0;
	case KEY_SEED:
		o->seed = (uint64_t)number("--seed", arg, 0, 9007199254740991.0, true, state);
		o->seeded = true;
		return 0;
	case KEY_WATCHDOG:
		o->watchdog_s = (unsigned)number("--watchdog", arg, 1, 86400, true, state);
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case KEY_RESUME:
		o->resume = arg;
		return 0;
	case KEY_QUIET:
		o->quiet = true;
		return 0;
	case KEY_DRY_RUN:
		o->dry_run = true;
		return 0;
	case KEY_TOPOLOGY:
		o->topology = arg;
		return 0;
	case ARGP_KEY_ARGS:
		s->patterns = state->argv + state->next;
		s->pattern_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (o->quick && o->full)
			argp_error(state, "--quick and --full exclude each other");
		if (o->topology && !o->dry_run)
			argp_error(state,
				"--topology needs --dry-run: only the machine at hand can "
				"be measured");
		if (o->resume &&
			(s->pattern_count || s->thread_count || s->lock_count ||
				s->strategy_count || o->output || o->samples || o->processes ||
				o->window_ms > 0 || o->seeded || o->quick || o->full || o->placed ||
				o->latency || s->standard_only || s->oversubscribe || o->dry_run ||
				json_object_size(o->params) || o->plugins || o->preload ||
				settings_given(o) || o->google.filter || o->google.list_tests ||
				o->google.repetitions || o->google.min_time_s > 0))
			argp_error(state, "--resume DIR goes on with what DIR began: it takes no "
					  "patterns and no options that choose points or samples");
		add_patterns(o, state);
		if (settings_given(o))
			make_instances(o, state);
		check_locks(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {options, parse, "[PATTERN...]",
	"Measure all points whose variant matches a PATTERN and write them to a result directory. "
	"Without one: every kernel's strategies, with the standard locks ('lockscale list'); "
	"--standard: only the kernels of a first look.\v"
	"A PATTERN is KERNEL, KERNEL/STRATEGY or KERNEL/STRATEGY/LOCK and may "
	"hold *: 'histogram/*', '*/global-lock/mcs'. The sequential baseline of each kernel and "
	"the "
	"control kernel are measured in any case; kernels marked 'extra' by 'lockscale list' only "
	"where a PATTERN or an option names them.\n\nExit status: 0 all measured and correct; 1 a "
	"measurement failed its check or could not be made; 2 usage; 130 interrupted (what was "
	"measured is kept; --resume DIR measures the rest).",
	NULL, NULL, NULL};

/* From options to a plan. */

static const double set_up_s = 0.003; // of a visit, and its probes

// What all visits' windows add up to for one sample of each point, in windows of a sample.
static double windows_per_round(const struct plan *p)
{
	double share = (double)plan_latency_window_ns(p) / (double)p->window_ns;
	return (double)p->point_count + share * (double)plan_latency_points(p);
}

static double set_ups_per_round(const struct plan *p)
{
	return set_up_s * (double)(p->point_count + plan_latency_points(p));
}

static double round_seconds(const struct plan *p)
{
	/* warm-up of at least two eighths, on average about half a window */
	return 1.5e-9 * (double)p->window_ns * windows_per_round(p) + set_ups_per_round(p);
}

static size_t samples_per_point(const struct plan *p)
{
	return p->limit ? p->limit : (size_t)p->processes * p->samples;
}

static double plan_seconds(const struct plan *p)
{
	return (double)samples_per_point(p) * round_seconds(p);
}

// Shorter windows, then fewer samples, where a run with defaults would take too long.
static void keep_within(struct plan *p, const struct run_options *o, double budget_s)
{
	double per_round = budget_s / (double)samples_per_point(p) - set_ups_per_round(p);
	double window_ms = per_round / windows_per_round(p) / 1.5 * 1e3;
	if (window_ms < least_window_ms)
		window_ms = least_window_ms;
	if (window_ms < default_window_ms)
		p->window_ns = (uint64_t)(window_ms * 1e6);
	if (plan_seconds(p) > budget_s && !o->samples && !p->limit && p->samples > QUICK_SAMPLES)
		p->samples = QUICK_SAMPLES;
}

static double budget(const struct run_options *o, const struct machine *m)
{
	const struct selection *s = &o->select;
	bool desktop = m->allowed_cores <= desktop_cores;
	if (s->standard_only || s->pattern_count)
		return o->quick ? quick_s : desktop ? desktop_s : server_s;
	return o->quick ? all_quick_s : desktop ? all_s : all_server_s;
}

static uint64_t seed_from_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return timespec_ns(&t) & 0xffffffffu;
}

static void choose_effort(struct plan *p, const struct run_options *o, const struct machine *m)
{
	p->processes = o->processes ? o->processes : o->quick ? 1 : DEFAULT_PROCESSES;
	p->samples = o->samples ? o->samples : o->quick ? QUICK_SAMPLES : DEFAULT_SAMPLES;
	if (o->repetitions) {
		p->limit = o->repetitions;
		if (p->processes > p->limit)
			p->processes = p->limit;
		p->samples = (p->limit + p->processes - 1) / p->processes;
	}
	p->seed = o->seeded ? o->seed : seed_from_clock();
	p->retries = RETRIES;
	p->latency = o->latency;
	p->window_ns = (uint64_t)((o->window_ms > 0 ? o->window_ms : default_window_ms) * 1e6);
	if (o->window_ms == 0 && !o->full)
		keep_within(p, o, budget(o, m));
	p->warm_up_ns = o->full || p->window_ns > 1000000000 ? 1000000000 : p->window_ns;
	if (o->full)
		p->processes = (FULL_SAMPLES_MOST + p->samples - 1) / p->samples;
}

// Google's filter chooses among the points; what it needs for comparison stays.
static int apply_filter(struct plan *p, const struct run_options *o, struct error *e)
{
	if (!o->google.filter)
		return 0;
	return google_filter(p, e);
}

/* The result directory. */

static int make_folders(const char *path)
{
	char part[PATH_MAX];
	for (size_t i = 1;; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof part, "%.*s", (int)i, path);
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return errno;
		if (path[i] == '\0')
			return 0;
	}
}

static void default_folder(char *path, size_t size)
{
	char date[32];
	struct utsname u;
	struct tm local;
	time_t now = time(NULL);
	uname(&u);
	strftime(date, sizeof date, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
	snprintf(path, size, "results/%s-%s", u.nodename, date);
}

static int choose_folder(char *path, size_t size, const char *output, struct error *e)
{
	char journal[PATH_MAX + 32];
	if (output)
		snprintf(path, size, "%s", output);
	else
		default_folder(path, size);
	if (!*path)
		return error_set(e, EINVAL, "--output '': expected the name of a folder");
	int rc = make_folders(path);
	if (rc)
		return error_set(e, rc,
			"cannot create the result folder %s: %s; choose a writable one "
			"with --output DIR",
			path, strerror(rc));
	snprintf(journal, sizeof journal, "%s/journal.jsonl", path);
	if (access(journal, F_OK) == 0)
		return error_set(e, EEXIST,
			"%s holds a run already: go on with it ('--resume %s') or choose another "
			"--output",
			path, path);
	return 0;
}

static bool measures(const struct plan *p, const char *kernel)
{
	for (size_t i = 0; i < p->point_count; i++)
		if (strcmp(p->points[i].kernel, kernel) == 0)
			return true;
	return false;
}

// The parameters in force, of the kernels that do not carry them in their names.
static json_t *params_in_force(const struct plan *p)
{
	json_t *params = json_object();
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	for (size_t i = 0; i < count; i++)
		for (const struct param *of = k[i]->params;
			of && of->name && measures(p, k[i]->name); of++) {
			char name[2 * NAME_LEN];
			snprintf(name, sizeof name, "%s.%s", k[i]->name, of->name);
			json_t *given = json_object_get(p->params, name);
			json_object_set_new(
				params, name, given ? json_incref(given) : json_string(of->value));
		}
	return params;
}

// What analysis must know of the locks measured, by name.
static json_t *locks(const struct plan *p)
{
	json_t *all = json_object();
	for (size_t i = 0; i < p->point_count; i++) {
		const struct kernel *k = catalog_kernel(p->points[i].kernel);
		const struct variant *v =
			catalog_variant(k, p->points[i].strategy, p->points[i].lock);
		if (v->lock)
			json_object_set_new(
				all, v->lock->name, json_pack("{s:b}", "fifo", v->lock->fifo));
	}
	return all;
}

static json_t *header(
	const struct plan *p, const struct machine *m, const char *dir, int argc, char **argv)
{
	const char *slash = strrchr(dir, '/');
	json_t *context = environment(m, argc, argv);
	json_object_set_new(context, "name", json_string(slash && slash[1] ? slash + 1 : dir));
	json_object_set_new(context, "seed", json_integer((json_int_t)p->seed));
	json_object_set_new(context, "window_ms", json_real((double)p->window_ns * 1e-6));
	json_object_set_new(context, "params", params_in_force(p));
	json_object_set_new(context, "locks", locks(p));
	return json_pack(
		"{s:s, s:o, s:o}", "type", "run", "context", context, "plan", plan_to_json(p));
}

/* Interruption. */

static volatile sig_atomic_t interrupted; /* the one thing a signal handler may write */

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Running. */

static void show_warnings(const struct machine *m)
{
	struct warning w[WARNINGS_MOST];
	size_t count = machine_warnings(m, w, WARNINGS_MOST);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "warning: %s\n         %s\n", w[i].text, w[i].remedy);
}

// " (4 of them with latency samples)", or nothing.
static const char *latency_words(const struct plan *p, char *buf, size_t size)
{
	*buf = '\0';
	if (p->latency)
		snprintf(buf, size, " (%zu of them with latency samples)", plan_latency_points(p));
	return buf;
}

static void announce(const struct plan *p, const struct machine *m, const char *dir)
{
	char latency[64];
	fprintf(stderr,
		"%s, %u cores, %u PUs: %zu points%s x %zu samples of %.0f ms, about %.0f s; seed "
		"%llu; "
		"to %s\n",
		m->cpu, m->allowed_cores, m->allowed_pus, p->point_count,
		latency_words(p, latency, sizeof latency), samples_per_point(p),
		(double)p->window_ns * 1e-6, plan_seconds(p), (unsigned long long)p->seed, dir);
}

static int dry_run(const struct plan *p)
{
	char name[256];
	for (size_t i = 0; i < p->point_count; i++)
		puts(point_name(&p->points[i], name, sizeof name));
	char latency[64];
	fprintf(stderr, "%zu points%s x %zu samples of %.0f ms: about %.0f s\n", p->point_count,
		latency_words(p, latency, sizeof latency), samples_per_point(p),
		(double)p->window_ns * 1e-6, plan_seconds(p));
	return fflush(stdout) ? 1 : 0;
}

static bool precise(const struct row *row)
{
	return row && row->has_samples &&
	       row->gain.hi - row->speedup <= full_precision * row->speedup &&
	       row->speedup - row->gain.lo <= full_precision * row->speedup;
}

// A baseline is measured as long as any point of its kernel needs more precision: it is half of
// each of their ratios, though its own speedup is 1 by definition.
static void keep_baselines(struct plan *p)
{
	for (size_t i = 0; i < p->point_count; i++) {
		if (strcmp(p->points[i].strategy, "sequential") != 0)
			continue;
		for (size_t j = 0; j < p->point_count; j++)
			if (strcmp(p->points[i].kernel, p->points[j].kernel) == 0 && !p->failed[j])
				p->settled[i] = p->settled[i] && (j == i || p->settled[j]);
	}
}

// --full: points whose speedup is known well enough need no more samples.
static int settle(struct session *s, struct error *e)
{
	struct result r;
	struct table t;
	int rc = journal_to_result_file(s->dir, e);
	if (!rc)
		rc = result_load(&r, s->dir, e);
	if (rc)
		return rc;
	rc = table_init(&t, &r, e);
	result_free(&r);
	if (rc)
		return rc;
	for (size_t i = 0; i < s->plan->point_count; i++)
		s->plan->settled[i] = precise(table_find(&t, &s->plan->points[i]));
	keep_baselines(s->plan);
	table_fini(&t);
	return 0;
}

static int measure_all(struct session *s, const struct run_options *o, struct error *e)
{
	if (!o->full)
		return session_run(s, 0, s->plan->processes, o->quiet, e);
	int rc = 0;
	for (unsigned end = DEFAULT_PROCESSES; end <= s->plan->processes && !rc; end++) {
		rc = session_run(s, end == DEFAULT_PROCESSES ? 0 : end - 1, end, o->quiet, e);
		if (!rc && end < s->plan->processes)
			rc = settle(s, e);
	}
	return rc;
}

// Whatever happened, what was measured is put in order; the first error counts.
static int conclude(const struct session *s, const struct run_options *o, int rc, struct error *e)
{
	struct error late;
	if (rc == -EINTR)
		fprintf(stderr,
			"interrupted: all finished samples are in %s; measure the rest with\n"
			"  lockscale run --resume %s\n",
			s->dir, s->dir);
	else if (rc)
		fprintf(stderr, "lockscale run: %s\n", e->text);
	int status = rc == -EINTR ? EXIT_INTERRUPTED : rc || s->failures ? EXIT_FAILED : 0;
	if (journal_to_result_file(s->dir, &late) < 0) {
		if (!rc)
			fprintf(stderr, "lockscale run: %s\n", late.text);
		return status ? status : EXIT_FAILED;
	}
	bool theirs = o->google.display;
	rc = rc                                ? rc
	     : google_wants_output(&o->google) ? google_output(&o->google, s->dir, &late)
					       : 0;
	if (!status && rc) {
		fprintf(stderr, "lockscale run: %s\n", late.text);
		status = EXIT_FAILED;
	}
	if (report_write(s->dir, VERDICT_YES_AT, rc || theirs ? NULL : stdout, true, &late) < 0) {
		fprintf(stderr, "lockscale run: %s\n", late.text);
		return status ? status : EXIT_FAILED;
	}
	if (!rc && !o->quiet)
		fprintf(stderr, "charts: lockscale report %s\n", s->dir);
	return status;
}

// Before measuring: what a cache line costs between which PUs here and now. An extra, so that
// failing to get it is only said.
static void write_core_to_core(const struct machine *m, uint64_t seed, const char *dir)
{
	struct core_to_core c;
	struct error e;
	if (m->allowed_pus < 2)
		return;
	int rc = core_to_core_choose(&c, m, seed, &e);
	if (!rc)
		rc = core_to_core_measure(&c, m, seed, &e);
	if (!rc)
		rc = core_to_core_write(&c, dir, &e);
	if (rc)
		fprintf(stderr, "lockscale run: no core_to_core.tsv: %s\n", e.text);
	core_to_core_fini(&c);
}

static int run_plan(struct plan *p, const struct run_options *o, const char *dir, struct journal *j,
	const struct journal_content *before)
{
	struct session s;
	struct error e = {0};
	if (session_init(&s, p, j, dir, &interrupted) < 0) {
		fprintf(stderr, "lockscale run: no memory\n");
		return EXIT_FAILED;
	}
	if (o->watchdog_s)
		s.watchdog_s = o->watchdog_s;
	if (before)
		session_continue(&s, before);
	catch_signals();
	int rc = measure_all(&s, o, &e);
	journal_close(j);
	int status = conclude(&s, o, rc, &e);
	session_fini(&s);
	return status;
}

static int usage_or_failure(int rc, const struct error *e)
{
	fprintf(stderr, "lockscale run: %s\n", e->text);
	return rc == -EINVAL || rc == -ENOENT || rc == -EEXIST ? EXIT_USAGE : EXIT_FAILED;
}

static int run_new(const struct run_options *o, int argc, char **argv)
{
	struct machine m = {0};
	struct plan p = {.params = json_incref(o->params),
		.plugins = json_incref(o->plugins),
		.preload = json_incref(o->preload)};
	struct journal j;
	struct error e = {0};
	char dir[PATH_MAX], xml[PATH_MAX + 32];
	int status, rc = machine_load(&m, o->topology, &e);
	if (!rc)
		rc = plan_points(&p, &o->select, &m, &e);
	if (!rc && o->google.list_tests) {
		google_list(&p);
		status = 0;
		goto done;
	}
	if (!rc)
		rc = apply_filter(&p, o, &e);
	if (!rc)
		choose_effort(&p, o, &m);
	if (!rc && o->dry_run) {
		status = dry_run(&p);
		goto done;
	}
	if (!rc && p.preload)
		rc = measure_try_preload(&p, &e);
	if (!rc)
		rc = choose_folder(dir, sizeof dir, o->output, &e);
	if (!rc) {
		json_t *first = header(&p, &m, dir, argc, argv);
		rc = journal_create(&j, dir, first, &e);
		json_decref(first);
	}
	if (rc) {
		status = usage_or_failure(rc, &e);
		goto done;
	}
	snprintf(xml, sizeof xml, "%s/machine.xml", dir);
	if (machine_export(&m, xml) < 0)
		fprintf(stderr, "lockscale run: cannot write %s\n", xml);
	if (!o->quiet) {
		show_warnings(&m);
		announce(&p, &m, dir);
	}
	catch_signals();
	if (!o->quick)
		write_core_to_core(&m, p.seed, dir);
	status = run_plan(&p, o, dir, &j, NULL);
done:
	plan_free(&p);
	machine_unload(&m);
	return status;
}

// The same machine as the one the run began on, as far as results depend on it.
static int check_machine(const json_t *header, struct error *e)
{
	struct machine m;
	json_t *context = json_object_get(header, "context");
	const char *cpu = json_string_value(json_object_get(context, "cpu"));
	json_int_t pus = json_integer_value(json_object_get(context, "allowed_pus"));
	int rc = machine_load(&m, NULL, e);
	if (rc)
		return rc;
	if (cpu && (strcmp(cpu, m.cpu) != 0 || pus != m.allowed_pus))
		rc = error_set(e, EINVAL,
			"--resume: the run began on '%s' with %lld allowed PUs, this is '%s' with "
			"%u",
			cpu, (long long)pus, m.cpu, m.allowed_pus);
	machine_unload(&m);
	return rc;
}

static int run_resumed(struct run_options *o)
{
	struct journal_content before;
	struct plan p = {0};
	struct journal j = {.fd = -1};
	struct error e = {0};
	int rc = journal_read(&before, o->resume, &e);
	if (rc)
		return usage_or_failure(rc, &e);
	rc = plan_from_json(&p, json_object_get(before.header, "plan"), &e);
	if (!rc)
		rc = foreign_add(p.plugins, p.preload != NULL, &e);
	if (!rc && p.preload)
		rc = measure_try_preload(&p, &e);
	if (!rc)
		rc = check_machine(before.header, &e);
	if (!rc)
		rc = journal_open(&j, o->resume, &e);
	if (rc) {
		journal_content_free(&before);
		plan_free(&p);
		return usage_or_failure(rc, &e);
	}
	if (before.damaged)
		fprintf(stderr,
			"warning: %u damaged lines in %s (the first is line %u) are ignored; what "
			"they "
			"held is measured again\n",
			before.damaged, j.path, before.first_damaged);
	/* A run that needs more than the usual number of processes was a full one. */
	o->full = p.processes > DEFAULT_PROCESSES && p.processes * p.samples >= FULL_SAMPLES_MOST;
	json_t *note = json_pack("{s:s, s:I}", "type", "resume", "time", (json_int_t)time(NULL));
	rc = journal_append(&j, note, &e);
	json_decref(note);
	int status = rc ? usage_or_failure(rc, &e) : run_plan(&p, o, o->resume, &j, &before);
	journal_content_free(&before);
	plan_free(&p);
	return status;
}

static void free_command(char **command)
{
	for (char **c = command; *c; c++)
		free(*c);
	free(command);
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = {.params = json_object(),
		.select = {.placements = {PLACEMENT_COMPACT}, .placement_count = 1}};
	struct error e = {0};
	/* A copy of the texts too: parsing cuts them up. */
	char **full_command = calloc((size_t)argc + 1, sizeof *full_command);
	if (!full_command || !o.params)
		return EXIT_FAILED;
	for (int i = 0; i < argc; i++)
		full_command[i] = strdup(argv[i]);
	int full_count = argc;
	if (google_take_flags(&o.google, &argc, argv, &e) < 0) {
		fprintf(stderr, "lockscale run: %s\n", e.text);
		free_command(full_command);
		json_decref(o.params);
		return EXIT_USAGE;
	}
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	o.select.few_counts = o.quick || o.select.instance_count > 1;
	if (o.google.repetitions)
		o.repetitions = o.google.repetitions;
	if (o.google.min_time_s > 0)
		o.window_ms = o.google.min_time_s * 1e3;
	int status = o.resume ? run_resumed(&o) : run_new(&o, full_count, full_command);
	free_command(full_command);
	free(o.select.locks);
	free(o.select.strategies);
	free(o.select.threads);
	free(o.select.instances);
	free(o.patterns);
	json_decref(o.params);
	json_decref(o.plugins);
	json_decref(o.preload);
	return status;
}
