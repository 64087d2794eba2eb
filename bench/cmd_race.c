// SPDX-License-Identifier: BSD-2-Clause
// lockscale race: x = x + 1 against x = x - 1, at the level of load, add, store. Hunts for a
// lost update, shows the interleaving that lost it, and the same under a mutex.
//
// How the interleaving is known: x carries, beside its value, who stored it and when in that
// worker's program, and each worker writes down every x it loaded. If both workers loaded the
// same x, both computed from it, and whichever stored last wiped the other's update out. Which
// one that was, the wiped-out worker's next load tells. No clock is needed: the order of the
// stores to one variable is the same for all (coherence), so this is proof and not conjecture.
#include <argp.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "placement.h"
#include "team.h"

enum {
	ITERATIONS_DEFAULT = 100000,
	ITERATIONS_MOST = 10000000,
	SECONDS_DEFAULT = 10,
	WORKERS = 2,
	KEY_SECONDS = 0x100
};

struct race_options {
	uint64_t iterations;
	unsigned seconds;
};

static const struct argp_option options[] = {
	{"iterations", 'n', "N", 0, "Updates by each worker in a round (100000)", 0},
	{"seconds", KEY_SECONDS, "S", 0, "Give the hunt up after S seconds (10)", 0},
	{0},
};

static double number(const char *option, const char *text, double most, struct argp_state *state)
{
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end || !(v >= 1 && v <= most))
		argp_error(state, "%s %s: expected a number from 1 to %g", option, text, most);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct race_options *o = state->input;
	if (key == 'n')
		o->iterations = (uint64_t)number("--iterations", arg, 100e6, state);
	else if (key == KEY_SECONDS)
		o->seconds = (unsigned)number("--seconds", arg, 3600, state);
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "'%s' is one too many: race takes no arguments", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp parser = {options, parse, NULL,
	"Two workers: one does x = x + 1, the other x = x - 1, equally often. Shows how an update "
	"is "
	"lost, and that under a mutex none is.",
	NULL, NULL, NULL};

// x: the value in the low half; above it who stored it (1 bit) and in which iteration (31 bits).
#define TAG(worker, iteration) ((uint64_t)(worker) << 63 | (uint64_t)((iteration) + 1) << 32)

static int32_t value(uint64_t x)
{
	return (int32_t)(uint32_t)x;
}

static unsigned who(uint64_t x)
{
	return (unsigned)(x >> 63);
}

struct race {
	LINE_ALIGNED _Atomic uint64_t x;
	LINE_ALIGNED pthread_mutex_t mutex;
	LINE_ALIGNED struct barrier start;
	bool locked;
	uint64_t iterations;
	uint64_t *loaded[WORKERS]; // x as each worker found it, iteration by iteration
	uint32_t *when;            // for find_losses
};

// One update, in the three steps that a machine makes of it.
static void update(struct race *r, unsigned worker, uint64_t i)
{
	uint64_t x = load(&r->x, relaxed); /* relaxed: the race is the point */
	int32_t result = value(x) + (worker == 0 ? 1 : -1);
	store(&r->x, TAG(worker, i) | (uint32_t)result, relaxed); /* relaxed: as above */
	r->loaded[worker][i] = x;
}

static void work(void *arg, unsigned worker)
{
	struct race *r = arg;
	barrier_wait(&r->start);
	for (uint64_t i = 0; i < r->iterations; i++) {
		if (r->locked)
			pthread_mutex_lock(&r->mutex);
		update(r, worker, i);
		if (r->locked)
			pthread_mutex_unlock(&r->mutex);
	}
}

// Both workers had loaded the same x: the victim in its iteration k, the other in its iteration
// j. The victim then stored up to its iteration i, and its next load found what the other had
// stored in iteration j: the victim's updates k to i are gone.
struct loss {
	bool found;
	unsigned victim;
	uint64_t k, i, j;
	uint64_t x; // what both had loaded
};

