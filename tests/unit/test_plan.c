// SPDX-License-Identifier: BSD-2-Clause
// What is measured: the right points, each as often as asked for, in an order that is random
// and the same again for the same seed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "plan.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct machine four; // four cores of one PU each

static int load_machine(void **state)
{
	(void)state;
	struct error e;
	return machine_load(&four, "pack:1 core:4 pu:1", &e);
}

static int unload_machine(void **state)
{
	(void)state;
	machine_unload(&four);
	return 0;
}

// A plan of the points that s selects, with 3 processes of 5 samples.
static void make(struct plan *p, const struct selection *s)
{
	struct error e;
	*p = (struct plan){.processes = 3, .samples = 5, .seed = 42, .params = json_object()};
	if (plan_points(p, s, &four, &e) != 0)
		fail_msg("%s", e.text);
}

static void make_of(struct plan *p, const char *pattern, unsigned most_threads)
{
	char *patterns[] = {(char *)pattern};
	unsigned threads[] = {1, 2, 3, 4};
	struct selection s = {.patterns = patterns,
		.pattern_count = 1,
		.threads = threads,
		.thread_count = most_threads,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	make(p, &s);
}

static bool none_done(void *arg, const struct visit *v)
{
	(void)arg;
	(void)v;
	return false;
}

static bool has_point(const struct plan *p, const char *kernel, const char *strategy,
	const char *lock, unsigned threads)
{
	struct point point = {.threads = threads, .placement = "compact"};
	strcpy(point.kernel, kernel);
	strcpy(point.strategy, strategy);
	strcpy(point.lock, lock);
	return plan_find(p, &point) >= 0;
}

static size_t count_points(const struct plan *p, const char *kernel, const char *strategy)
{
	size_t count = 0;
	for (size_t i = 0; i < p->point_count; i++)
		count += strcmp(p->points[i].kernel, kernel) == 0 &&
			 strcmp(p->points[i].strategy, strategy) == 0;
	return count;
}

/* Visits. */

static void each_visit_comes_exactly_once(void **state)
{
	(void)state;
	struct plan p;
	make_of(&p, "counter", 4);
	for (unsigned process = 0; process < p.processes; process++) {
		struct visit *v;
		size_t count = plan_visits(&p, process, none_done, NULL, &v);
		unsigned *times = calloc(p.point_count * p.samples, sizeof *times);
		assert_int_equal(count, p.point_count * p.samples);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(v[i].process, process);
			assert_true(v[i].point < p.point_count && v[i].sample < p.samples);
			times[v[i].point * p.samples + v[i].sample]++;
		}
		for (size_t i = 0; i < count; i++)
			assert_int_equal(times[i], 1);
		free(times);
		free(v);
	}
	plan_free(&p);
}

static void each_round_holds_each_point_once(void **state)
{
	(void)state;
	struct plan p;
	struct visit *v;
	make_of(&p, "counter", 4);
	size_t count = plan_visits(&p, 0, none_done, NULL, &v);
	assert_int_equal(count, p.point_count * p.samples);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(v[i].sample, i / p.point_count);
	free(v);
	plan_free(&p);
}

static bool same_order(
	const struct plan *a, unsigned a_process, const struct plan *b, unsigned b_process)
{
	struct visit *v, *w;
	size_t n = plan_visits(a, a_process, none_done, NULL, &v);
	bool same = n == plan_visits(b, b_process, none_done, NULL, &w);
	for (size_t i = 0; i < n && same; i++)
		same = v[i].point == w[i].point && v[i].sample == w[i].sample;
	free(v);
	free(w);
	return same;
}

static void the_seed_alone_decides_the_order(void **state)
{
	(void)state;
	struct plan p, q;
	make_of(&p, "counter", 4);
	make_of(&q, "counter", 4);
	assert_true(same_order(&p, 0, &q, 0));
	assert_true(same_order(&p, 2, &q, 2));
	assert_false(same_order(&p, 0, &p, 1)); /* processes differ */
	q.seed = 43;
	assert_false(same_order(&p, 0, &q, 0));
	plan_free(&p);
	plan_free(&q);
}

