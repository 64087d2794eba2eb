// SPDX-License-Identifier: BSD-2-Clause
// The lock that measures another one: it is that lock, and each acquisition is one record.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "latency.h"
#include "placement.h"
#include "trial.h"

enum { HANG_S = 100, WORKERS = 2, SLEEP_NS = 2000000 };

static struct latency_clock the_clock;
static struct latency_log *logs;
static struct lock_node node[2];

/* A lock that notes what is asked of it. */

static struct notes {
	unsigned acquires, tries, releases, executes, sections, safepoints;
	unsigned read_acquires, read_tries, read_releases;
	void *lock;
	struct lock_node *node;
	uint64_t sleep_ns;
	bool answer;
} notes;

static void note(unsigned *count, void *lock, struct lock_node *n)
{
	++*count;
	notes.lock = lock;
	notes.node = n;
}

static void noted_acquire(void *lock, struct lock_node *n)
{
	struct timespec t = {.tv_nsec = (long)notes.sleep_ns};
	note(&notes.acquires, lock, n);
	if (notes.sleep_ns)
		nanosleep(&t, NULL);
}

static bool noted_try(void *lock, struct lock_node *n)
{
	note(&notes.tries, lock, n);
	return notes.answer;
}

static void noted_release(void *lock, struct lock_node *n)
{
	note(&notes.releases, lock, n);
}

static void noted_read_acquire(void *lock, struct lock_node *n)
{
	note(&notes.read_acquires, lock, n);
}

static bool noted_read_try(void *lock, struct lock_node *n)
{
	note(&notes.read_tries, lock, n);
	return notes.answer;
}

static bool noted_read_release(void *lock, struct lock_node *n)
{
	note(&notes.read_releases, lock, n);
	return notes.answer;
}

static void noted_execute(void *lock, struct lock_node *n, void (*section)(void *, void *),
	void *state, void *argument)
{
	note(&notes.executes, lock, n);
	section(state, argument);
}

static void noted_safepoint(void *lock, struct lock_node *n)
{
	note(&notes.safepoints, lock, n);
}

static const struct lock_class noted = {.name = "noted",
	.size = 96,
	.fifo = true,
	.acquire = noted_acquire,
	.try_acquire = noted_try,
	.release = noted_release,
	.read_acquire = noted_read_acquire,
	.read_try_acquire = noted_read_try,
	.read_release = noted_read_release,
	.execute = noted_execute,
	.safepoint = noted_safepoint};

static void count_section(void *state, void *argument)
{
	assert_ptr_equal(state, &notes);
	assert_ptr_equal(argument, &noted);
	notes.sections++;
}

static int start(void **state)
{
	(void)state;
	memset(&notes, 0, sizeof notes);
	memset(node, 0, sizeof node);
	latency_attach(&logs[0], &noted, &the_clock, node);
	return 0;
}

static uint64_t records(void)
{
	return logs[0].histogram.count;
}

static void each_verb_is_the_real_lock_s(void **state)
{
	(void)state;
	struct lock_class m = latency_class(&noted);
	int lock;
	m.acquire(&lock, &node[0]);
	m.release(&lock, &node[0]);
	m.safepoint(&lock, &node[0]);
	m.read_acquire(&lock, &node[1]);
	assert_ptr_equal(notes.lock, &lock);
	assert_ptr_equal(notes.node, &node[1]);
	for (int i = 0; i < 2; i++) {
		notes.answer = i == 1;
		assert_int_equal(m.try_acquire(&lock, &node[0]), i);
		assert_int_equal(m.read_try_acquire(&lock, &node[0]), i);
		assert_int_equal(m.read_release(&lock, &node[0]), i);
	}
	m.execute(&lock, &node[0], count_section, &notes, (void *)&noted);
	struct notes expected = {1, 2, 1, 1, 1, 1, 1, 2, 2, &lock, &node[0], 0, true};
	assert_memory_equal(&notes, &expected,
		offsetof(struct notes, read_releases) + sizeof notes.read_releases);
	assert_string_equal(m.name, noted.name);
	assert_int_equal(m.size, noted.size);
	assert_true(m.fifo);
}

