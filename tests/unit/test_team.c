// SPDX-License-Identifier: BSD-2-Clause
// The team: workers stay where they are pinned, do each job exactly once, meet at barriers that
// let nobody through early; and the probe measures, or says that it could not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "placement.h"
#include "probe.h"
#include "team.h"

// A worker that waits for ever ends the program by SIGALRM; so that is a failure.
enum { HANG_S = 100, WORKERS_MOST = 16 };

static struct machine machine;
static unsigned *order;

static int load_machine(void **state)
{
	(void)state;
	struct error e;
	int rc = machine_load(&machine, NULL, &e);
	if (rc)
		return rc;
	order = calloc(machine.allowed_pus, sizeof *order);
	placement_order(&machine, PLACEMENT_COMPACT, order);
	return 0;
}

static int unload_machine(void **state)
{
	(void)state;
	free(order);
	machine_unload(&machine);
	return 0;
}

static unsigned some(unsigned most)
{
	return machine.allowed_pus < most ? machine.allowed_pus : most;
}

static struct team *team_of(unsigned workers, unsigned pus, bool pinned)
{
	struct team *team;
	struct error e;
	if (team_create(&team, &machine, order, pus, workers, pinned, &e) != 0)
		fail_msg("%s", e.text);
	return team;
}

static void need_two_pus(void)
{
	if (machine.allowed_pus < 2) {
		print_message("needs two PUs\n");
		skip();
	}
}

// What workers write down, each in its own place.
struct notes {
	atomic_uint times[WORKERS_MOST]; // that the worker was called
	int cpu[WORKERS_MOST];
	int allowed[WORKERS_MOST]; // CPUs that the worker may use
	atomic_bool moved;
};

/* Pinning. */

static void note_cpu(void *arg, unsigned index)
{
	struct notes *n = arg;
	cpu_set_t set;
	sched_getaffinity(0, sizeof set, &set);
	n->allowed[index] = CPU_COUNT(&set);
	n->cpu[index] = sched_getcpu();
	fetch_add(&n->times[index], 1, relaxed);
	for (int i = 0; i < 50; i++) {
		sched_yield();
		if (sched_getcpu() != n->cpu[index])
			store(&n->moved, true, relaxed);
	}
}

static void workers_run_where_they_are_pinned(void **state)
{
	(void)state;
	unsigned workers = some(WORKERS_MOST);
	struct team *team = team_of(workers, machine.allowed_pus, true);
	struct notes n = {0};
	assert_true(team_pinned(team));
	for (int job = 0; job < 20; job++) {
		team_run(team, workers, note_cpu, NULL, &n);
		for (unsigned i = 0; i < workers; i++) {
			assert_int_equal(n.cpu[i], machine.pu[order[i]].os);
			assert_int_equal(n.cpu[i], team_pu(team, i));
			assert_int_equal(n.allowed[i], 1);
		}
		assert_false(load(&n.moved, relaxed));
	}
	team_destroy(team);
}

static void more_workers_than_pus_share_them_round_robin(void **state)
{
	(void)state;
	unsigned pus = some(3), workers = 2 * pus + 1;
	struct team *team = team_of(workers, pus, true);
	struct notes n = {0};
	assert_false(team_oversubscribed(team, pus));
	assert_true(team_oversubscribed(team, pus + 1));
	team_run(team, workers, note_cpu, NULL, &n);
	for (unsigned i = 0; i < workers; i++)
		assert_int_equal(n.cpu[i], machine.pu[order[i % pus]].os);
	team_destroy(team);
}

static void unpinned_workers_may_run_anywhere(void **state)
{
	(void)state;
	struct team *team = team_of(2, machine.allowed_pus, false);
	struct notes n = {0};
	assert_false(team_pinned(team));
	team_run(team, 2, note_cpu, NULL, &n);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(n.allowed[i], machine.allowed_pus);
	team_destroy(team);
}

static void a_pu_that_is_gone_is_an_error_with_a_message(void **state)
{
	(void)state;
	struct machine changed = machine;
	struct machine_pu gone = machine.pu[order[0]];
	struct team *team = NULL;
	struct error e = {0};
	unsigned first = 0;
	gone.os = 8191;
	changed.pu = &gone;
	assert_int_equal(team_create(&team, &changed, &first, 1, 2, true, &e), -EPERM);
	assert_non_null(strstr(e.text, "2 of 2 workers could not be pinned"));
	assert_null(team);
}

/* Jobs. */

static void count_call(void *arg, unsigned index)
{
	struct notes *n = arg;
	fetch_add(&n->times[index], 1, relaxed); /* relaxed: read after the job */
}

