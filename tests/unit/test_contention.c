// SPDX-License-Identifier: BSD-2-Clause
// The tables of the kernel contention: each row finds its setting and what was attainable there,
// and the crossover lies where it was planted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contention_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define assert_near(a, b, within) assert_true(fabs((double)(a) - (double)(b)) <= (within))

static void plant(struct result *r, const char *kernel, const char *strategy, const char *lock,
	unsigned threads, double rate)
{
	for (unsigned i = 0; i < 3; i++) {
		r->samples = realloc(r->samples, (r->sample_count + 1) * sizeof *r->samples);
		assert_non_null(r->samples);
		struct sample *s = &r->samples[r->sample_count++];
		*s = (struct sample){.process = i, .ops_per_second = rate, .seconds = 0.1};
		s->point = (struct point){.placement = "compact", .threads = threads};
		snprintf(s->point.kernel, NAME_LEN, "%s", kernel);
		snprintf(s->point.strategy, NAME_LEN, "%s", strategy);
		snprintf(s->point.lock, NAME_LEN, "%s", lock);
	}
}

// One setting: the baseline does 100, private state twice that, the lock as planted.
static void plant_setting(struct result *r, const char *kernel, double speedup)
{
	plant(r, kernel, "sequential", "", 1, 100);
	plant(r, kernel, "private", "", 2, 200);
	plant(r, kernel, "global-lock", "mcs", 2, 100 * speedup);
}

static char *slurp(const char *dir, const char *name)
{
	char path[256], *text = calloc(1, 1 << 16);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "r");
	assert_non_null(text);
	if (f) {
		assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
		fclose(f);
	}
	unlink(path);
	return text;
}

// Writes both files and returns their texts.
static void write_tables(struct result *r, char **points, char **crossovers)
{
	char dir[] = "/tmp/test_contention.XXXXXX";
	struct table t;
	struct error e;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(table_init(&t, r, &e), 0);
	assert_int_equal(contention_write(&t, r, dir, &e), 0);
	table_fini(&t);
	*points = slurp(dir, "contention.tsv");
	*crossovers = slurp(dir, "crossover.tsv");
	assert_int_equal(rmdir(dir), 0);
	result_free(r);
}

static void every_row_has_its_setting_and_what_was_attainable(void **state)
{
	(void)state;
	struct result r = {0};
	char *points, *crossovers;
	plant_setting(&r, "contention@cs=100,work=0,lines=1", 0.5);
	plant_setting(&r, "contention@cs=20,work=400,lines=1", 1.5);
	plant(&r, "counter", "sequential", "", 1, 5);
	write_tables(&r, &points, &crossovers);
	assert_string_equal(points,
		"cs_ns\twork_ns\tlines\tlock\tstrategy\tplacement\tthreads\tops_per_second\t"
		"speedup\tspeedup_lo\tspeedup_hi\tattainable\n"
		"20\t400\t1\tmcs\tglobal-lock\tcompact\t2\t150\t1.5\t1.5\t1.5\t2\n"
		"100\t0\t1\tmcs\tglobal-lock\tcompact\t2\t50\t0.5\t0.5\t0.5\t2\n"
		"20\t400\t1\t-\tprivate\tcompact\t2\t200\t2\t2\t2\t2\n"
		"100\t0\t1\t-\tprivate\tcompact\t2\t200\t2\t2\t2\t2\n"
		"20\t400\t1\t-\tsequential\tcompact\t1\t100\t1\t1\t1\tNA\n"
		"100\t0\t1\t-\tsequential\tcompact\t1\t100\t1\t1\t1\tNA\n");
	free(points);
	free(crossovers);
}

static void the_plain_kernel_has_the_setting_that_the_run_recorded(void **state)
{
	(void)state;
	struct result r = {0};
	char *points, *crossovers;
	struct result_param params[] = {
		{"contention.cs", "7"}, {"contention.work", "8"}, {"bank.lines", "9"}};
	plant(&r, "contention", "global-lock", "mcs", 1, 50);
	r.params = malloc(sizeof params);
	assert_non_null(r.params);
	memcpy(r.params, params, sizeof params);
	r.param_count = COUNT(params);
	write_tables(&r, &points, &crossovers);
	assert_non_null(strstr(points, "\n7\t8\tNA\tmcs\tglobal-lock\tcompact\t1\t50\tNA\t"));
	assert_non_null(strstr(crossovers, "\nmcs\tcompact\t1\tNA\t7\tNA\n"));
	free(points);
	free(crossovers);
}

