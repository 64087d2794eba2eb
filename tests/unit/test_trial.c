// SPDX-License-Identifier: BSD-2-Clause
// One sample: the rate is the sum of what the workers did, a late start and other disturbance
// are noticed, losses are reported, windows are long enough. The kernels here are made for each
// claim; each has a way of computing that would get it wrong, and shows by how much.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <dirent.h>
#include <linux/perf_event.h>

#include "counters.h"
#include "kernel.h"

// Stands in for the hardware's counters, which many machines lack.
static struct counter_event stand_in[COUNTERS];
static const struct counter_event software[COUNTERS] = {
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY},
};
#define counters_hardware stand_in

// The trial itself, with a place in it where workers can be made late. All test programs link
// the product's objects too, so this one bears another name.
struct visit;
static void after_gate(const struct visit *v, unsigned index);
#define AFTER_GATE(index) after_gate(v, index)
#define trial_run trial_run_under_test
#include "../../bench/trial.c"

#include "placement.h"

enum { HANG_S = 100, WORKERS_MOST = 8, PUS_MOST = 8 };

static struct machine machine;
static struct team *team, *single, *crowd; // two workers; one; three on a single PU
static struct probe *probe;
static struct worker_record records[WORKERS_MOST];

// What the kernels do and note. Workers write only what is theirs, or atomically.
static struct bench {
	unsigned late_ms; // worker 1 passes the gate that much later; 0: not
	bool late_once;   // only until a sample was measured once
	unsigned windows; // that have begun
	int64_t checked[64];
	unsigned checks;
	unsigned destroyed;
	int create_error;
	uint64_t op_ns; // of the slow kernel
	unsigned finish_ms;
	int64_t lose; // operations per batch that take no effect (negative: that take effect twice)
} bench;

static void sleep_ns(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
	nanosleep(&t, NULL);
}

static void after_gate(const struct visit *v, unsigned index)
{
	if (index == 1 && bench.late_ms && (!bench.late_once || v->observation->tries == 1))
		sleep_ns(bench.late_ms * 1000000u);
}

static int set_up_all(void **state)
{
	(void)state;
	struct error e;
	static unsigned order[4096];
	if (machine_load(&machine, NULL, &e) || machine.allowed_pus > 4096)
		return -1;
	placement_order(&machine, PLACEMENT_COMPACT, order);
	probe = probe_create(WORKERS_MOST);
	return !probe ||
	       team_create(&team, &machine, order, machine.allowed_pus, 2, true, &e) < 0 ||
	       team_create(&single, &machine, order, machine.allowed_pus, 1, true, &e) < 0 ||
	       team_create(&crowd, &machine, order, 1, 3, true, &e) < 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	team_destroy(team);
	team_destroy(single);
	team_destroy(crowd);
	probe_destroy(probe);
	machine_unload(&machine);
	return 0;
}

static int start(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof bench);
	memcpy(stand_in, software, sizeof stand_in);
	return 0;
}

static void need_two_pus(void)
{
	if (machine.allowed_pus < 2) {
		print_message("needs two PUs\n");
		skip();
	}
}

/* A kernel with every fault that is asked for. */

struct state {
	_Atomic uint64_t effects;
};

struct own {
	uint64_t calls;
	uint64_t x;
};

static void work_for(struct own *own, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		own->x = own->x * 6364136223846793005u + 1;
		keep_in_register(own->x);
	}
}

static uint64_t even_batch(void *state, struct worker *w, uint64_t n)
{
	struct state *s = state;
	struct own *own = w->own;
	for (uint64_t i = 0; i < n; i++)
		work_for(own, 100);
	own->calls++;
	fetch_add(&s->effects, n - (uint64_t)bench.lose, relaxed);
	return n;
}

// One operation of worker 1 takes as long as fifty of the others.
static uint64_t uneven_batch(void *state, struct worker *w, uint64_t n)
{
	struct state *s = state;
	for (uint64_t i = 0; i < n; i++)
		work_for(w->own, w->index == 1 ? 5000 : 100);
	fetch_add(&s->effects, n, relaxed);
	return n;
}