static void each_active_worker_does_each_job_once_and_others_rest(void **state)
{
	(void)state;
	enum { WORKERS = 5, JOBS = 400 };
	struct team *team = team_of(WORKERS, machine.allowed_pus, true);
	struct notes n = {0};
	unsigned expected[WORKERS] = {0};
	for (unsigned job = 0; job < JOBS; job++) {
		unsigned active = 1 + job * 7 % WORKERS;
		team_run(team, active, count_call, NULL, &n);
		for (unsigned i = 0; i < WORKERS; i++) {
			expected[i] += i < active;
			assert_int_equal(load(&n.times[i], relaxed), expected[i]);
		}
	}
	team_destroy(team);
}

// Plain memory, so that the thread sanitizer sees whether a job's results are published.
static void add_one(void *arg, unsigned index)
{
	uint64_t *sum = arg;
	sum[index * 16]++;
}

static void thousands_of_jobs_lose_no_wake_up_and_no_result(void **state)
{
	(void)state;
	enum { JOBS = 4000 };
	unsigned workers = some(2);
	struct team *team = team_of(workers, machine.allowed_pus, true);
	uint64_t sum[2 * 16] = {0};
	for (int job = 1; job <= JOBS; job++) {
		team_run(team, workers, add_one, NULL, sum);
		for (unsigned i = 0; i < workers; i++)
			assert_int_equal(sum[i * 16], job);
	}
	team_destroy(team);
}

static void teams_come_and_go(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct notes n = {0};
		struct team *team = team_of(3, machine.allowed_pus, true);
		if (i % 2)
			team_run(team, 3, count_call, NULL, &n);
		team_destroy(team);
		assert_int_equal(load(&n.times[2], relaxed), i % 2);
	}
	team_destroy(NULL);
}

/* The sleeping caller. */

struct ticking {
	atomic_uint ticks;
	pthread_t ticked_by;
};

