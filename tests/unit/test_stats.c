// SPDX-License-Identifier: BSD-2-Clause
// Statistics against exactly known answers and, where only probabilities are known, simulations
// with a fixed seed. Twins are the same with the idea left out: they must fail the same claim.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "stats.h"

#define assert_near(a, b, within) assert_true(fabs((double)(a) - (double)(b)) <= (within))

enum { MOST = 64 };

static void medians_and_percentiles_of_known_data(void **state)
{
	(void)state;
	double v[] = {9, 1, 5, 7, 3};
	stats_sort(v, 5);
	assert_near(stats_median(v, 5), 5, 0);
	assert_near(stats_median(v, 4), 4, 0);
	assert_near(stats_median(v, 1), 1, 0);
	assert_near(stats_percentile(v, 5, 0), 1, 0);
	assert_near(stats_percentile(v, 5, 1), 9, 0);
	assert_near(stats_percentile(v, 5, 0.9), 8.2, 1e-12); // type 7: 7 + 0.6 * 2
	assert_true(isnan(stats_median(v, 0)) && isnan(stats_percentile(v, 0, 0.5)));
}

static void mad_ignores_an_outlier(void **state)
{
	(void)state;
	double v[] = {1, 1, 2, 2, 4, 6, 9000}; // median 2, deviations 1 1 0 0 2 4 8998
	assert_near(stats_mad(v, 7), 1, 0);
	assert_true(isnan(stats_mad(v, 0)));
}

static void jain_index_of_known_shares(void **state)
{
	(void)state;
	const double alike[] = {5, 5, 5, 5}, one[] = {7, 0, 0, 0}, half[] = {1, 1, 0, 0};
	const double none[] = {0, 0};
	assert_near(stats_jain(alike, 4), 1, 1e-15);
	assert_near(stats_jain(one, 4), 0.25, 1e-15);
	assert_near(stats_jain(half, 4), 0.5, 1e-15);
	assert_true(isnan(stats_jain(none, 2)) && isnan(stats_jain(none, 0)));
}

// Coverage from sums of binomial coefficients over 2^n: for n = 15, 1 - 2 * (1 + 15 + 105 + 455) /
// 2^15.
static void ranks_and_their_coverage_are_exact(void **state)
{
	(void)state;
	static const struct {
		size_t n, lo, hi;
		double coverage;
	} table[] = {
		{1, 1, 1, 0},
		{2, 1, 2, 0.5},
		{3, 1, 3, 0.75},
		{5, 1, 5, 0.9375},
		{6, 1, 6, 0.96875},
		{7, 1, 7, 0.984375},
		{8, 1, 8, 0.9921875},
		{9, 2, 8, 0.9609375},
		{10, 2, 9, 0.978515625},
		{11, 2, 10, 0.98828125},
		{12, 3, 10, 0.961425781},
		{15, 4, 12, 0.964843750},
		{20, 6, 15, 0.958610535},
		{25, 8, 18, 0.956714749},
		{60, 22, 39, 0.972659866},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		size_t lo, hi;
		double coverage = stats_median_ranks(table[i].n, 0.95, &lo, &hi);
		assert_int_equal(lo, table[i].lo);
		assert_int_equal(hi, table[i].hi);
		assert_near(coverage, table[i].coverage, 1e-8);
	}
}

static void interval_of_few_samples_admits_its_coverage(void **state)
{
	(void)state;
	const double v[] = {2, 3, 5};
	struct interval i = stats_median_interval(v, 3, 0.95);
	assert_near(i.lo, 2, 0);
	assert_near(i.hi, 5, 0);
	assert_near(i.coverage, 0.75, 1e-12);
	i = stats_median_interval(v, 0, 0.95);
	assert_true(isnan(i.lo) && isnan(i.hi) && i.coverage == 0);
	size_t lo, hi;
	assert_true(stats_median_ranks(1000000, 0.95, &lo, &hi) >= 0.95);
	assert_true(hi - lo < 2000 && lo + hi == 1000001);
}

