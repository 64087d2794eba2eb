// SPDX-License-Identifier: BSD-2-Clause
// What the harness costs: against loops written by hand, in this process, in turn.
#include <math.h>
#include <pthread.h>

#include "catalog.h"
#include "clock.h"
#include "peers.h"

// A thread that runs a plain loop for a while, pinned, and tells its rate.
struct by_hand {
	const struct machine *machine;
	unsigned pu;
	double (*loop)(uint64_t operations); // returns seconds
	uint64_t operations;
	double rate;
};

static double count_loop(uint64_t n)
{
	uint64_t start = clock_ns(), value = 0;
	for (uint64_t i = 0; i < n; i++) {
		value++;
		keep_in_register(value);
	}
	return (double)(clock_ns() - start) * 1e-9;
}

static double control_loop(uint64_t n)
{
	uint64_t start = clock_ns(), a = 0, b = 1, c = 2, d = 3;
	for (uint64_t i = 0; i < n; i++) {
		a = a * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(a);
		b = b * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(b);
		c = c * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(c);
		d = d * 6364136223846793005u + 1442695040888963407u;
		keep_in_register(d);
	}
	return (double)(clock_ns() - start) * 1e-9;
}

static void *run_by_hand(void *arg)
{
	struct by_hand *h = arg;
	machine_pin(h->machine, h->pu);
	/* As long as the harness's warm-up, then as long as its window. */
	double seconds = h->loop(h->operations / 2);
	seconds = h->loop(h->operations);
	h->rate = (double)h->operations / seconds;
	return NULL;
}

static double hand_rate(struct bench *b, double (*loop)(uint64_t), uint64_t operations)
{
	struct by_hand h = {&b->machine, b->machine.pu[b->order[0]].os, loop, operations, 0};
	pthread_t thread;
	pthread_create(&thread, NULL, run_by_hand, &h);
	pthread_join(thread, NULL);
	return h.rate;
}

static void harness_cost(struct bench *b, struct team *team, struct probe *probe,
	const char *kernel, double (*loop)(uint64_t), const char *figure)
{
	double ours[2 * ROUNDS], by_hand[2 * ROUNDS];
	const struct kernel *k = catalog_kernel(kernel);
	const struct variant *v = catalog_variant(k, "sequential", "");
	uint64_t operations = (uint64_t)(harness_rate(team, probe, k, v, 1, NULL) / 10);
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		ours[i] = harness_rate(team, probe, k, v, 1, NULL);
		by_hand[i] = hand_rate(b, loop, operations);
	}
	ratio_line(b, figure, ours, by_hand, 2 * ROUNDS, "0.99..1.01", 0.99, 1.01);
}

// One worker does 50 times the work per operation, on nothing shared.
enum { SLOW = 50 };

static uint64_t uneven_batch(void *state, struct worker *w, uint64_t n)
{
	(void)state;
	control_loop(w->index == 1 ? n * SLOW : n);
	return n;
}

static int64_t nothing_lost(struct run *r, const uint64_t *done)
{
	(void)r;
	(void)done;
	return 0;
}

static void uneven(struct bench *b, struct team *team, struct probe *probe)
{
	static const struct variant variant = {.strategy = "private", .batch = uneven_batch};
	static const struct kernel kernel = {.name = "uneven",
		.unit = "steps",
		.variants = &variant,
		.variant_count = 1,
		.check = nothing_lost};
	double ours[ROUNDS], plain[ROUNDS];
	for (unsigned i = 0; i < ROUNDS; i++) {
		ours[i] = harness_rate(team, probe, &kernel, &variant, 2, NULL);
		/* The plain sum: the fast worker's own rate and a fiftieth of it. */
		double fast = hand_rate(b, control_loop, (uint64_t)(ours[i] / 10));
		plain[i] = fast + fast / SLOW;
	}
	ratio_line(b, "uneven workers (1:50) against the plain sum of rates", ours, plain, ROUNDS,
		"0.98..1.02", 0.98, 1.02);
}

static void start_skew(struct bench *b, struct team *team, struct probe *probe, unsigned workers)
{
	double skew[4 * ROUNDS];
	const struct kernel *k = catalog_kernel("control");
	const struct variant *v = catalog_variant(k, "private", "");
	for (unsigned i = 0; i < 4 * ROUNDS; i++)
		harness_rate(team, probe, k, v, workers, &skew[i]);
	stats_sort(skew, 4 * ROUNDS);
	struct interval i = stats_median_interval(skew, 4 * ROUNDS, 0.95);
	double median = stats_median(skew, 4 * ROUNDS);
	line(b, "start skew, median of 60 (ns; against 1000)", median, 1000, median / 1000,
		i.lo / 1000, i.hi / 1000, "below 1", median < 1000);
}

void harness_figures(struct bench *b, struct team *team, struct probe *probe, unsigned workers)
{
	harness_cost(b, team, probe, "counter", count_loop,
		"harness: counter/sequential against a plain loop");
	harness_cost(
		b, team, probe, "control", control_loop, "harness: control against a plain loop");
	if (workers == 2) {
		uneven(b, team, probe);
		start_skew(b, team, probe, workers);
	}
}