// If every process went through the points as they are listed, drift would hit the last ones.
static void rounds_differ_in_order(void **state)
{
	(void)state;
	struct plan p;
	struct visit *v;
	make_of(&p, "counter", 4);
	plan_visits(&p, 0, none_done, NULL, &v);
	unsigned same = 0, listed = 0;
	for (size_t i = 0; i < p.point_count; i++) {
		same += v[i].point == v[p.point_count + i].point;
		listed += v[i].point == i;
	}
	assert_true(same < p.point_count / 2);
	assert_true(listed < p.point_count / 2);
	free(v);
	plan_free(&p);
}

// Even numbers of samples are there; and so is every sample of point 3.
static bool some_done(void *arg, const struct visit *v)
{
	unsigned *asked = arg;
	++*asked;
	return v->sample % 2 == 0 || v->point == 3;
}

static void what_is_done_is_left_out_and_the_rest_keeps_its_order(void **state)
{
	(void)state;
	struct plan p;
	struct visit *all, *rest;
	unsigned asked = 0;
	make_of(&p, "counter", 4);
	size_t total = plan_visits(&p, 1, none_done, NULL, &all);
	size_t left = plan_visits(&p, 1, some_done, &asked, &rest), at = 0;
	assert_int_equal(asked, total);
	for (size_t i = 0; i < total; i++)
		if (!some_done(&asked, &all[i])) {
			assert_true(at < left);
			assert_memory_equal(&all[i], &rest[at], sizeof *all);
			at++;
		}
	assert_int_equal(at, left);
	assert_int_equal(left, (p.point_count - 1) * 2);
	free(all);
	free(rest);
	plan_free(&p);
}

static void failed_and_settled_points_are_left_out(void **state)
{
	(void)state;
	struct plan p;
	struct visit *v;
	make_of(&p, "counter", 4);
	p.failed[1] = true;
	p.settled[2] = true;
	size_t count = plan_visits(&p, 0, none_done, NULL, &v);
	assert_int_equal(count, (p.point_count - 2) * p.samples);
	for (size_t i = 0; i < count; i++)
		assert_true(v[i].point != 1 && v[i].point != 2);
	free(v);
	plan_free(&p);
}

static void a_limit_gives_each_point_exactly_that_many_samples(void **state)
{
	(void)state;
	struct plan p;
	make_of(&p, "counter/lock-free", 2);
	for (p.limit = 1; p.limit <= 15; p.limit++) {
		unsigned *times = calloc(p.point_count, sizeof *times);
		unsigned of_process[3] = {0};
		for (unsigned process = 0; process < p.processes; process++) {
			struct visit *v;
			size_t count = plan_visits(&p, process, none_done, NULL, &v);
			of_process[process] = (unsigned)count;
			for (size_t i = 0; i < count; i++)
				times[v[i].point]++;
			free(v);
		}
		for (size_t i = 0; i < p.point_count; i++)
			assert_int_equal(times[i], p.limit);
		/* spread over the processes, not heaped upon the first */
		assert_true(of_process[0] - of_process[2] <= p.point_count);
		free(times);
	}
	plan_free(&p);
}

static void every_point_with_a_lock_has_latency_samples_where_asked_for(void **state)
{
	(void)state;
	struct plan p;
	make_of(&p, "counter", 2);
	for (int asked = 0; asked < 2; asked++) {
		unsigned(*times)[2] = calloc(p.point_count, sizeof *times);
		struct visit *v;
		p.latency = asked;
		size_t count = plan_visits(&p, 0, none_done, NULL, &v), locked = 0;
		for (size_t i = 0; i < count; i++)
			times[v[i].point][v[i].latency]++;
		for (size_t i = 0; i < p.point_count; i++) {
			bool expected = asked && *p.points[i].lock;
			locked += expected;
			assert_int_equal(times[i][0], p.samples);
			assert_int_equal(times[i][1], expected ? p.samples : 0);
		}
		assert_int_equal(plan_latency_points(&p), locked);
		assert_int_equal(locked > 0, asked);
		free(v);
		free(times);
	}
	plan_free(&p);
}

