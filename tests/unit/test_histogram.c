// SPDX-License-Identifier: BSD-2-Clause
// Histograms against the exact percentiles of the same values: never below, at most 1/32 above.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "histogram.h"

enum { VALUES = 100000 };

static struct histogram h, other;
static uint64_t values[VALUES];

static int start(void **state)
{
	(void)state;
	memset(&h, 0, sizeof h);
	memset(&other, 0, sizeof other);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

// The bound that the header states, in whole numbers.
static void assert_within_bound(uint64_t reported, uint64_t exact)
{
	if (reported < exact || (reported - exact) * HISTOGRAM_SLICES > exact)
		fail_msg("%llu reported, %llu exact", (unsigned long long)reported,
			(unsigned long long)exact);
}

static uint64_t exact_percentile(double p)
{
	double rank = fmax(ceil(p * VALUES), 1);
	return values[(size_t)rank - 1];
}

static void check_law(uint64_t (*draw)(gsl_rng *))
{
	static const double p[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	start(NULL);
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = draw(rng);
		histogram_record(&h, values[i]);
	}
	gsl_rng_free(rng);
	qsort(values, VALUES, sizeof *values, ascending);
	for (size_t i = 0; i < sizeof p / sizeof *p; i++)
		assert_within_bound(histogram_percentile(&h, p[i]), exact_percentile(p[i]));
	assert_true(histogram_percentile(&h, 1) == values[VALUES - 1]);
}

static uint64_t uniform(gsl_rng *rng)
{
	return gsl_rng_uniform_int(rng, 100000);
}

static uint64_t lognormal(gsl_rng *rng)
{
	return (uint64_t)gsl_ran_lognormal(rng, 5, 2);
}

static uint64_t pareto(gsl_rng *rng)
{
	return (uint64_t)gsl_ran_pareto(rng, 0.5, 20);
}

static uint64_t two_peaks(gsl_rng *rng)
{
	return gsl_rng_uniform(rng) < 0.995 ? 20 + gsl_rng_uniform_int(rng, 8)
					    : 1000000 + gsl_rng_uniform_int(rng, 50000000);
}

static void percentiles_are_exact_to_one_part_in_32(void **state)
{
	(void)state;
	check_law(uniform);
	check_law(lognormal);
	check_law(pareto);
	check_law(two_peaks);
}

// A bucket that were twice as wide would be caught by the bound above.
static void a_coarser_histogram_would_break_the_bound(void **state)
{
	(void)state;
	bool broken = false;
	for (uint64_t v = 64; v < 4096; v++) {
		uint64_t coarse = histogram_upper(histogram_bucket(v) | 1); /* pairs of buckets */
		broken |= (coarse - v) * HISTOGRAM_SLICES > v;
		assert_within_bound(histogram_upper(histogram_bucket(v)), v);
	}
	assert_true(broken);
}

static void buckets_follow_each_other_without_gap_or_overlap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t upper = histogram_upper(i);
		assert_int_equal(histogram_bucket(upper), i);
		if (i + 1 < HISTOGRAM_BUCKETS)
			assert_int_equal(histogram_bucket(upper + 1), i + 1);
	}
	assert_true(histogram_upper(HISTOGRAM_BUCKETS - 1) == INT64_MAX);
}

static void small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t v = 0; v < 64; v++)
		assert_int_equal(histogram_upper(histogram_bucket(v)), v);
}

static void the_largest_values_have_a_bucket_too(void **state)
{
	(void)state;
	histogram_record(&h, UINT64_MAX);
	histogram_record(&h, 0);
	assert_int_equal(h.count, 2);
	assert_true(h.max == UINT64_MAX);
	assert_int_equal(h.bucket[HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(histogram_percentile(&h, 0.5), 0);
}

static void nothing_recorded_has_no_percentiles(void **state)
{
	(void)state;
	assert_int_equal(histogram_percentile(&h, 0.5), 0);
	assert_int_equal(histogram_percentile(&h, 1), 0);
}

static void a_percentile_is_never_above_the_largest_value(void **state)
{
	(void)state;
	histogram_record(&h, 1000);
	assert_int_equal(histogram_percentile(&h, 0.5), 1000);
}

static void merging_is_recording_in_one(void **state)
{
	(void)state;
	static struct histogram all;
	memset(&all, 0, sizeof all);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	for (size_t i = 0; i < VALUES; i++) {
		uint64_t v = lognormal(rng);
		histogram_record(i % 3 ? &h : &other, v);
		histogram_record(&all, v);
	}
	gsl_rng_free(rng);
	histogram_merge(&h, &other);
	assert_memory_equal(&h, &all, sizeof h);
}

#define TEST(function) cmocka_unit_test_setup(function, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(percentiles_are_exact_to_one_part_in_32),
		TEST(a_coarser_histogram_would_break_the_bound),
		TEST(buckets_follow_each_other_without_gap_or_overlap),
		TEST(small_values_are_exact),
		TEST(the_largest_values_have_a_bucket_too),
		TEST(nothing_recorded_has_no_percentiles),
		TEST(a_percentile_is_never_above_the_largest_value),
		TEST(merging_is_recording_in_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