static void verbs_that_a_lock_lacks_its_measured_twin_lacks(void **state)
{
	(void)state;
	struct lock_class bare = {
		.acquire = noted_acquire, .try_acquire = noted_try, .release = noted_release};
	struct lock_class m = latency_class(&bare);
	assert_null(m.read_acquire);
	assert_null(m.read_try_acquire);
	assert_null(m.read_release);
	assert_null(m.execute);
	assert_null(m.safepoint);
	assert_null(m.retire);
}

static void one_acquisition_is_one_record(void **state)
{
	(void)state;
	struct lock_class m = latency_class(&noted);
	m.acquire(NULL, &node[0]);
	assert_int_equal(records(), 0); /* not while the lock is held */
	m.release(NULL, &node[0]);
	assert_int_equal(records(), 1);
	m.read_acquire(NULL, &node[0]);
	m.read_release(NULL, &node[0]);
	assert_int_equal(records(), 2);
	m.execute(NULL, &node[0], count_section, &notes, (void *)&noted);
	assert_int_equal(records(), 3);
	notes.answer = true;
	m.try_acquire(NULL, &node[0]);
	m.release(NULL, &node[0]);
	m.safepoint(NULL, &node[0]);
	assert_int_equal(records(), 3); /* a try does not wait */
	latency_reset(&logs[0]);
	assert_int_equal(records(), 0);
}

static void two_locks_at_once_and_one_twice_lose_no_record(void **state)
{
	(void)state;
	struct lock_class m = latency_class(&noted);
	m.acquire(NULL, &node[0]);
	m.acquire(NULL, &node[1]);
	m.release(NULL, &node[0]);
	m.release(NULL, &node[1]);
	assert_int_equal(records(), 2);
	m.acquire(NULL, &node[0]); /* reentrant */
	m.acquire(NULL, &node[0]);
	m.release(NULL, &node[0]);
	m.release(NULL, &node[0]);
	assert_int_equal(records(), 4);
}

static void the_time_recorded_is_the_wait(void **state)
{
	(void)state;
	struct lock_class m = latency_class(&noted);
	notes.sleep_ns = SLEEP_NS;
	uint64_t before = clock_ns();
	m.acquire(NULL, &node[0]);
	uint64_t waited = clock_ns() - before;
	struct timespec held = {.tv_nsec = 20 * SLEEP_NS};
	nanosleep(&held, NULL); /* the time it is held does not count */
	m.release(NULL, &node[0]);
	/* the clocks may differ by what calibration cannot see, far below a hundredth */
	assert_true(logs[0].histogram.max >= SLEEP_NS * 99 / 100);
	assert_true(logs[0].histogram.max <= waited + waited / 100);
}

static void the_clock_knows_its_own_cost(void **state)
{
	(void)state;
	assert_true(the_clock.cost_ns > 0);
	assert_non_null(latency_clock_name(&the_clock));
	struct lock_class m = latency_class(&noted);
	for (int i = 0; i < 1000; i++) {
		m.acquire(NULL, &node[0]);
		m.release(NULL, &node[0]);
	}
	/* nothing is subtracted: a free lock takes as long as the clock, at the least */
	assert_true((double)histogram_percentile(&logs[0].histogram, 0.5) + 1 >=
		    0.5 * the_clock.cost_ns);
}

static void both_clocks_measure_the_same_time(void **state)
{
	(void)state;
	struct latency_clock plain = {0};
	struct latency_log *log = &logs[1];
	uint64_t of[2];
	for (int i = 0; i < 2; i++) {
		struct lock_node n[2] = {0};
		latency_attach(log, &noted, i ? &plain : &the_clock, n);
		struct lock_class m = latency_class(&noted);
		uint64_t least = UINT64_MAX;
		notes.sleep_ns = 5 * SLEEP_NS;
		for (int j = 0; j < 5; j++) { /* the shortest of some sleeps, on a busy machine */
			latency_reset(log);
			m.acquire(NULL, &n[0]);
			m.release(NULL, &n[0]);
			least = log->histogram.max < least ? log->histogram.max : least;
		}
		of[i] = least;
	}
	assert_true(of[0] < 2 * of[1] && of[1] < 2 * of[0]);
}