// Modes

static void two_line_transfers_are_two_modes(void **state)
{
	(void)state;
	const double line[] = {330, 52, 54, 325, 53, 341, 50};
	const bool disturbed[7] = {0};
	const int expected[] = {1, 0, 0, 1, 0, 1, 0};
	int mode[7];
	assert_int_equal(stats_modes(line, disturbed, 7, mode), 2);
	assert_memory_equal(mode, expected, sizeof mode);
	assert_int_equal(stats_main_mode(mode, 7, 2), 0);
	assert_int_equal(stats_main_mode(mode, 6, 2), 0); // 3 and 3: the closest
}

static void only_a_gap_above_half_an_octave_separates(void **state)
{
	(void)state;
	const double below[] = {100, 100 * exp2(0.499)}, above[] = {100, 100 * exp2(0.501)};
	const bool disturbed[2] = {0};
	int mode[2];
	assert_int_equal(stats_modes(below, disturbed, 2, mode), 1);
	assert_int_equal(stats_modes(above, disturbed, 2, mode), 2);
}

// Line transfers between the two modes, from probes that disagreed.
static const double bridged[] = {53, 53, 72, 98, 132, 178, 240, 330, 330};
static const bool bridge[] = {0, 0, 1, 1, 1, 1, 1, 0, 0};

static void disturbed_samples_do_not_bridge_modes(void **state)
{
	(void)state;
	const int expected[] = {0, 0, 0, 0, 0, 1, 1, 1, 1}; // each joins the nearest in log2
	int mode[9];
	assert_int_equal(stats_modes(bridged, bridge, 9, mode), 2);
	assert_memory_equal(mode, expected, sizeof mode);
}

static void twin_that_trusts_disturbed_samples_mixes_the_modes(void **state)
{
	(void)state;
	const bool trusted[9] = {0};
	int mode[9];
	assert_int_equal(stats_modes(bridged, trusted, 9, mode), 1);
}

static void samples_without_probe_have_one_mode(void **state)
{
	(void)state;
	const double none[] = {0, 0, 0}, some[] = {0, 330, 53, 330};
	const bool disturbed[4] = {0};
	int mode[4];
	assert_int_equal(stats_modes(none, disturbed, 3, mode), 1);
	assert_int_equal(mode[0] + mode[1] + mode[2], 0);
	assert_int_equal(stats_modes(some, disturbed, 4, mode), 2);
	assert_int_equal(mode[0], 1); // joins the largest
	assert_int_equal(stats_modes(none, disturbed, 0, mode), 0);
}

static void disturbed_samples_alone_form_modes(void **state)
{
	(void)state;
	const double line[] = {53, 330, 55};
	const bool disturbed[] = {1, 1, 1};
	int mode[3];
	assert_int_equal(stats_modes(line, disturbed, 3, mode), 2);
	assert_int_equal(mode[1], 1);
}

// Bootstrap

static void constant_data_has_an_exact_ratio(void **state)
{
	(void)state;
	const double three[] = {3, 3, 3, 3}, two[] = {2, 2, 2};
	const unsigned process[] = {0, 0, 1, 1};
	struct stats_group a = {three, process, 4}, b = {two, process, 3}, none = {0};
	struct interval i;
	assert_int_equal(stats_ratio_interval(&a, &b, 0.95, &i), 0);
	assert_near(i.lo, 1.5, 0);
	assert_near(i.hi, 1.5, 0);
	assert_int_equal(stats_ratio_interval(&none, &b, 0.95, &i), -EINVAL);
}

static void resampling_is_reproducible_and_depends_on_the_seed(void **state)
{
	(void)state;
	const double v[] = {5, 1, 4, 2, 3, 9, 8};
	const unsigned process[] = {2, 2, 0, 0, 1, 1, 1};
	struct stats_group g = {v, process, 7};
	double a[200], b[200], c[200];
	assert_int_equal(stats_resample(&g, STATS_SEED, a, 200), 0);
	assert_int_equal(stats_resample(&g, STATS_SEED, b, 200), 0);
	assert_int_equal(stats_resample(&g, STATS_SEED + 1, c, 200), 0);
	assert_memory_equal(a, b, sizeof a);
	assert_memory_not_equal(a, c, sizeof a);
	for (int i = 0; i < 200; i++)
		assert_true(a[i] >= 1 && a[i] <= 9);
}