static uint64_t slow_batch(void *state, struct worker *w, uint64_t n)
{
	struct state *s = state;
	(void)w;
	for (uint64_t i = 0; i < n; i++)
		sleep_ns(bench.op_ns);
	fetch_add(&s->effects, n, relaxed);
	return n;
}

// Every window is ten times as fast or as slow as the one before.
static uint64_t unsteady_batch(void *state, struct worker *w, uint64_t n)
{
	struct state *s = state;
	for (uint64_t i = 0; i < n; i++)
		work_for(w->own, bench.windows % 2 ? 1000 : 100);
	fetch_add(&s->effects, n, relaxed);
	return n;
}

static int create(struct run *r)
{
	(void)r;
	return bench.create_error;
}

static void destroy(struct run *r)
{
	(void)r;
	bench.destroyed++;
}

static void begin(struct run *r)
{
	(void)r;
	bench.windows++;
}

static void finish(void *state, struct worker *w)
{
	(void)state;
	(void)w;
	if (bench.finish_ms)
		sleep_ns(bench.finish_ms * 1000000u);
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct state *s = r->state;
	uint64_t expected = 0;
	for (unsigned i = 0; i < r->count; i++)
		expected += done[i];
	int64_t lost = (int64_t)(expected - load(&s->effects, relaxed));
	assert_true(bench.checks < 64);
	bench.checked[bench.checks++] = lost;
	return lost;
}

static const struct variant variants[] = {
	{.strategy = "even", .batch = even_batch},
	{.strategy = "uneven", .batch = uneven_batch},
	{.strategy = "slow", .batch = slow_batch},
	{.strategy = "unsteady", .batch = unsteady_batch},
	{.strategy = "unsynchronized", .batch = even_batch},
};
enum { EVEN, UNEVEN, SLOW, UNSTEADY, UNSYNCHRONIZED };

static const struct kernel throughput = {.name = "made",
	.unit = "operations",
	.kind = KERNEL_THROUGHPUT,
	.state_size = sizeof(struct state),
	.own_size = sizeof(struct own),
	VARIANTS(variants),
	.create = create,
	.destroy = destroy,
	.begin = begin,
	.finish = finish,
	.check = check};

/* A fixed amount of work, split in two halves of which worker 1's takes far longer. */

enum { PIECES = 40 };

struct pieces {
	atomic_uint done[PIECES];
	unsigned at[WORKERS_MOST]; // each worker its own
};

static uint64_t piece(void *state, struct worker *w, uint64_t n)
{
	struct pieces *p = state;
	unsigned half = PIECES / 2, at = p->at[w->index]++;
	(void)n;
	if (at == half)
		return 0;
	sleep_ns(w->index == 1 ? 1000000 : 50000);
	fetch_add(&p->done[w->index * half + at], 1, relaxed);
	return 1;
}

static void put_pieces_back(struct run *r)
{
	bench.windows++;
	memset(r->state, 0, sizeof(struct pieces));
}

static int64_t check_pieces(struct run *r, const uint64_t *done)
{
	struct pieces *p = r->state;
	int64_t wrong = 0;
	for (unsigned i = 0; i < PIECES; i++)
		wrong += load(&p->done[i], relaxed) != 1;
	return wrong + (done[0] + done[1] != PIECES);
}

static const struct variant piece_variants[] = {{.strategy = "private", .batch = piece}};

static const struct kernel makespan_kernel = {.name = "pieces",
	.unit = "pieces",
	.kind = KERNEL_MAKESPAN,
	.state_size = sizeof(struct pieces),
	VARIANTS(piece_variants),
	.begin = put_pieces_back,
	.check = check_pieces};

/* Samples. */

static const struct trial_settings settings = {
	.window_ns = 20000000, .warm_up_ns = 20000000, .retries = 3};

static int try(struct observation *o, const struct kernel *k, unsigned variant, struct team *of,
	unsigned workers, const struct trial_settings *s, struct error *e)
{
	struct input input = {0};
	struct trial t = {.settings = s,
		.kernel = k,
		.variant = &k->variants[variant],
		.input = &input,
		.workers = workers,
		.team = of,
		.probe = probe};
	*o = (struct observation){.worker = records};
	return trial_run_under_test(&t, o, e);
}

