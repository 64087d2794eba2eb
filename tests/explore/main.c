// SPDX-License-Identifier: BSD-2-Clause
// explore, explore-structures, explore-objects: every lock, structure or part of an object in every
// scenario, through its interleavings. Prints TAP.
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

static const char usage[] =
	"Usage: explore [OPTION...]\n"
	"       explore-structures [OPTION...]\n"
	"       explore-objects [OPTION...]\n"
	"  --lock NAME        this lock only (also one that is not explored by default)\n"
	"  --structure NAME   this structure only: STRUCTURE/RECLAMATION, shell patterns allowed\n"
	"  --object NAME      this part of an interpreter's objects only\n"
	"  --scenario NAME    this scenario only\n"
	"  --workers N        scenarios of so many workers only\n"
	"  --bound N          at most N preemptions, or `none`\n"
	"                     (none for two workers; for three 3, of locks 2)\n"
	"  --states N         give up a scenario after so many states (400000,\n"
	"                     of structures 100000)\n"
	"  --schedule TEXT    follow this schedule (with a name and --scenario), printing each "
	"step\n"
	"  --first            stop at the first failure\n"
	"  --list             what is explored, and scenarios\n"
	"Exit status: 0 nothing wrong, 1 a failure, 2 usage.\n";

struct wishes {
	const char *subject, *scenario, *schedule;
	unsigned workers, states;
	int bound;
	bool bound_given, first, list;
};

static const void *wanted_subject(const struct wishes *w, unsigned i)
{
	const void *subject = explored_subject(i);
	bool wanted = w->subject ? !fnmatch(w->subject, explored_name(subject), 0)
				 : explored_by_default(subject);
	return wanted ? subject : NULL;
}

static const struct scenario *wanted_scenario(
	const struct wishes *w, unsigned i, const void *subject)
{
	const struct scenario *s = scenario_at(i);
	bool wanted = (!w->scenario || !strcmp(w->scenario, s->name)) &&
		      (!w->workers || w->workers == s->workers);
	return wanted && scenario_applies(s, subject) ? s : NULL;
}

// What was explored: the last search, and the last that came to its end (UNKNOWN: none).
enum { UNKNOWN = -2 };
static void say_how(char *text, size_t size, const struct search_result *r, int bound, int whole)
{
	if (r->wrong[0])
		snprintf(text, size, "then it fails");
	else if (!r->cut && (bound == NO_BOUND || !r->bounded))
		snprintf(text, size, "all interleavings");
	else if (!r->cut)
		snprintf(text, size, "all with up to %d preemptions", bound);
	else if (whole != UNKNOWN)
		snprintf(text, size, "cut: all with up to %d preemptions, some with more", whole);
	else
		snprintf(text, size, "cut: some interleavings");
}

// Few preemptions first: what they find is the easiest to understand.
static int explore_one(
	unsigned number, const struct wishes *w, const struct scenario *s, const void *subject)
{
	int last = w->bound_given    ? w->bound
		   : s->workers == 2 ? NO_BOUND
				     : explored_preemptions,
	    whole = UNKNOWN;
	struct search_limits limits = {0, w->states};
	struct search_result r;
	for (int bound = 1;; bound++) {
		limits.preemptions =
			(bound > 2 && last == NO_BOUND) || (last != NO_BOUND && bound > last)
				? last
				: bound;
		search(s, subject, &limits, &r);
		if (r.wrong[0] || r.cut || !r.bounded || limits.preemptions == last)
			break;
		whole = limits.preemptions;
	}
	/* Everything without a bound, once more for what is to be seen from all of it only. */
	if (!r.wrong[0] && !r.cut && !r.bounded && limits.preemptions != NO_BOUND) {
		limits.preemptions = NO_BOUND;
		search(s, subject, &limits, &r);
	}
	char how[100];
	say_how(how, sizeof how, &r, limits.preemptions, whole);
	printf("%sok %u - %s %s: %s (%u states, %lu steps, %s)\n", r.wrong[0] ? "not " : "", number,
		explored_name(subject), s->name, s->claim, r.states, r.steps, how);
	if (r.wrong[0])
		printf("# %s %s, scenario %s: %s\n# schedule %s\n"
		       "# see it: build/tests/explore/%s --%s %s --scenario %s --schedule %s\n",
			explored_option, explored_name(subject), s->name, r.wrong, r.schedule,
			explored_program, explored_option, explored_name(subject), s->name,
			r.schedule);
	fflush(stdout);
	free(r.schedule);
	return r.wrong[0] != '\0';
}

static int for_all(const struct wishes *w, bool count_only, unsigned *count)
{
	int failed = 0;
	*count = 0;
	for (unsigned i = 0; i < explored_count; i++) {
		const void *subject = wanted_subject(w, i);
		for (unsigned k = 0; subject && k < scenario_count; k++) {
			const struct scenario *s = wanted_scenario(w, k, subject);
			if (!s)
				continue;
			++*count;
			if (w->list)
				printf("%s %s: %s\n", explored_name(subject), s->name, s->claim);
			else if (w->schedule)
				return replay(s, subject, w->schedule);
			else if (!count_only)
				failed |= explore_one(*count, w, s, subject);
			if (failed && w->first)
				return failed;
		}
	}
	return failed;
}

static int complain(const char *what)
{
	fprintf(stderr, "explore: %s\n%s", what, usage);
	return 2;
}

int main(int argc, char **argv)
{
	const struct option options[] = {
		{explored_option, required_argument, NULL, 'l'},
		{"scenario", required_argument, NULL, 's'},
		{"workers", required_argument, NULL, 'w'},
		{"bound", required_argument, NULL, 'b'},
		{"states", required_argument, NULL, 'n'},
		{"schedule", required_argument, NULL, 'p'},
		{"first", no_argument, NULL, 'f'},
		{"list", no_argument, NULL, 'L'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct wishes w = {.states = explored_states};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'l':
			w.subject = optarg;
			break;
		case 's':
			w.scenario = optarg;
			break;
		case 'w':
			w.workers = (unsigned)atoi(optarg);
			break;
		case 'b':
			w.bound = strcmp(optarg, "none") ? atoi(optarg) : NO_BOUND;
			w.bound_given = true;
			break;
		case 'n':
			w.states = (unsigned)atoi(optarg);
			break;
		case 'p':
			w.schedule = optarg;
			break;
		case 'f':
			w.first = true;
			break;
		case 'L':
			w.list = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	unsigned count;
	if (w.schedule && (!w.subject || !w.scenario))
		return complain("--schedule needs a name and --scenario");
	search_begin();
	if (!w.list && !w.schedule) {
		for_all(&w, true, &count);
		printf("1..%u\n", count);
	}
	int status = for_all(&w, false, &count);
	return count ? status : complain("no such subject or scenario");
}