// A number for each x that can ever be loaded: 0 for the first, then each worker's stores.
static uint64_t number_of(const struct race *r, uint64_t x)
{
	uint64_t iteration = x >> 32 & 0x7fffffff; /* from 1 */
	return iteration ? who(x) * r->iterations + iteration : 0;
}

// Adds up the victim's lost updates; keeps the shortest story. when[number_of(x)] tells in which
// iteration (from 1) the victim loaded that x; it cannot have done so twice.
static uint64_t find_losses_of(
	const struct race *r, unsigned victim, uint32_t *when, struct loss *shortest)
{
	const uint64_t *mine = r->loaded[victim], *others = r->loaded[1 - victim];
	uint64_t lost = 0;
	memset(when, 0, (2 * r->iterations + 1) * sizeof *when);
	for (uint64_t i = 0; i + 1 < r->iterations; i++) {
		when[number_of(r, mine[i])] = (uint32_t)i + 1;
		uint64_t next = mine[i + 1];
		if (who(next) == victim || number_of(r, next) == 0)
			continue; /* it found its own store: nothing in between */
		uint64_t j = (next >> 32 & 0x7fffffff) - 1;
		uint32_t k = when[number_of(r, others[j])];
		if (k == 0)
			continue;
		uint64_t length = i + 1 - (k - 1);
		lost += length;
		if (!shortest->found || length < shortest->i + 1 - shortest->k)
			*shortest = (struct loss){true, victim, k - 1, i, j, others[j]};
	}
	return lost;
}

// How many updates were lost for certain.
static uint64_t find_losses(const struct race *r, struct loss *shortest)
{
	shortest->found = false;
	return find_losses_of(r, 0, r->when, shortest) + find_losses_of(r, 1, r->when, shortest);
}

static void step(unsigned worker, const char *text, const char *note)
{
	bool more = worker == 1 || *note;
	printf("  %-*s%-*s%s\n", more ? 26 : 0, worker == 0 ? text : "", *note ? 26 : 0,
		worker == 1 ? text : "", note);
}

static void step_value(unsigned worker, const char *verb, int32_t v, const char *note)
{
	char text[64];
	snprintf(text, sizeof text, "%-6s r = %" PRId32, verb, v);
	if (verb[0] == 's')
		snprintf(text, sizeof text, "%-6s x = %" PRId32, verb, v);
	step(worker, text, note);
}

// Both loads come before the victim's store, and that before the other's; that is what the
// records prove. The other's add may have happened at any time in between.
static void print_loss(const struct loss *l)
{
	unsigned v = l->victim, o = 1 - v;
	int32_t was = value(l->x), by_one = v == 0 ? 1 : -1;
	int32_t updates = (int32_t)(l->i - l->k + 1);
	int32_t by_victim = was + updates * by_one, by_other = was - by_one;
	char note[96];
	printf("  %-26s%s\n  %-26s%s\n", "worker 1: x = x + 1", "worker 2: x = x - 1",
		"-------------------", "-------------------");
	step_value(o, "load", was, "");
	step_value(v, "load", was, "");
	step_value(v, "add", was + by_one, "");
	step_value(v, "store", was + by_one, "");
	if (updates > 1) {
		snprintf(note, sizeof note, "... %d more ...", updates - 1);
		step(v, note, "");
		step_value(v, "store", by_victim, "");
	}
	snprintf(note, sizeof note, "<- from a stale x: by now it is %" PRId32, by_victim);
	step_value(o, "add", by_other, note);
	snprintf(note, sizeof note, "<- wipes out %d update%s of worker %u", updates,
		updates > 1 ? "s" : "", v + 1);
	step_value(o, "store", by_other, note);
}

static int reserve(struct race *r, uint64_t iterations)
{
	r->iterations = iterations;
	free(r->when);
	for (unsigned w = 0; w < WORKERS; w++) {
		free(r->loaded[w]);
		r->loaded[w] = calloc(iterations, sizeof *r->loaded[w]);
		if (!r->loaded[w])
			return -1;
	}
	r->when = calloc(2 * iterations + 1, sizeof *r->when);
	return r->when ? 0 : -1;
}

