// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "clock.h"
#include "probe.h"

enum { WARM_ROUNDS = 200, ROUNDS = 2000, PATIENCE_NS = 20000000, SPINS_PER_LOOK = 4096 };

// Pair i is the neighbours i and i + 1; of its three fields only `ball` is shared.
struct pair {
	LINE_ALIGNED _Atomic uint32_t ball; // even: at the first neighbour; odd: at the second
	LINE_ALIGNED double round_trip_ns;  // written by the first neighbour
};

struct probe {
	struct pair *pair;
};

struct probe *probe_create(unsigned workers)
{
	struct probe *p = malloc(sizeof *p);
	if (!p)
		return NULL;
	p->pair = aligned_alloc(LINE_PAIR, workers * sizeof *p->pair);
	if (!p->pair) {
		free(p);
		return NULL;
	}
	return p;
}

void probe_destroy(struct probe *p)
{
	if (p)
		free(p->pair);
	free(p);
}

// Waits until the ball shows `value`; false once the deadline has passed (the partner is not
// running: preempted, or on the same PU). No pause: it would be part of what is measured.
static bool await(struct pair *p, uint32_t value, uint64_t deadline)
{
	for (unsigned spins = 0; load(&p->ball, acquire) != value; spins++) { /* A1 */
		if (spins == SPINS_PER_LOOK) {
			if (clock_ns() > deadline)
				return false;
			spins = 0;
		}
	}
	return true;
}

static void serve(struct pair *p)
{
	uint64_t deadline = clock_ns() + PATIENCE_NS, start = 0;
	p->round_trip_ns = 0;
	for (uint32_t i = 0; i < WARM_ROUNDS + ROUNDS; i++) {
		if (i == WARM_ROUNDS)
			start = clock_ns();
		store(&p->ball, 2 * i + 1, release); /* A0: release; pairs with A1 */
		if (!await(p, 2 * i + 2, deadline))
			return;
	}
	p->round_trip_ns = (double)(clock_ns() - start) / ROUNDS;
}

static void return_balls(struct pair *p)
{
	uint64_t deadline = clock_ns() + PATIENCE_NS;
	for (uint32_t i = 0; i < WARM_ROUNDS + ROUNDS; i++) {
		if (!await(p, 2 * i + 1, deadline))
			return;
		store(&p->ball, 2 * i + 2, release); /* A0: release; pairs with A1 */
	}
}

static void play(struct probe *p, unsigned index, unsigned count, unsigned phase)
{
	bool first = index % 2 == phase;
	if (first && index + 1 < count)
		serve(&p->pair[index]);
	else if (!first && index > 0)
		return_balls(&p->pair[index - 1]);
}

void probe_neighbours(struct probe *p, unsigned index, unsigned count, struct barrier *b)
{
	if (count < 2)
		return;
	if (index + 1 < count)
		store(&p->pair[index].ball, 0, relaxed); /* relaxed: the barrier publishes it */
	for (unsigned phase = 0; phase < (count > 2 ? 2 : 1); phase++) {
		barrier_wait(b);
		play(p, index, count, phase);
	}
}

double probe_line_ns(const struct probe *p, unsigned count)
{
	if (count < 2)
		return 0;
	double *ns = malloc((count - 1) * sizeof *ns);
	size_t n = 0;
	for (unsigned i = 0; ns && i + 1 < count; i++)
		if (p->pair[i].round_trip_ns > 0)
			ns[n++] = p->pair[i].round_trip_ns;
	double median = 0;
	if (n > 0) {
		gsl_sort(ns, 1, n);
		median = gsl_stats_median_from_sorted_data(ns, 1, n);
	}
	free(ns);
	return median;
}