// Median of two processes with one sample each, 0 and 1: 0, 0.5 and 1 with odds 1 : 2 : 1.
static void resampled_medians_have_the_known_distribution(void **state)
{
	(void)state;
	const double v[] = {0, 1};
	const unsigned process[] = {0, 1};
	struct stats_group g = {v, process, 2};
	static double medians[40000];
	int count[3] = {0};
	assert_int_equal(stats_resample(&g, 1, medians, 40000), 0);
	for (int i = 0; i < 40000; i++)
		count[(int)(2 * medians[i])]++;
	assert_near(count[0], 10000, 400); // 4.6 standard deviations
	assert_near(count[1], 20000, 460);
	assert_near(count[2], 10000, 400);
}

// A run as the team makes it: processes differ, samples within one differ less.
struct synthetic {
	double value[MOST];
	unsigned process[MOST];
	struct stats_group group;
};

static void synthesise(struct synthetic *s, gsl_rng *rng, unsigned processes, unsigned samples,
	double level, double process_sd, double sample_sd)
{
	s->group = (struct stats_group){s->value, s->process, 0};
	for (unsigned p = 0; p < processes; p++) {
		double drift = gsl_ran_gaussian(rng, process_sd);
		for (unsigned i = 0; i < samples; i++) {
			double noise = gsl_ran_gaussian(rng, sample_sd);
			s->value[s->group.count] = level * exp(drift + noise);
			s->process[s->group.count++] = p;
		}
	}
}

static void forget_processes(struct synthetic *s)
{
	memset(s->process, 0, sizeof s->process);
}

