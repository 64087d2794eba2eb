// SPDX-License-Identifier: BSD-2-Clause
// The kernel `python` finds a program that does its work wrongly: the kernel itself, with programs
// broken on purpose in the places of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

// All test programs link the product's objects too, so this one is not collected.
#undef KERNEL
#define KERNEL(NAME, ...)                                                                          \
	static const struct kernel kernel_under_test = {.name = #NAME, __VA_ARGS__}
#include "../../kernels/python.c"

#include "placement.h"
#include "trial.h"

enum { HANG_S = 100, TEAM = 2 };

static struct machine machine;
static struct team *team;
static struct probe *probe;

static int set_up(void **state)
{
	(void)state;
	struct error e;
	if (machine_load(&machine, NULL, &e))
		return -1;
	unsigned order[machine.allowed_pus];
	placement_order(&machine, PLACEMENT_COMPACT, order);
	probe = probe_create(TEAM);
	return !probe || team_create(&team, &machine, order, machine.allowed_pus, TEAM, true, &e);
}

static int tear_down(void **state)
{
	(void)state;
	team_destroy(team);
	probe_destroy(probe);
	machine_unload(&machine);
	return 0;
}

// One sample of a strategy with a program in the place of the one it has.
static void sample(
	struct observation *o, const char *strategy, unsigned workers, const struct program_text *p)
{
	static struct worker_record records[TEAM];
	const char *values[16];
	struct input in = {.params = params, .values = values};
	struct trial_settings settings = {.window_ns = 1, .warm_up_ns = 1, .retries = 0};
	struct error e;
	size_t v = 0;
	for (size_t i = 0; params[i].name; i++)
		values[i] = strcmp(params[i].name, "work") == 0 ? "30001" : params[i].value;
	assert_int_equal(prepare(&in), 0);
	if (p)
		((struct job *)in.data)->program = p;
	while (strcmp(variants[v].strategy, strategy) != 0)
		v++;
	struct trial t = {.settings = &settings,
		.kernel = &kernel_under_test,
		.variant = &variants[v],
		.input = &in,
		.workers = workers,
		.team = team,
		.probe = probe};
	*o = (struct observation){.worker = records};
	if (trial_run(&t, o, &e))
		fail_msg("%s: %s", strategy, e.text);
	unprepare(&in);
}

static const char *const strategies[] = {
	"gil-2", "gil-3", "free-threaded-atomic", "free-threaded", "subinterpreters", "processes"};
enum { STRATEGIES = sizeof strategies / sizeof *strategies };

static void shares_add_up_to_all_the_work(void **state)
{
	(void)state;
	for (int i = 0; i < STRATEGIES; i++) {
		struct observation o;
		sample(&o, strategies[i], TEAM, NULL);
		assert_int_equal(o.lost_updates, 0);
		assert_int_equal(o.worker[0].operations, 15000);
		assert_int_equal(o.worker[1].operations, 15001);
	}
}

static void an_iteration_that_is_left_out_is_lost(void **state)
{
	(void)state;
	static const struct program_text lazy = {"lazy",
		"def work(n):\n"
		"    done = 1\n"
		"    while done < n:\n"
		"        done += 1\n"
		"    return done - 1\n",
		1, 0, 1};
	for (int i = 0; i < STRATEGIES; i++) {
		struct observation o;
		sample(&o, strategies[i], TEAM, &lazy);
		assert_int_equal(o.lost_updates, 30001);
	}
}

static void an_object_that_is_left_over_is_found(void **state)
{
	(void)state;
	static const struct program_text hoarder = {"hoarder",
		"kept = []\n"
		"def work(n):\n"
		"    kept.append(n * 1000)\n"
		"    return n\n",
		1, 0, 1};
	for (int i = 0; i < STRATEGIES; i++) {
		struct observation o;
		sample(&o, strategies[i], TEAM, &hoarder);
		assert_true(o.lost_updates > 0);
	}
}

static void a_program_that_fails_has_done_nothing(void **state)
{
	(void)state;
	static const struct program_text failing = {"failing",
		"def work(n):\n"
		"    return nowhere\n",
		1, 0, 0};
	for (int i = 0; i < STRATEGIES; i++) {
		struct observation o;
		sample(&o, strategies[i], TEAM, &failing);
		assert_int_equal(o.lost_updates, 30001);
	}
}

// The deck's loop has three instructions an iteration at which the old lock's ticker counts, and
// the lock is given way every 101 of them.
static void the_old_lock_is_released_every_101_ticks(void **state)
{
	(void)state;
	struct observation o;
	sample(&o, "gil-2", 1, NULL);
	double expected = 30001 * 3 / 101.0;
	assert_true(o.kernel_counts[0] > 0.98 * expected && o.kernel_counts[0] < 1.02 * expected);
	sample(&o, "sequential", 1, NULL);
	assert_true(o.kernel_counts[0] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_add_up_to_all_the_work),
		cmocka_unit_test(an_iteration_that_is_left_out_is_lost),
		cmocka_unit_test(an_object_that_is_left_over_is_found),
		cmocka_unit_test(a_program_that_fails_has_done_nothing),
		cmocka_unit_test(the_old_lock_is_released_every_101_ticks),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