static void without_the_kernel_there_are_no_tables(void **state)
{
	(void)state;
	struct result r = {0};
	char *points, *crossovers;
	plant(&r, "counter", "sequential", "", 1, 5);
	plant(&r, "contentions", "sequential", "", 1, 5);
	write_tables(&r, &points, &crossovers);
	assert_string_equal(points, "");
	assert_string_equal(crossovers, "");
	free(points);
	free(crossovers);
}

static void failed_points_are_left_out(void **state)
{
	(void)state;
	struct result r = {0};
	char *points, *crossovers;
	plant_setting(&r, "contention@cs=1,work=2,lines=3", 1);
	for (size_t i = 0; i < r.sample_count; i++)
		r.samples[i].lost_updates = r.samples[i].point.lock[0] != '\0';
	write_tables(&r, &points, &crossovers);
	assert_null(strstr(points, "mcs"));
	assert_non_null(strstr(points, "private"));
	assert_null(strstr(crossovers, "mcs"));
	free(points);
	free(crossovers);
}

/* Crossovers of planted curves: attainable is 1, so that a speedup is what is reached. */

static double crossover(const double (*curve)[2], size_t count)
{
	struct row rows[8] = {0};
	struct contention_point points[8];
	for (size_t i = 0; i < count; i++) {
		rows[i].speedup = curve[i][1];
		points[i] = (struct contention_point){
			.work_ns = curve[i][0], .row = &rows[i], .attainable = 1};
	}
	return contention_crossover(points, count);
}

static void a_crossover_lies_between_the_points_around_it(void **state)
{
	(void)state;
	/* half way up from 0.8 to 1.0: half way on a logarithmic axis */
	const double curve[][2] = {{0, 0.1}, {99, 0.8}, {9999, 1}, {20000, 1}};
	assert_near(crossover(curve, COUNT(curve)), sqrt(100 * 10000.0) - 1, 1e-6);
	const double from_nothing[][2] = {{0, 0.8}, {99, 1}};
	assert_near(crossover(from_nothing, 2), sqrt(100) - 1, 1e-6);
}

static void what_is_reached_everywhere_crosses_at_the_least_work(void **state)
{
	(void)state;
	const double curve[][2] = {{10, 0.95}, {100, 1}};
	assert_near(crossover(curve, 2), 10, 0);
	assert_near(crossover(curve, 1), 10, 0);
}

static void what_is_not_reached_in_the_end_never_crosses(void **state)
{
	(void)state;
	const double low[][2] = {{0, 0.1}, {100, 0.89}};
	const double falling[][2] = {{0, 1}, {100, 0.5}};
	const double unknown[][2] = {{0, 1}, {100, NAN}};
	assert_true(isnan(crossover(low, 2)));
	assert_true(isnan(crossover(falling, 2)));
	assert_true(isnan(crossover(unknown, 2)));
	assert_true(isnan(crossover(low, 0)));
}

static void a_crossover_is_from_where_on_it_stays_reached(void **state)
{
	(void)state;
	const double curve[][2] = {{0, 0.95}, {9, 0.8}, {999, 1}};
	assert_near(crossover(curve, 3), sqrt(10 * 1000.0) - 1, 1e-6);
}

static void crossovers_are_listed_for_each_lock_and_cs(void **state)
{
	(void)state;
	struct result r = {0};
	char *points, *crossovers;
	plant_setting(&r, "contention@cs=5,work=99,lines=1", 1.6);
	plant_setting(&r, "contention@cs=5,work=9999,lines=1", 2);
	plant_setting(&r, "contention@cs=50,work=9999,lines=1", 1);
	plant_setting(&r, "contention@cs=50,work=99,lines=1", 0.5);
	write_tables(&r, &points, &crossovers);
	assert_string_equal(crossovers,
		"lock\tplacement\tthreads\tlines\tcs_ns\twork_ns_at_crossover\n"
		"mcs\tcompact\t2\t1\t5\t999\n"
		"mcs\tcompact\t2\t1\t50\tNA\n");
	free(points);
	free(crossovers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_its_setting_and_what_was_attainable),
		cmocka_unit_test(the_plain_kernel_has_the_setting_that_the_run_recorded),
		cmocka_unit_test(without_the_kernel_there_are_no_tables),
		cmocka_unit_test(failed_points_are_left_out),
		cmocka_unit_test(a_crossover_lies_between_the_points_around_it),
		cmocka_unit_test(what_is_reached_everywhere_crosses_at_the_least_work),
		cmocka_unit_test(what_is_not_reached_in_the_end_never_crosses),
		cmocka_unit_test(a_crossover_is_from_where_on_it_stays_reached),
		cmocka_unit_test(crossovers_are_listed_for_each_lock_and_cs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