// How often in `runs` the interval of a ratio that is 1 contains 1.
static double simulated_coverage(unsigned processes, double process_sd, bool forget)
{
	enum { RUNS = 300 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	int covered = 0;
	for (int run = 0; run < RUNS; run++) {
		struct synthetic a, b;
		struct interval i;
		synthesise(&a, rng, processes, 5, 1, process_sd, 0.01);
		synthesise(&b, rng, processes, 5, 1, process_sd, 0.01);
		if (forget) {
			forget_processes(&a);
			forget_processes(&b);
		}
		assert_int_equal(stats_ratio_interval(&a.group, &b.group, 0.95, &i), 0);
		covered += i.lo <= 1 && i.hi >= 1;
	}
	gsl_rng_free(rng);
	return (double)covered / RUNS;
}

static void bootstrap_covers_what_it_promises(void **state)
{
	(void)state;
	assert_true(simulated_coverage(3, 0, false) >= 0.95);
	assert_true(simulated_coverage(10, 0.05, false) >= 0.92);
	assert_true(simulated_coverage(3, 0.05, false) >= 0.82); // as the header admits
}

static void twin_that_ignores_processes_does_not_cover(void **state)
{
	(void)state;
	assert_true(simulated_coverage(10, 0.05, true) < 0.8);
}

// Moderated variances

static void critical_values_match_the_tables(void **state)
{
	(void)state;
	assert_near(stats_critical(0.95, INFINITY), 1.959964, 1e-5);
	assert_near(stats_critical(0.95, 4), 2.776445, 1e-5);
	assert_near(stats_critical(0.99, 10), 3.169273, 1e-5);
	assert_near(stats_critical(0.95, 1), 12.7062, 1e-3);
	assert_near(stats_critical(0.95, 0), 12.7062, 1e-3); // at least 1
	assert_true(stats_critical(1 - 5e-6, 4) > 30);       // far out it is still finite
	assert_true(isfinite(stats_critical(1 - 5e-6, 4)));
}

static void prior_of_alike_variances_trusts_them_all(void **state)
{
	(void)state;
	const double variance[] = {2, 2, 2, 2}, df[] = {4, 4, 4, 4};
	struct stats_prior prior;
	assert_int_equal(stats_prior(variance, df, 4, &prior), 0);
	assert_true(isinf(prior.df));
	assert_near(stats_moderate(1, 4, &prior), prior.variance, 0);
	assert_int_equal(stats_prior(variance, df, 1, &prior), 0);
	assert_near(prior.df, 0, 0);
	assert_near(stats_moderate(7, 4, &prior), 7, 0);
	assert_int_equal(stats_prior(variance, df, 0, &prior), 0);
	assert_near(prior.df, 0, 0);
}

// Variances drawn from a scaled inverse chi-square distribution of 6 degrees of freedom around 3.
static void prior_is_found_again(void **state)
{
	(void)state;
	enum { N = 20000 };
	static double variance[N], df[N];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	for (int i = 0; i < N; i++) {
		double truth = 3 * 6 / gsl_ran_chisq(rng, 6);
		df[i] = 4;
		variance[i] = truth * gsl_ran_chisq(rng, 4) / 4;
	}
	gsl_rng_free(rng);
	struct stats_prior prior;
	assert_int_equal(stats_prior(variance, df, N, &prior), 0);
	assert_near(prior.df, 6, 0.5);
	assert_near(prior.variance, 3, 0.15);
}

// Comparing

struct experiment {
	unsigned processes, samples;
	double process_sd;
	double change;  // of the first point
	bool common;    // drift hits all points of a process alike
	bool bootstrap; // the twin: each interval by bootstrap alone, for itself
};
enum { POINTS = 12, EXPERIMENTS = 40 };

static void shift_by_process(struct synthetic *s, const double *drift)
{
	for (size_t i = 0; i < s->group.count; i++)
		s->value[i] *= exp(drift[s->process[i]]);
}

static void run_experiment(const struct experiment *x, gsl_rng *rng, struct stats_pair *pairs)
{
	static struct synthetic data[2][POINTS];
	for (int side = 0; side < 2; side++) {
		double drift[8];
		for (int p = 0; p < 8; p++)
			drift[p] = x->common ? gsl_ran_gaussian(rng, x->process_sd) : 0;
		for (int i = 0; i < POINTS; i++) {
			synthesise(&data[side][i], rng, x->processes, x->samples,
				side && !i ? x->change : 1, x->common ? 0 : x->process_sd, 0.01);
			shift_by_process(&data[side][i], drift);
		}
	}
	for (int i = 0; i < POINTS; i++)
		pairs[i] =
			(struct stats_pair){.before = data[0][i].group, .after = data[1][i].group};
	if (!x->bootstrap)
		assert_int_equal(stats_compare(pairs, POINTS, 0.95), 0);
	for (int i = 0; i < POINTS && x->bootstrap; i++)
		stats_ratio_interval(&pairs[i].after, &pairs[i].before, 0.95, &pairs[i].interval);
}

// In how many of EXPERIMENTS the first point, or any other, is called slower.
static void slower(const struct experiment *x, int *first, int *others)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	*first = *others = 0;
	for (int run = 0; run < EXPERIMENTS; run++) {
		struct stats_pair pairs[POINTS];
		run_experiment(x, rng, pairs);
		bool any = false;
		for (int i = 1; i < POINTS; i++)
			any |= pairs[i].interval.hi < 1;
		*first += pairs[0].interval.hi < 1;
		*others += any;
	}
	gsl_rng_free(rng);
}

static void drift_between_processes_seldom_alarms(void **state)
{
	(void)state;
	int first, others;
	slower(&(struct experiment){3, 5, 0.05, 1, false, false}, &first, &others);
	assert_true(first + others <= EXPERIMENTS / 10);
	slower(&(struct experiment){3, 5, 0.05, 1, true, false}, &first, &others);
	assert_true(first + others <= EXPERIMENTS / 10);
}