/* In a trial. */

static struct machine machine;
static struct team *team;
static struct probe *probe;
static unsigned workers;

static int set_up_all(void **state)
{
	(void)state;
	struct error e;
	static unsigned order[4096];
	latency_clock_init(&the_clock);
	logs = aligned_alloc(LINE_PAIR, WORKERS * sizeof *logs);
	if (!logs || machine_load(&machine, NULL, &e) || machine.allowed_pus > 4096)
		return -1;
	workers = machine.allowed_pus < WORKERS ? 1 : WORKERS;
	placement_order(&machine, PLACEMENT_COMPACT, order);
	probe = probe_create(workers);
	return !probe ||
	       team_create(&team, &machine, order, machine.allowed_pus, workers, true, &e) < 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	team_destroy(team);
	probe_destroy(probe);
	machine_unload(&machine);
	free(logs);
	return 0;
}

static const char *const bank_values[] = {"1024", "0.99"};

// Acquisitions of one latency sample of this variant, which must lose nothing.
static uint64_t acquisitions(const struct kernel *k, const struct variant *v, uint64_t *operations)
{
	struct trial_settings s = {.window_ns = 2000000, .warm_up_ns = 1000000, .retries = 1};
	struct worker_record done[WORKERS];
	struct observation o = {.worker = done};
	struct input input = {.params = k->params, .values = bank_values};
	struct trial t = {.settings = &s,
		.kernel = k,
		.variant = v,
		.input = &input,
		.workers = workers,
		.team = team,
		.probe = probe,
		.latency = logs,
		.clock = &the_clock};
	struct error e;
	uint64_t count = 0;
	assert_int_equal(k->prepare ? k->prepare(&input) : 0, 0);
	if (trial_run(&t, &o, &e) != 0)
		fail_msg("%s", e.text);
	if (k->unprepare)
		k->unprepare(&input);
	assert_int_equal(o.lost_updates, 0);
	*operations = 0;
	for (unsigned i = 0; i < workers; i++) {
		count += logs[i].histogram.count;
		*operations += done[i].operations;
	}
	return count;
}

static bool works(const struct variant *v)
{
	return v->lock && strncmp(v->lock->name, "twin", 4) != 0;
}

// What the warm-up acquired does not count, nor what an earlier try did.
static void a_window_s_acquisitions_are_all_recorded(void **state)
{
	(void)state;
	const struct kernel *counter = catalog_kernel("counter"), *bank = catalog_kernel("bank");
	uint64_t operations;
	for (size_t i = 0; i < counter->variant_count; i++) {
		const struct variant *v = &counter->variants[i];
		if (!works(v))
			continue;
		uint64_t count = acquisitions(counter, v, &operations);
		assert_int_equal(count, operations);
	}
	for (size_t i = 0; i < bank->variant_count; i++) {
		const struct variant *v = &bank->variants[i];
		if (!works(v) || !STRATEGY_IS(v, "fine-lock"))
			continue;
		uint64_t count = acquisitions(bank, v, &operations);
		assert_int_equal(count, 2 * operations);
	}
}

#define TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_verb_is_the_real_lock_s),
		TEST(verbs_that_a_lock_lacks_its_measured_twin_lacks),
		TEST(one_acquisition_is_one_record),
		TEST(two_locks_at_once_and_one_twice_lose_no_record),
		TEST(the_time_recorded_is_the_wait),
		TEST(the_clock_knows_its_own_cost),
		TEST(both_clocks_measure_the_same_time),
		TEST(a_window_s_acquisitions_are_all_recorded),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
