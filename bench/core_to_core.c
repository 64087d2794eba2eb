// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "clock.h"
#include "core_to_core.h"
#include "table.h"
#include "team.h"

enum {
	ALL_PAIRS_TO = 64, // PUs
	RANDOM_PAIRS = 512,
	PAIR_NS = 8000000, // for one pair, where there is time
	PAIR_LEAST_NS = 500000,
	PATIENCE_NS = 200000000, // for a partner that does not run
	TRIPS = 128,             // of a round; short, so that most rounds pass undisturbed
	ROUNDS_LEAST = 5,
	ROUNDS_MOST = 255,
	SPINS_PER_LOOK = 4096,
};
static const uint64_t all_ns = 4000000000u, limit_ns = 12000000000u; // for all pairs
static const uint32_t stop = UINT32_MAX;

const char *core_sharing_name(enum core_sharing s)
{
	static const char *const names[] = {"core", "cache", "NUMA node", "package", "nothing"};
	return names[s];
}

/* Choosing. */

static enum core_sharing sharing(const struct machine_pu *a, const struct machine_pu *b)
{
	if (a->core == b->core)
		return SHARED_CORE;
	if (a->package != b->package)
		return SHARED_NOTHING;
	if (a->cache == b->cache)
		return SHARED_CACHE;
	return a->numa == b->numa ? SHARED_NUMA_NODE : SHARED_PACKAGE;
}

static void add(struct core_to_core *c, const struct machine *m, unsigned i, unsigned j)
{
	const struct machine_pu *a = &m->pu[i], *b = &m->pu[j];
	c->pairs[c->count++] = (struct core_pair){.from = a->os < b->os ? a->os : b->os,
		.to = a->os < b->os ? b->os : a->os,
		.shared = sharing(a, b)};
}

static int by_numbers(const void *a, const void *b)
{
	const struct core_pair *x = a, *y = b;
	return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
				  : (x->to > y->to) - (x->to < y->to);
}

static void sort_and_drop_doubles(struct core_to_core *c)
{
	size_t kept = 0;
	qsort(c->pairs, c->count, sizeof *c->pairs, by_numbers);
	for (size_t i = 0; i < c->count; i++)
		if (!kept || by_numbers(&c->pairs[kept - 1], &c->pairs[i]))
			c->pairs[kept++] = c->pairs[i];
	c->count = kept;
}

// The next one of each kind, counted round the machine.
static void add_neighbours(struct core_to_core *c, const struct machine *m, unsigned i)
{
	bool has[SHARINGS] = {false};
	for (unsigned step = 1; step < m->allowed_pus; step++) {
		unsigned j = (i + step) % m->allowed_pus;
		enum core_sharing s = sharing(&m->pu[i], &m->pu[j]);
		if (!has[s])
			add(c, m, i, j);
		has[s] = true;
	}
}

static void add_random(struct core_to_core *c, const struct machine *m, gsl_rng *rng)
{
	for (unsigned n = 0; n < RANDOM_PAIRS; n++) {
		unsigned i = (unsigned)gsl_rng_uniform_int(rng, m->allowed_pus);
		unsigned step = 1 + (unsigned)gsl_rng_uniform_int(rng, m->allowed_pus - 1);
		add(c, m, i, (i + step) % m->allowed_pus);
	}
}

static gsl_rng *seeded(uint64_t seed)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (rng)
		gsl_rng_set(rng, (unsigned long)seed);
	return rng;
}

int core_to_core_choose(
	struct core_to_core *c, const struct machine *m, uint64_t seed, struct error *e)
{
	size_t n = m->allowed_pus;
	*c = (struct core_to_core){.sampled = n > ALL_PAIRS_TO};
	if (n < 2)
		return error_set(e, ENODEV,
			"only one PU is allowed here: a cache line needs two to travel between");
	gsl_rng *rng = seeded(seed);
	c->pairs = calloc(
		c->sampled ? n * SHARINGS + RANDOM_PAIRS : n * (n - 1) / 2, sizeof *c->pairs);
	if (!rng || !c->pairs) {
		gsl_rng_free(rng);
		core_to_core_fini(c);
		return error_set(e, ENOMEM, "no memory for the pairs of %zu PUs", n);
	}
	for (unsigned i = 0; i < n; i++)
		if (c->sampled)
			add_neighbours(c, m, i);
		else
			for (unsigned j = 0; j < i; j++)
				add(c, m, i, j);
	if (c->sampled)
		add_random(c, m, rng);
	gsl_rng_free(rng);
	sort_and_drop_doubles(c);
	return 0;
}

void core_to_core_fini(struct core_to_core *c)
{
	free(c->pairs);
	*c = (struct core_to_core){0};
}

/* Measuring. */

struct game {
	LINE_ALIGNED _Atomic uint32_t ball; // even: the server's; odd: the other's; or `stop`
	LINE_ALIGNED uint64_t enough_ns;    // by this time it has gone on long enough
	uint64_t deadline_ns;               // by this time it is given up
	unsigned rounds;
	double round_trip_ns[ROUNDS_MOST]; // mean of each round
};