static void sample_with(struct observation *o, const struct kernel *k, unsigned variant,
	struct team *of, unsigned workers, const struct trial_settings *s)
{
	struct error e;
	if (try(o, k, variant, of, workers, s, &e) != 0)
		fail_msg("%s", e.text);
}

static void sample(struct observation *o, unsigned variant)
{
	sample_with(o, &throughput, variant, team, 2, &settings);
}

static double seconds_of(unsigned worker)
{
	return (double)(records[worker].end_ns - records[worker].start_ns) * 1e-9;
}

static double rate_of(unsigned worker)
{
	return (double)records[worker].operations / seconds_of(worker);
}

/* Disturbance. */

static void a_team_that_starts_late_is_noticed_and_measured_again(void **state)
{
	(void)state;
	need_two_pus();
	struct observation o;
	bench.late_ms = 8;
	sample(&o, EVEN);
	assert_true(o.start_skew_ns >= 8e6);
	assert_true(o.disturbed);
	assert_int_equal(o.tries, 1 + settings.retries);

	struct trial_settings once = settings;
	once.retries = 0;
	sample_with(&o, &throughput, EVEN, team, 2, &once);
	assert_true(o.disturbed);
	assert_int_equal(o.tries, 1);
}

// As of workers that share a PU, whose turns come one after the other.
static void a_worker_that_starts_late_is_rated_from_the_common_start(void **state)
{
	(void)state;
	need_two_pus();
	struct observation o;
	struct trial_settings once = settings;
	once.retries = 0;
	bench.late_ms = 8;
	sample_with(&o, &throughput, EVEN, team, 2, &once);
	assert_true(records[1].start_ns == records[0].start_ns);
	assert_true(records[1].begin_ns >= records[1].start_ns + 8000000);
	double rated = rate_of(0) + rate_of(1);
	assert_true(fabs(o.operations_per_second - rated) < 1e-6 * rated);
}

static void a_sample_late_once_is_replaced_by_a_better_one(void **state)
{
	(void)state;
	need_two_pus();
	struct observation o;
	bench.late_ms = 8;
	bench.late_once = true;
	sample(&o, EVEN);
	assert_true(o.tries >= 2);
	assert_true(o.start_skew_ns < 8e6);
}

static void an_honest_team_starts_together(void **state)
{
	(void)state;
	need_two_pus();
	/* The best of several: other work may hold one worker up, but not always. */
	double least = INFINITY;
	for (int i = 0; i < 10; i++) {
		struct observation o;
		sample(&o, EVEN);
		least = fmin(least, o.start_skew_ns);
	}
	assert_true(least < 8e6 / 40);
}

/* Rates. */

static void the_rate_of_uneven_workers_is_the_sum_of_their_rates(void **state)
{
	(void)state;
	struct observation o;
	sample(&o, UNEVEN);
	double sum = rate_of(0) + rate_of(1);
	assert_true(fabs(o.operations_per_second - sum) <= 0.05 * sum);
	/* What is reported where each worker is taken to do as much as the other: far off. */
	double as_the_slowest = 2 * fmin(rate_of(0), rate_of(1));
	double as_the_fastest = 2 * fmax(rate_of(0), rate_of(1));
	assert_true(as_the_slowest < 0.5 * o.operations_per_second);
	assert_true(as_the_fastest > 1.3 * o.operations_per_second);
	assert_true(o.seconds >= seconds_of(0) && o.seconds >= seconds_of(1));
}

static void what_workers_did_is_all_counted(void **state)
{
	(void)state;
	struct observation o;
	sample(&o, EVEN);
	assert_int_equal(o.lost_updates, 0);
	/* checked at the end of the warm-up and after each measured window */
	assert_int_equal(bench.checks, 1 + o.tries);
	assert_int_equal(bench.destroyed, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(records[i].operations >= 100);
		assert_true(records[i].end_ns - records[i].begin_ns > settings.window_ns / 2);
	}
}