static void run_round(struct race *r, struct team *team, bool locked)
{
	r->locked = locked;
	store(&r->x, 0, relaxed); /* relaxed: the team's start publishes it */
	team_run(team, WORKERS, work, NULL, r);
}

static void hunt(struct race *r, struct team *team, const struct race_options *o)
{
	struct loss loss = {0};
	uint64_t start = clock_ns(), rounds = 0, losses = 0;
	while (!loss.found && clock_ns() - start < (uint64_t)o->seconds * 1000000000u) {
		/* A round that fits into one time slice may be over before the other begins. */
		if (rounds && 2 * r->iterations <= ITERATIONS_MOST &&
			reserve(r, 2 * r->iterations) < 0)
			break;
		run_round(r, team, false);
		losses = find_losses(r, &loss);
		rounds++;
	}
	if (!loss.found) {
		printf("No update was lost in %" PRIu64
		       " rounds. That proves nothing: on one PU the "
		       "workers\nrarely meet. Try again with --seconds or --iterations.\n\n",
			rounds);
		return;
	}
	int32_t end = value(load(&r->x, relaxed)); /* relaxed: all at rest */
	uint64_t off = (uint64_t)llabs((long long)end);
	printf("Round %" PRIu64 ": x ended at %" PRId32 ", should be 0; at least %" PRIu64
	       " of %" PRIu64 " updates were lost, these among them:\n\n",
		rounds, end, losses > off ? losses : off, 2 * r->iterations);
	print_loss(&loss);
	putchar('\n');
}

static int race(struct team *team, const struct race_options *o, bool yield)
{
	struct race *r = aligned_alloc(LINE_PAIR, sizeof *r);
	if (!r)
		return EXIT_FAILED;
	memset(r, 0, sizeof *r);
	pthread_mutex_init(&r->mutex, NULL);
	barrier_init(&r->start, WORKERS, yield);
	int status = EXIT_FAILED;
	if (reserve(r, o->iterations) == 0) {
		printf("Two workers, %" PRIu64
		       " times each: x = x + 1 and x = x - 1, from x = 0.\n\n"
		       "Without a lock\n\n",
			r->iterations);
		hunt(r, team, o);
		run_round(r, team, true);
		struct loss none;
		uint64_t lost = find_losses(r, &none);
		int32_t end = value(load(&r->x, relaxed)); /* relaxed: all at rest */
		printf("Under a mutex\n\n  x ended at %" PRId32 ", should be 0; %" PRIu64
		       " updates were lost.\n",
			end, lost);
		status = end == 0 && lost == 0 ? 0 : EXIT_FAILED;
	} else {
		fprintf(stderr, "lockscale race: no memory for %" PRIu64 " iterations\n",
			o->iterations);
	}
	for (unsigned w = 0; w < WORKERS; w++)
		free(r->loaded[w]);
	free(r->when);
	pthread_mutex_destroy(&r->mutex);
	free(r);
	return status;
}

int cmd_race(int argc, char **argv)
{
	struct race_options o = {ITERATIONS_DEFAULT, SECONDS_DEFAULT};
	struct machine m;
	struct team *team = NULL;
	struct error e;
	int status = EXIT_FAILED;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	if (machine_load(&m, NULL, &e) < 0) {
		fprintf(stderr, "lockscale race: %s\n", e.text);
		return EXIT_FAILED;
	}
	unsigned *order = calloc(m.allowed_pus, sizeof *order);
	if (order) {
		placement_order(&m, PLACEMENT_COMPACT, order);
		if (team_create(&team, &m, order, m.allowed_pus, WORKERS, true, &e) < 0)
			fprintf(stderr, "lockscale race: %s\n", e.text);
		else
			status = race(team, &o, m.allowed_pus < WORKERS);
	}
	team_destroy(team);
	free(order);
	machine_unload(&m);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : status;
}