// Hits the ball as soon as it shows `from`; false where the game is over. The ball is all there
// is, so its order with other memory is of no account: relaxed.
static bool hit(struct game *g, uint32_t from, uint32_t to)
{
	for (unsigned spins = 0;; spins++) {
		uint32_t seen = from;
		if (compare_exchange(&g->ball, &seen, to, relaxed, relaxed))
			return true;
		if (seen == stop)
			return false;
		if (spins == SPINS_PER_LOOK) {
			if (clock_ns() > g->deadline_ns)
				return false;
			spins = 0;
		}
	}
}

static bool play_round(struct game *g, uint32_t *ball)
{
	for (unsigned i = 0; i < TRIPS; i++, *ball += 2)
		if (!hit(g, *ball, *ball + 1))
			return false;
	return true;
}

static void serve(struct game *g)
{
	uint32_t ball = 0;
	uint64_t now = 0;
	bool on = play_round(g, &ball); /* to warm up */
	while (on && g->rounds < ROUNDS_MOST && (g->rounds < ROUNDS_LEAST || now < g->enough_ns)) {
		uint64_t start = clock_ns();
		on = play_round(g, &ball);
		now = clock_ns();
		if (on)
			g->round_trip_ns[g->rounds++] = (double)(now - start) / TRIPS;
	}
	store(&g->ball, stop, relaxed); /* relaxed: as in hit */
}

static void return_balls(struct game *g)
{
	uint32_t ball = 1;
	while (hit(g, ball, ball + 1))
		ball += 2;
}

static void play(void *game, unsigned index)
{
	if (index == 0)
		serve(game);
	else
		return_balls(game);
}

static unsigned index_of(const struct machine *m, unsigned os)
{
	unsigned i = 0;
	while (m->pu[i].os != os)
		i++;
	return i;
}

// A team of two for each pair: nobody else is awake, and nobody heats the PUs in between.
static int measure_pair(struct core_pair *p, const struct machine *m, struct game *g,
	uint64_t time_ns, struct error *e)
{
	const unsigned order[] = {index_of(m, p->from), index_of(m, p->to)};
	struct team *team;
	int rc = team_create(&team, m, order, 2, 2, true, e);
	if (rc)
		return rc;
	uint64_t now = clock_ns();
	g->enough_ns = now + time_ns;
	g->deadline_ns = now + PATIENCE_NS;
	g->rounds = 0;
	store(&g->ball, 0, relaxed); /* relaxed: the team publishes it */
	team_run(team, 2, play, NULL, g);
	team_destroy(team);
	if (!g->rounds)
		return 0;
	gsl_sort(g->round_trip_ns, 1, g->rounds);
	p->one_way_ns = gsl_stats_median_from_sorted_data(g->round_trip_ns, 1, g->rounds) / 2;
	return 0;
}

static void drop_unmeasured(struct core_to_core *c)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->count; i++)
		if (c->pairs[i].one_way_ns > 0)
			c->pairs[kept++] = c->pairs[i];
	c->count = kept;
}

int core_to_core_measure(
	struct core_to_core *c, const struct machine *m, uint64_t seed, struct error *e)
{
	struct game *g = aligned_alloc(LINE_PAIR, sizeof *g);
	gsl_rng *rng = seeded(seed);
	int rc = g && rng ? 0 : error_set(e, ENOMEM, "no memory for measuring core to core");
	if (!rc) /* what changes meanwhile must not look like topology */
		gsl_ran_shuffle(rng, c->pairs, c->count, sizeof *c->pairs);
	uint64_t start = clock_ns(), time_ns = all_ns / (c->count ? c->count : 1);
	if (time_ns > PAIR_NS)
		time_ns = PAIR_NS;
	if (time_ns < PAIR_LEAST_NS)
		time_ns = PAIR_LEAST_NS;
	for (size_t i = 0; i < c->count && !rc && clock_ns() - start < limit_ns; i++)
		rc = measure_pair(&c->pairs[i], m, g, time_ns, e);
	gsl_rng_free(rng);
	free(g);
	drop_unmeasured(c);
	qsort(c->pairs, c->count, sizeof *c->pairs, by_numbers);
	return rc;
}

/* Telling. */

struct core_summary core_to_core_summary(const struct core_to_core *c, enum core_sharing shared)
{
	struct core_summary s = {0};
	double *ns = calloc(c->count + 1, sizeof *ns);
	for (size_t i = 0; ns && i < c->count; i++)
		if (c->pairs[i].shared == shared)
			ns[s.count++] = c->pairs[i].one_way_ns;
	if (s.count) {
		gsl_sort(ns, 1, s.count);
		s.least_ns = ns[0];
		s.median_ns = gsl_stats_median_from_sorted_data(ns, 1, s.count);
		s.most_ns = ns[s.count - 1];
	}
	free(ns);
	return s;
}

static int write_pairs(FILE *out, void *data)
{
	const struct core_to_core *c = data;
	fputs("from\tto\tone_way_ns\n", out);
	for (size_t i = 0; i < c->count; i++)
		fprintf(out, "%u\t%u\t%.1f\n", c->pairs[i].from, c->pairs[i].to,
			c->pairs[i].one_way_ns);
	return 0;
}

int core_to_core_write(const struct core_to_core *c, const char *dir, struct error *e)
{
	return table_replace_file(dir, "core_to_core.tsv", write_pairs, (void *)c, e);
}