static void merging_is_part_of_the_measured_time(void **state)
{
	(void)state;
	struct observation o;
	bench.finish_ms = 40;
	sample(&o, EVEN);
	for (unsigned i = 0; i < 2; i++)
		assert_true(seconds_of(i) >= 0.040);
	assert_true(o.operations_per_second <= 1.01 * (rate_of(0) + rate_of(1)));
}

static void a_makespan_lasts_until_the_last_worker_is_done(void **state)
{
	(void)state;
	struct observation o;
	sample_with(&o, &makespan_kernel, 0, team, 2, &settings);
	assert_int_equal(o.lost_updates, 0);
	assert_int_equal(records[0].operations + records[1].operations, PIECES);
	double longest = fmax(seconds_of(0), seconds_of(1));
	assert_true(fabs(o.operations_per_second - PIECES / longest) <= 0.01 * PIECES / longest);
	assert_true(o.seconds >= longest);
	/* The sum of the workers' rates would count the fast one as if it had gone on. */
	assert_true(rate_of(0) + rate_of(1) > 2 * o.operations_per_second);
	/* The work was put back before every one of them. */
	assert_true(bench.windows >= 2);
}

/* Losses. */

static void lost_updates_are_reported_to_the_last_one(void **state)
{
	(void)state;
	struct observation o;
	bench.lose = 1;
	sample(&o, EVEN);
	assert_true(o.lost_updates > 0);
	/* in any window since the state was made, the warm-up included */
	assert_int_equal(o.lost_updates, bench.checked[bench.checks - 1]);
	assert_true(bench.checked[0] > 0);
}

static void updates_that_took_effect_twice_are_reported_as_negative(void **state)
{
	(void)state;
	struct observation o;
	bench.lose = -1;
	sample(&o, EVEN);
	assert_true(o.lost_updates < 0);
	assert_int_equal(o.lost_updates, bench.checked[bench.checks - 1]);
}

static void an_unsynchronized_sample_reports_its_own_losses_only(void **state)
{
	(void)state;
	struct observation o;
	bench.lose = 1;
	sample(&o, UNSYNCHRONIZED);
	assert_true(bench.checked[0] > 0);
	assert_int_equal(
		o.lost_updates, bench.checked[bench.checks - 1] - bench.checked[bench.checks - 2]);
}

/* Windows. */

static void a_window_grows_until_each_worker_has_a_hundred_operations(void **state)
{
	(void)state;
	struct observation o;
	struct trial_settings s = {.window_ns = 10000000, .warm_up_ns = 10000000, .retries = 0};
	double longest = 64 * 0.010;
	bench.op_ns = 5000000; /* two a window */
	sample_with(&o, &throughput, SLOW, single, 1, &s);
	assert_true(records[0].operations >= 100 || seconds_of(0) >= longest);
	assert_int_equal(o.lost_updates, 0);
	/* Where even the longest window holds fewer, they are taken as they are. */
	bench.op_ns = 50000000;
	sample_with(&o, &throughput, SLOW, single, 1, &s);
	assert_true(seconds_of(0) >= longest);
	assert_true(records[0].operations < 100 && records[0].operations > 0);
	/* A growing window is no failed try. */
	assert_int_equal(o.tries, 1);
}

static void a_fast_kernel_keeps_its_window(void **state)
{
	(void)state;
	struct observation o;
	sample_with(&o, &throughput, EVEN, single, 1, &settings);
	/* one warm-up at least, and one measured window a try */
	assert_true(bench.windows >= 2 + o.tries);
	assert_true(seconds_of(0) >= 0.020);
}

static void a_warm_up_ends_though_the_rate_never_settles(void **state)
{
	(void)state;
	struct observation o;
	/* Warm-up windows are an eighth of a window: 10 ms, so at most 5 begin within 50 ms, and a
	 * last one ends after. */
	struct trial_settings s = {.window_ns = 80000000, .warm_up_ns = 50000000, .retries = 0};
	sample_with(&o, &throughput, UNSTEADY, single, 1, &s);
	unsigned warm_ups = bench.windows - o.tries;
	assert_false(o.steady);
	assert_true(warm_ups >= 1 && warm_ups <= 6);
	assert_true(o.warm_up_seconds >= 0.050);
}