// What is there already is told apart by kind too.
static bool latency_done(void *arg, const struct visit *v)
{
	(void)arg;
	return v->latency;
}

static void latency_samples_that_are_there_are_not_taken_again(void **state)
{
	(void)state;
	struct plan p;
	struct visit *v;
	make_of(&p, "counter/global-lock/mcs", 2);
	p.latency = true;
	size_t count = plan_visits(&p, 0, latency_done, NULL, &v);
	assert_int_equal(count, p.point_count * p.samples);
	free(v);
	plan_free(&p);
}

/* Points. */

static void control_and_sequential_are_always_there(void **state)
{
	(void)state;
	static const char *const patterns[] = {"counter/lock-free", "counter/global-lock/mcs",
		"*/global-lock/mutex", "histogram", "control"};
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct plan p;
		make_of(&p, patterns[i], 4);
		assert_true(has_point(&p, "control", "sequential", "", 1));
		for (unsigned threads = 1; threads <= 4; threads++)
			assert_true(has_point(&p, "control", "private", "", threads));
		for (size_t k = 0; k < p.point_count; k++) {
			assert_true(has_point(&p, p.points[k].kernel, "sequential", "", 1));
			if (strcmp(p.points[k].strategy, "sequential") == 0)
				assert_int_equal(p.points[k].threads, 1);
		}
		plan_free(&p);
	}
}

static void no_point_is_there_twice(void **state)
{
	(void)state;
	struct plan p;
	char *patterns[] = {"counter", "counter/lock-free", "*/lock-free", "control", "counter"};
	struct selection s = {.patterns = patterns,
		.pattern_count = COUNT(patterns),
		.placements = {PLACEMENT_COMPACT, PLACEMENT_SPREAD},
		.placement_count = 2};
	make(&p, &s);
	for (size_t i = 0; i < p.point_count; i++)
		assert_int_equal(plan_find(&p, &p.points[i]), i);
	plan_free(&p);
}

static void a_pattern_chooses_what_it_names_and_no_more(void **state)
{
	(void)state;
	struct plan p;
	make_of(&p, "counter/global-lock/mcs", 4);
	assert_int_equal(count_points(&p, "counter", "global-lock"), 4);
	assert_true(has_point(&p, "counter", "global-lock", "mcs", 4));
	assert_int_equal(count_points(&p, "counter", "lock-free"), 0);
	assert_int_equal(p.point_count, 4 + 1 + 4 + 1);
	plan_free(&p);

	make_of(&p, "bank", 1);
	assert_int_equal(count_points(&p, "counter", "sequential"), 0);
	assert_int_equal(count_points(&p, "bank", "sequential"), 1);
	assert_int_equal(count_points(&p, "bank", "lock-free"), 1);
	assert_true(count_points(&p, "bank", "fine-lock") >= 2);
	plan_free(&p);

	make_of(&p, "*/fine-lock/ttas", 1);
	assert_int_equal(count_points(&p, "bank", "fine-lock"), 1);
	assert_int_equal(count_points(&p, "histogram", "fine-lock"), 1);
	assert_int_equal(count_points(&p, "counter", "sequential"), 0);
	plan_free(&p);
}

static void all_locks_stand_for_everything_but_extra_kernels(void **state)
{
	(void)state;
	struct plan p;
	unsigned one = 1;
	struct selection s = {.threads = &one,
		.thread_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1,
		.all_locks = true};
	make(&p, &s);
	size_t kernels, variants = 0;
	const struct kernel *const *k = catalog_kernels(&kernels);
	for (size_t i = 0; i < kernels; i++)
		variants += k[i]->extra ? 0 : k[i]->variant_count;
	assert_int_equal(p.point_count, variants);
	plan_free(&p);
}