static void wait_for_two_ticks(void *arg, unsigned index)
{
	struct ticking *t = arg;
	(void)index;
	for (int i = 0; i < 3000 && load(&t->ticks, acquire) < 2; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void tick(void *arg)
{
	struct ticking *t = arg;
	t->ticked_by = pthread_self();
	fetch_add(&t->ticks, 1, release);
}

static void the_caller_ticks_as_long_as_the_job_lasts(void **state)
{
	(void)state;
	struct team *team = team_of(2, machine.allowed_pus, true);
	struct ticking t = {0};
	team_run(team, 2, wait_for_two_ticks, tick, &t);
	unsigned ticks = load(&t.ticks, acquire);
	assert_true(ticks >= 2);
	assert_true(pthread_equal(t.ticked_by, pthread_self()));
	struct notes n = {0};
	team_run(team, 2, count_call, NULL, &n); /* no tick: none is called */
	assert_int_equal(load(&t.ticks, acquire), ticks);
	team_destroy(team);
}

static uint64_t cpu_time_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return timespec_ns(&t);
}

static void burn(void *arg, unsigned index)
{
	uint64_t *ns = arg, start = cpu_time_ns();
	(void)index;
	while (cpu_time_ns() - start < 200000000)
		;
	*ns = cpu_time_ns() - start;
}

// A coordinator that polled would take a worker's PU away.
static void the_caller_sleeps_while_workers_work(void **state)
{
	(void)state;
	struct team *team = team_of(1, machine.allowed_pus, true);
	uint64_t worked, before = cpu_time_ns();
	team_run(team, 1, burn, NULL, &worked);
	uint64_t used = cpu_time_ns() - before;
	assert_true(used < worked / 4);
	team_destroy(team);
}

/* Barriers. */

struct meeting {
	struct barrier barrier;
	unsigned workers, rounds;
	atomic_uint at[WORKERS_MOST]; // the round that each worker has reached
	atomic_uint early;            // times that one was found in an earlier round
	uint64_t plain;               // written by one worker between barriers, read by all
	atomic_uint stale;
};

static void meet(void *arg, unsigned index)
{
	struct meeting *m = arg;
	if (index == 1) /* so that a barrier that lets others through has time to do so */
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	for (unsigned round = 1; round <= m->rounds; round++) {
		store(&m->at[index], round, relaxed);
		if (index == round % m->workers)
			m->plain = round;
		barrier_wait(&m->barrier);
		for (unsigned i = 0; i < m->workers; i++)
			if (load(&m->at[i], relaxed) != round)
				fetch_add(&m->early, 1, relaxed);
		if (m->plain != round)
			fetch_add(&m->stale, 1, relaxed);
		barrier_wait(&m->barrier);
	}
}

static void hold_meeting(struct meeting *m, unsigned workers, unsigned pus, unsigned rounds)
{
	struct team *team = team_of(workers, pus, true);
	memset(m, 0, sizeof *m);
	m->workers = workers;
	m->rounds = rounds;
	barrier_init(&m->barrier, workers, team_oversubscribed(team, workers));
	team_run(team, workers, meet, NULL, m);
	team_destroy(team);
}

static void a_barrier_lets_nobody_through_early(void **state)
{
	(void)state;
	need_two_pus();
	struct meeting m;
	hold_meeting(&m, some(4), machine.allowed_pus, 20000);
	assert_int_equal(load(&m.early, relaxed), 0);
	assert_int_equal(load(&m.stale, relaxed), 0);
}

static void nor_does_it_where_workers_share_pus(void **state)
{
	(void)state;
	struct meeting m;
	for (unsigned pus = 1; pus <= some(2); pus++) {
		hold_meeting(&m, pus + 2, pus, 1000);
		assert_int_equal(load(&m.early, relaxed), 0);
		assert_int_equal(load(&m.stale, relaxed), 0);
	}
}

// Counts arrivals without looking at the plain memory, which would be a race.
static void meet_too_few(void *arg, unsigned index)
{
	struct meeting *m = arg;
	if (index == 1)
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	for (unsigned round = 1; round <= m->rounds; round++) {
		store(&m->at[index], round, relaxed);
		barrier_wait(&m->barrier);
		for (unsigned i = 0; i < m->workers; i++)
			if (load(&m->at[i], relaxed) < round)
				fetch_add(&m->early, 1, relaxed);
	}
}

// The twin of the two above: were the barrier to wait for one worker too few, they would see it.
static void a_barrier_that_waits_for_too_few_is_noticed(void **state)
{
	(void)state;
	struct meeting m = {.workers = 2, .rounds = 100};
	struct team *team = team_of(2, machine.allowed_pus, true);
	barrier_init(&m.barrier, 1, true);
	team_run(team, 2, meet_too_few, NULL, &m);
	team_destroy(team);
	assert_true(load(&m.early, relaxed) > 0);
}

/* The probe. */

struct probing {
	struct probe *probe;
	struct barrier barrier;
	unsigned workers;
};

static void probe_once(void *arg, unsigned index)
{
	struct probing *p = arg;
	barrier_wait(&p->barrier);
	probe_neighbours(p->probe, index, p->workers, &p->barrier);
	barrier_wait(&p->barrier);
}

static double line_ns(unsigned workers, unsigned pus)
{
	struct team *team = team_of(workers, pus, true);
	struct probing p = {.probe = probe_create(workers), .workers = workers};
	double ns = 0;
	barrier_init(&p.barrier, workers, team_oversubscribed(team, workers));
	/* On a busy machine a partner may be away for all of the probe's patience. */
	for (int try = 0; try < (pus < workers ? 2 : 50) && ns == 0; try++) {
		team_run(team, workers, probe_once, NULL, &p);
		ns = probe_line_ns(p.probe, workers);
	}
	probe_destroy(p.probe);
	team_destroy(team);
	return ns;
}

static void a_line_takes_time_between_two_pus(void **state)
{
	(void)state;
	need_two_pus();
	double ns = line_ns(2, 2);
	assert_true(ns > 0 && isfinite(ns));
}

static void many_neighbours_are_probed_at_once(void **state)
{
	(void)state;
	if (machine.allowed_pus < 3) {
		print_message("needs three PUs\n");
		skip();
	}
	assert_true(line_ns(some(7), machine.allowed_pus) > 0);
}

static void one_worker_alone_has_no_line_transfer(void **state)
{
	(void)state;
	assert_true(line_ns(1, machine.allowed_pus) == 0);
}

// Thousands of hand-overs by preemption would take seconds: the probe must lose its patience.
static void a_probe_on_one_pu_gives_up(void **state)
{
	(void)state;
	assert_true(line_ns(2, 1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_run_where_they_are_pinned),
		cmocka_unit_test(more_workers_than_pus_share_them_round_robin),
		cmocka_unit_test(unpinned_workers_may_run_anywhere),
		cmocka_unit_test(a_pu_that_is_gone_is_an_error_with_a_message),
		cmocka_unit_test(each_active_worker_does_each_job_once_and_others_rest),
		cmocka_unit_test(thousands_of_jobs_lose_no_wake_up_and_no_result),
		cmocka_unit_test(teams_come_and_go),
		cmocka_unit_test(the_caller_ticks_as_long_as_the_job_lasts),
		cmocka_unit_test(the_caller_sleeps_while_workers_work),
		cmocka_unit_test(a_barrier_lets_nobody_through_early),
		cmocka_unit_test(nor_does_it_where_workers_share_pus),
		cmocka_unit_test(a_barrier_that_waits_for_too_few_is_noticed),
		cmocka_unit_test(a_line_takes_time_between_two_pus),
		cmocka_unit_test(many_neighbours_are_probed_at_once),
		cmocka_unit_test(one_worker_alone_has_no_line_transfer),
		cmocka_unit_test(a_probe_on_one_pu_gives_up),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, load_machine, unload_machine);
}