static void a_warm_up_ends_early_once_the_rate_is_steady(void **state)
{
	(void)state;
	struct trial_settings s = {.window_ns = 16000000, .warm_up_ns = 400000000, .retries = 0};
	unsigned steady = 0;
	for (int i = 0; i < 5; i++) {
		struct observation o;
		bench.windows = 0;
		sample_with(&o, &throughput, EVEN, single, 1, &s);
		if (o.steady) {
			steady++;
			assert_true(bench.windows - o.tries >= 2);
		}
	}
	assert_true(steady > 0);
}

/* Set-up. */

static void a_kernel_that_cannot_be_set_up_is_an_error_with_its_name(void **state)
{
	(void)state;
	struct team *of[] = {single, team, crowd};
	for (unsigned workers = 1; workers <= 3; workers++) {
		struct observation o;
		struct error e = {0};
		bench.create_error = ENOSPC;
		assert_int_equal(
			try(&o, &throughput, EVEN, of[workers - 1], workers, &settings, &e),
			-ENOSPC);
		assert_non_null(strstr(e.text, "made/even"));
		assert_non_null(strstr(e.text, strerror(ENOSPC)));
		assert_int_equal(bench.windows, 0);
		/* and the team is as good as before */
		bench.create_error = 0;
		sample_with(&o, &throughput, EVEN, of[workers - 1], workers, &settings);
		assert_int_equal(o.lost_updates, 0);
		start(NULL);
	}
}

static void workers_that_share_a_pu_are_measured_all_the_same(void **state)
{
	(void)state;
	struct observation o;
	sample_with(&o, &throughput, EVEN, crowd, 3, &settings);
	assert_int_equal(o.lost_updates, 0);
	assert_true(o.operations_per_second > 0);
	/* They wait for each other, which is no foreign work; and there is no line to transfer. */
	assert_true(o.foreign_ns == 0);
	assert_true(o.line_ns == 0);
}

static void the_line_transfer_goes_with_the_sample(void **state)
{
	(void)state;
	need_two_pus();
	struct observation o;
	double line = 0;
	for (int i = 0; i < 20 && line == 0; i++) {
		sample(&o, EVEN);
		line = o.line_ns;
	}
	assert_true(line > 0 && isfinite(line));
	sample_with(&o, &throughput, EVEN, single, 1, &settings);
	assert_true(o.line_ns == 0);
}