static void twin_with_the_bootstrap_alone_alarms_often(void **state)
{
	(void)state;
	int first, others;
	slower(&(struct experiment){3, 5, 0.05, 1, false, true}, &first, &others);
	assert_true(others > EXPERIMENTS / 4);
}

static void loss_of_a_fifth_is_found_within_drift(void **state)
{
	(void)state;
	int first, others;
	slower(&(struct experiment){3, 5, 0.025, 0.8, false, false}, &first, &others);
	assert_true(first >= EXPERIMENTS * 9 / 10);
	assert_true(others <= EXPERIMENTS / 10);
	slower(&(struct experiment){3, 5, 0.05, 0.8, false, false}, &first, &others);
	assert_true(first >= EXPERIMENTS / 2);
}

static void one_process_a_side_is_not_believed_too_much(void **state)
{
	(void)state;
	int first, others;
	slower(&(struct experiment){1, 3, 0.05, 1, false, false}, &first, &others);
	assert_true(first + others <= EXPERIMENTS / 10);
	slower(&(struct experiment){1, 3, 0.05, 1, true, false}, &first, &others);
	assert_true(first + others <= EXPERIMENTS / 10);
	slower(&(struct experiment){1, 3, 0.01, 0.4, false, false}, &first, &others);
	assert_true(first >= EXPERIMENTS * 9 / 10);
}

static void identical_runs_do_not_differ(void **state)
{
	(void)state;
	const double v[] = {5, 5, 5, 0, 0, 0};
	const unsigned process[] = {0, 1, 2, 0, 1, 2};
	struct stats_group five = {v, process, 3}, zero = {v + 3, process, 3}, none = {0};
	struct stats_pair pairs[] = {
		{.before = five, .after = five}, {.before = five, .after = zero}};
	assert_int_equal(stats_compare(pairs, 2, 0.95), 0);
	assert_true(pairs[0].interval.lo < 1 && pairs[0].interval.hi > 1);
	assert_false(pairs[0].assumed);
	assert_near(pairs[1].ratio, 0, 0); // to 0 and back: no number that is none
	assert_true(pairs[1].interval.lo <= pairs[1].interval.hi);
	pairs[0].after = none;
	assert_int_equal(stats_compare(pairs, 2, 0.95), -EINVAL);
	assert_int_equal(stats_compare(pairs, 0, 0.95), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians_and_percentiles_of_known_data),
		cmocka_unit_test(mad_ignores_an_outlier),
		cmocka_unit_test(jain_index_of_known_shares),
		cmocka_unit_test(ranks_and_their_coverage_are_exact),
		cmocka_unit_test(interval_of_few_samples_admits_its_coverage),
		cmocka_unit_test(two_line_transfers_are_two_modes),
		cmocka_unit_test(only_a_gap_above_half_an_octave_separates),
		cmocka_unit_test(disturbed_samples_do_not_bridge_modes),
		cmocka_unit_test(twin_that_trusts_disturbed_samples_mixes_the_modes),
		cmocka_unit_test(samples_without_probe_have_one_mode),
		cmocka_unit_test(disturbed_samples_alone_form_modes),
		cmocka_unit_test(constant_data_has_an_exact_ratio),
		cmocka_unit_test(resampling_is_reproducible_and_depends_on_the_seed),
		cmocka_unit_test(resampled_medians_have_the_known_distribution),
		cmocka_unit_test(bootstrap_covers_what_it_promises),
		cmocka_unit_test(twin_that_ignores_processes_does_not_cover),
		cmocka_unit_test(critical_values_match_the_tables),
		cmocka_unit_test(prior_of_alike_variances_trusts_them_all),
		cmocka_unit_test(prior_is_found_again),
		cmocka_unit_test(drift_between_processes_seldom_alarms),
		cmocka_unit_test(twin_with_the_bootstrap_alone_alarms_often),
		cmocka_unit_test(loss_of_a_fifth_is_found_within_drift),
		cmocka_unit_test(one_process_a_side_is_not_believed_too_much),
		cmocka_unit_test(identical_runs_do_not_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