static bool is_standard(const struct kernel *k, const struct variant *v)
{
	bool rw = v->lock && v->lock->family == LOCK_READER_WRITER;
	char all[128], one[64];
	snprintf(all, sizeof all, " %s ", k->locks ? k->locks : "");
	snprintf(one, sizeof one, " %s ", v->lock ? v->lock->name : "-");
	bool chosen = v->lock && (k->locks ? strstr(all, one) != NULL
					   : v->lock->standard && (!rw || k->reads));
	return !k->extra && (!v->lock || chosen);
}

static void without_names_the_standard_locks_are_measured_or_the_kernel_s_own_and_all_else(
	void **state)
{
	(void)state;
	struct plan p;
	unsigned one = 1;
	size_t kernels;
	const struct kernel *const *k = catalog_kernels(&kernels);
	struct selection s = {.threads = &one,
		.thread_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	make(&p, &s);
	for (size_t i = 0; i < kernels; i++)
		for (size_t j = 0; j < k[i]->variant_count; j++) {
			const struct variant *v = &k[i]->variants[j];
			assert_int_equal(has_point(&p, k[i]->name, v->strategy,
						 v->lock ? v->lock->name : "", 1),
				is_standard(k[i], v));
		}
	plan_free(&p);
}

static void with_strategies_every_lock_is_measured(void **state)
{
	(void)state;
	struct plan p;
	unsigned one = 1;
	char *strategies[] = {"global-lock"};
	struct selection s = {.threads = &one,
		.thread_count = 1,
		.strategies = strategies,
		.strategy_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	make(&p, &s);
	assert_true(has_point(&p, "counter", "global-lock", "tas", 1));
	assert_true(has_point(&p, "counter", "global-lock", "spin", 1));
	plan_free(&p);
}

static void an_extra_kernel_is_measured_only_where_it_is_named(void **state)
{
	(void)state;
	struct plan p;
	assert_true(catalog_kernel("contention")->extra);
	make_of(&p, "*/private", 1);
	assert_int_equal(count_points(&p, "contention", "private"), 1);
	plan_free(&p);
	unsigned one = 1;
	struct selection s = {.threads = &one,
		.thread_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	make(&p, &s);
	assert_int_equal(count_points(&p, "contention", "private"), 0);
	assert_int_equal(count_points(&p, "contention", "sequential"), 0);
	plan_free(&p);
}

/* Instances: a kernel under several settings. */

#define SHORT_ONE "contention@cs=1,work=2,lines=0"
#define LONG_ONE "contention@cs=100,work=400,lines=64"

static void make_instances(struct plan *p, const char *pattern)
{
	char instances[][NAME_LEN] = {SHORT_ONE, LONG_ONE};
	char *patterns[] = {(char *)pattern};
	unsigned threads[] = {1, 2};
	struct selection s = {.patterns = patterns,
		.pattern_count = 1,
		.threads = threads,
		.thread_count = 2,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1,
		.instances = instances,
		.instance_count = 2};
	make(p, &s);
}

static void each_instance_has_all_variants_and_a_baseline_of_its_own(void **state)
{
	(void)state;
	struct plan p;
	make_instances(&p, "contention");
	static const char *const names[] = {SHORT_ONE, LONG_ONE};
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(count_points(&p, names[i], "sequential"), 1);
		assert_int_equal(count_points(&p, names[i], "private"), 2);
		assert_true(has_point(&p, names[i], "global-lock", "mcs", 2));
	}
	assert_int_equal(count_points(&p, "contention", "sequential"), 0);
	assert_int_equal(count_points(&p, "control", "private"), 2);
	plan_free(&p);
}

static void a_pattern_names_all_instances_or_one(void **state)
{
	(void)state;
	struct plan p;
	make_instances(&p, "contention/global-lock/mcs");
	assert_int_equal(count_points(&p, SHORT_ONE, "global-lock"), 2);
	assert_int_equal(count_points(&p, LONG_ONE, "global-lock"), 2);
	assert_int_equal(count_points(&p, LONG_ONE, "private"), 0);
	plan_free(&p);

	make_instances(&p, "contention@cs=100*/private");
	assert_int_equal(count_points(&p, LONG_ONE, "private"), 2);
	assert_int_equal(count_points(&p, LONG_ONE, "sequential"), 1);
	assert_int_equal(count_points(&p, SHORT_ONE, "sequential"), 0);
	plan_free(&p);
}

static void a_kernel_is_found_under_a_setting_of_its_parameters(void **state)
{
	(void)state;
	const struct kernel *k = catalog_kernel("contention");
	assert_non_null(k);
	assert_ptr_equal(catalog_kernel("contention@cs=1,work=2"), k);
	assert_ptr_equal(catalog_kernel("contention@lines=64"), k);
	assert_ptr_equal(catalog_kernel("bank@theta=0.5"), catalog_kernel("bank"));
	static const char *const bad[] = {"contention@", "contention@cs",
		"contention@cs=", "contention@cs=1,", "contention@cs=1,colour=red",
		"contention@c=1", "contention@=1", "counter@cs=1", "conten", "contentions", "@cs=1",
		""};
	for (size_t i = 0; i < COUNT(bad); i++)
		if (catalog_kernel(bad[i]))
			fail_msg("'%s' was found", bad[i]);
}

static void a_setting_says_what_it_sets(void **state)
{
	(void)state;
	char value[NAME_LEN] = "";
	assert_true(catalog_setting(LONG_ONE, "cs", value, sizeof value));
	assert_string_equal(value, "100");
	assert_true(catalog_setting(LONG_ONE, "work", value, sizeof value));
	assert_string_equal(value, "400");
	assert_true(catalog_setting(LONG_ONE, "lines", value, sizeof value));
	assert_string_equal(value, "64");
	assert_false(catalog_setting("contention@cs=1", "work", value, sizeof value));
	assert_false(catalog_setting("contention@cs=1", "s", value, sizeof value));
	assert_false(catalog_setting("contention", "cs", value, sizeof value));
}

static void locks_and_strategies_narrow_the_choice(void **state)
{
	(void)state;
	struct plan p;
	unsigned two = 2;
	char *locks[] = {"mcs", "mutex"}, *strategies[] = {"global-lock", "lock-free"};
	struct selection s = {.locks = locks,
		.lock_count = 2,
		.strategies = strategies,
		.strategy_count = 2,
		.threads = &two,
		.thread_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	make(&p, &s);
	for (size_t i = 0; i < p.point_count; i++) {
		const struct point *point = &p.points[i];
		bool asked = strcmp(point->strategy, "global-lock") == 0 ||
			     strcmp(point->strategy, "lock-free") == 0;
		assert_true(asked || strcmp(point->strategy, "sequential") == 0 ||
			    strcmp(point->kernel, "control") == 0);
		assert_true(!*point->lock || strcmp(point->lock, "mcs") == 0 ||
			    strcmp(point->lock, "mutex") == 0);
	}
	assert_true(has_point(&p, "counter", "global-lock", "mcs", 2));
	assert_true(has_point(&p, "bank", "global-lock", "mutex", 2));
	assert_true(has_point(&p, "histogram", "lock-free", "", 2));
	plan_free(&p);
}

static void the_default_counts_are_those_of_the_placement(void **state)
{
	(void)state;
	struct plan p;
	char *patterns[] = {"counter/lock-free"};
	struct selection s = {.patterns = patterns,
		.pattern_count = 1,
		.placements = {PLACEMENT_SPREAD},
		.placement_count = 1};
	unsigned counts[64];
	size_t count = placement_counts(&four, PLACEMENT_SPREAD, counts, 64);
	make(&p, &s);
	assert_int_equal(count_points(&p, "counter", "lock-free"), count);
	for (size_t i = 0; i < p.point_count; i++)
		assert_string_equal(p.points[i].placement, "spread");
	plan_free(&p);
}

static void oversubscribed_counts_go_on_to_four_a_pu(void **state)
{
	(void)state;
	struct plan p;
	char *patterns[] = {"counter/lock-free"};
	struct selection s = {.patterns = patterns,
		.pattern_count = 1,
		.oversubscribe = true,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	make(&p, &s);
	assert_true(has_point(&p, "counter", "lock-free", "", 8));
	assert_true(has_point(&p, "counter", "lock-free", "", 16));
	plan_free(&p);
	s.oversubscribe = false;
	make(&p, &s);
	assert_false(has_point(&p, "counter", "lock-free", "", 8));
	plan_free(&p);
}

static void refused(const struct selection *s, int code, const char *names)
{
	struct plan p = {.params = json_object()};
	struct error e = {0};
	assert_int_equal(plan_points(&p, s, &four, &e), code);
	if (!strstr(e.text, names))
		fail_msg("'%s' does not name %s", e.text, names);
	plan_free(&p);
}

static void more_workers_than_pus_must_be_asked_for(void **state)
{
	(void)state;
	struct plan p;
	unsigned threads[] = {4, 5};
	char *patterns[] = {"counter/lock-free"};
	struct selection s = {.patterns = patterns,
		.pattern_count = 1,
		.threads = threads,
		.thread_count = 2,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	refused(&s, -EINVAL, "--threads 5");
	refused(&s, -EINVAL, "1 to 4");
	refused(&s, -EINVAL, "--oversubscribe");
	s.oversubscribe = true;
	make(&p, &s);
	assert_true(has_point(&p, "counter", "lock-free", "", 5));
	plan_free(&p);
	s.oversubscribe = false;
	s.thread_count = 1; /* all PUs are not too many */
	make(&p, &s);
	plan_free(&p);
}

static void an_unknown_pattern_is_named(void **state)
{
	(void)state;
	/* beside one that matches, too */
	char *patterns[] = {"counter", "conter/lock-free"};
	struct selection s = {.patterns = patterns,
		.pattern_count = 2,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	refused(&s, -ENOENT, "conter/lock-free");
	refused(&s, -ENOENT, "KERNEL/STRATEGY");
	patterns[1] = "";
	refused(&s, -ENOENT, "''");
	patterns[1] = "counter/global-lock/mcs/more";
	refused(&s, -ENOENT, "mcs/more");
	/* patterns and locks that exclude each other */
	char *locks[] = {"mcs"}, *other[] = {"counter/global-lock/mutex"};
	s = (struct selection){.patterns = other,
		.pattern_count = 1,
		.locks = locks,
		.lock_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	refused(&s, -ENOENT, "counter/global-lock/mutex");
}

/* JSON. */

static void a_plan_survives_the_way_through_json(void **state)
{
	(void)state;
	struct plan p, q;
	struct error e;
	make_of(&p, "*/global-lock", 4);
	p.limit = 7;
	p.seed = 9007199254740991u;
	p.window_ns = 60000000000u;
	p.warm_up_ns = 1000000000u;
	p.retries = 3;
	p.latency = true;
	json_object_set_new(p.params, "bank.accounts", json_string("2"));
	p.plugins = json_pack("[s]", "/somewhere/mine.so");
	p.preload = json_string("/somewhere/else.so");
	json_t *json = plan_to_json(&p);
	char *text = json_dumps(json, 0);
	json_decref(json);
	json = json_loads(text, 0, NULL);
	if (plan_from_json(&q, json, &e) != 0)
		fail_msg("%s", e.text);
	json_decref(json); /* the plan keeps what it needs */
	free(text);
	assert_int_equal(q.point_count, p.point_count);
	for (size_t i = 0; i < p.point_count; i++)
		assert_true(same_point(&p.points[i], &q.points[i]));
	assert_int_equal(q.processes, p.processes);
	assert_int_equal(q.samples, p.samples);
	assert_int_equal(q.limit, p.limit);
	assert_true(q.seed == p.seed && q.window_ns == p.window_ns);
	assert_true(q.warm_up_ns == p.warm_up_ns && q.retries == p.retries);
	assert_true(q.latency);
	assert_true(json_equal(q.params, p.params));
	assert_true(json_equal(q.plugins, p.plugins) && json_equal(q.preload, p.preload));
	assert_true(same_order(&p, 1, &q, 1));
	plan_free(&p);
	plan_free(&q);
}

static void a_damaged_plan_is_refused(void **state)
{
	(void)state;
	static const char *const text[] = {"{}", "[]", "{\"points\": 5}",
		"{\"points\":[{\"kernel\":\"counter\"}],\"processes\":3,\"limit\":0,\"samples\":5,"
		"\"seed\":1,\"window_ns\":1,\"warm_up_ns\":1,\"retries\":1,\"params\":{}}",
		"{\"points\":[{\"kernel\":\"counter\",\"strategy\":\"private\",\"lock\":\"\","
		"\"placement\":\"compact\",\"threads\":0}],\"processes\":3,\"limit\":0,\"samples\":"
		"5,"
		"\"seed\":1,\"window_ns\":1,\"warm_up_ns\":1,\"retries\":1,\"params\":{}}",
		"{\"points\":[],\"processes\":3,\"limit\":0,\"samples\":5,\"seed\":1,"
		"\"window_ns\":1,\"warm_up_ns\":1,\"retries\":1,\"params\":{},\"plugins\":[5]}",
		"{\"points\":[],\"processes\":3,\"limit\":0,\"samples\":5,\"seed\":1,"
		"\"window_ns\":1,\"warm_up_ns\":1,\"retries\":1,\"params\":{},\"preload\":5}"};
	for (size_t i = 0; i < COUNT(text); i++) {
		struct plan p = {0};
		struct error e = {0};
		json_t *json = json_loads(text[i], 0, NULL);
		assert_int_equal(plan_from_json(&p, json, &e), -EINVAL);
		assert_true(*e.text);
		plan_free(&p);
		json_decref(json);
	}
	struct error e;
	struct plan p = {0};
	assert_int_equal(plan_from_json(&p, NULL, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_visit_comes_exactly_once),
		cmocka_unit_test(each_round_holds_each_point_once),
		cmocka_unit_test(the_seed_alone_decides_the_order),
		cmocka_unit_test(rounds_differ_in_order),
		cmocka_unit_test(what_is_done_is_left_out_and_the_rest_keeps_its_order),
		cmocka_unit_test(failed_and_settled_points_are_left_out),
		cmocka_unit_test(a_limit_gives_each_point_exactly_that_many_samples),
		cmocka_unit_test(control_and_sequential_are_always_there),
		cmocka_unit_test(no_point_is_there_twice),
		cmocka_unit_test(a_pattern_chooses_what_it_names_and_no_more),
		cmocka_unit_test(all_locks_stand_for_everything_but_extra_kernels),
		cmocka_unit_test(
			without_names_the_standard_locks_are_measured_or_the_kernel_s_own_and_all_else),
		cmocka_unit_test(with_strategies_every_lock_is_measured),
		cmocka_unit_test(an_extra_kernel_is_measured_only_where_it_is_named),
		cmocka_unit_test(each_instance_has_all_variants_and_a_baseline_of_its_own),
		cmocka_unit_test(a_pattern_names_all_instances_or_one),
		cmocka_unit_test(a_kernel_is_found_under_a_setting_of_its_parameters),
		cmocka_unit_test(a_setting_says_what_it_sets),
		cmocka_unit_test(locks_and_strategies_narrow_the_choice),
		cmocka_unit_test(the_default_counts_are_those_of_the_placement),
		cmocka_unit_test(oversubscribed_counts_go_on_to_four_a_pu),
		cmocka_unit_test(more_workers_than_pus_must_be_asked_for),
		cmocka_unit_test(an_unknown_pattern_is_named),
		cmocka_unit_test(every_point_with_a_lock_has_latency_samples_where_asked_for),
		cmocka_unit_test(latency_samples_that_are_there_are_not_taken_again),
		cmocka_unit_test(a_plan_survives_the_way_through_json),
		cmocka_unit_test(a_damaged_plan_is_refused),
	};
	return cmocka_run_group_tests(tests, load_machine, unload_machine);
}