static unsigned open_files(void)
{
	unsigned count = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void what_the_workers_counters_say_is_added_up(void **state)
{
	(void)state;
	struct observation o;
	struct counters c;
	if (counters_open(&c, software) < 0) {
		print_message("needs perf_event_open\n");
		skip();
	}
	counters_close(&c);
	sample_with(&o, &throughput, EVEN, single, 1, &settings); /* opens what stays open */
	unsigned files = open_files();
	for (unsigned workers = 1; workers <= 2 && workers <= machine.allowed_pus; workers++) {
		sample_with(
			&o, &throughput, EVEN, workers == 1 ? single : team, workers, &settings);
		assert_true(o.counts.known);
		/* CPU time as the counters saw it, within what the workers used around them */
		double counted = (double)o.counts.value[0] * 1e-9;
		assert_true(counted > 0.5 * o.cpu_seconds && counted < 1.01 * o.cpu_seconds);
	}
	assert_int_equal(open_files(), files);
}

static void without_counters_a_sample_is_taken_all_the_same(void **state)
{
	(void)state;
	struct observation o;
	unsigned files = open_files();
	stand_in[COUNTERS - 1].config = UINT64_MAX; /* no kernel knows it */
	sample_with(&o, &throughput, EVEN, single, 1, &settings);
	assert_false(o.counts.known);
	assert_true(o.operations_per_second > 0);
	assert_int_equal(open_files(), files);
}

/* What the kernel counts. */

static void count_effects(struct run *r, double *value)
{
	struct state *s = r->state;
	value[0] = (double)load(&s->effects, relaxed);
	value[1] = (double)bench.windows;
}

static const struct count effects_and_windows[] = {
	{.name = "effects"}, {.name = "windows", .level = true}, {0}};

static void of_totals_the_window_s_part_is_kept_of_levels_the_last(void **state)
{
	(void)state;
	struct kernel k = throughput;
	k.counts = effects_and_windows;
	k.count = count_effects;
	struct observation o;
	sample_with(&o, &k, EVEN, team, 2, &settings);
	uint64_t operations = records[0].operations + records[1].operations;
	assert_true(o.kernel_counts[0] == (double)operations);
	assert_true(o.kernel_counts[1] == bench.windows && bench.windows > 1);
}

// A thread of the kernel's own, such as a server's, takes half of the first worker's PU.
static void *spin(void *arg)
{
	atomic_bool *over = arg;
	while (!load(over, relaxed))
		;
	return NULL;
}

static void own_threads_on_a_worker_s_pu_are_no_disturbance(void **state)
{
	(void)state;
	struct kernel k = throughput;
	k.own_threads = true;
	struct observation o;
	atomic_bool over = false;
	pthread_t thread;
	pthread_attr_t attr;
	cpu_set_t all;
	CPU_ZERO(&all);
	CPU_SET(team_pu(single, 0), &all);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof all, &all);
	assert_int_equal(pthread_create(&thread, &attr, spin, &over), 0);
	sample_with(&o, &k, EVEN, single, 1, &settings);
	store(&over, true, relaxed);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	assert_true(o.foreign_ns == 0);
	assert_true(!o.disturbed || o.stolen_ns > 0 || o.line_moved);
}

static void count_alive(void *context)
{
	++*(unsigned *)context;
}

// What keeps the watchdog quiet where a sample takes longer than it waits.
static void a_long_sample_tells_that_it_is_alive(void **state)
{
	(void)state;
	struct trial_settings s = {.window_ns = 2200000000, .warm_up_ns = 1, .retries = 0};
	unsigned alive = 0;
	struct input input = {0};
	struct trial t = {.settings = &s,
		.kernel = &throughput,
		.variant = &variants[EVEN],
		.input = &input,
		.workers = 1,
		.team = single,
		.probe = probe,
		.alive = count_alive,
		.context = &alive};
	struct observation o = {.worker = records};
	struct error e;
	assert_int_equal(trial_run_under_test(&t, &o, &e), 0);
	assert_true(alive >= 1);
}

#define TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_team_that_starts_late_is_noticed_and_measured_again),
		TEST(a_worker_that_starts_late_is_rated_from_the_common_start),
		TEST(a_sample_late_once_is_replaced_by_a_better_one),
		TEST(an_honest_team_starts_together),
		TEST(the_rate_of_uneven_workers_is_the_sum_of_their_rates),
		TEST(what_workers_did_is_all_counted),
		TEST(merging_is_part_of_the_measured_time),
		TEST(a_makespan_lasts_until_the_last_worker_is_done),
		TEST(lost_updates_are_reported_to_the_last_one),
		TEST(updates_that_took_effect_twice_are_reported_as_negative),
		TEST(an_unsynchronized_sample_reports_its_own_losses_only),
		TEST(a_window_grows_until_each_worker_has_a_hundred_operations),
		TEST(a_fast_kernel_keeps_its_window),
		TEST(a_warm_up_ends_though_the_rate_never_settles),
		TEST(a_warm_up_ends_early_once_the_rate_is_steady),
		TEST(a_kernel_that_cannot_be_set_up_is_an_error_with_its_name),
		TEST(workers_that_share_a_pu_are_measured_all_the_same),
		TEST(the_line_transfer_goes_with_the_sample),
		TEST(what_the_workers_counters_say_is_added_up),
		TEST(without_counters_a_sample_is_taken_all_the_same),
		TEST(of_totals_the_window_s_part_is_kept_of_levels_the_last),
		TEST(own_threads_on_a_worker_s_pu_are_no_disturbance),
		TEST(a_long_sample_tells_that_it_is_alive),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
