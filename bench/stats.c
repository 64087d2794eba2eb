// SPDX-License-Identifier: BSD-2-Clause
// Order statistics, modes and resampling: see stats.h for what each promises and its source.
#include "stats.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_psi.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

void stats_sort(double *v, size_t n)
{
	if (n > 1)
		gsl_sort(v, 1, n);
}

double stats_median(const double *sorted, size_t n)
{
	return n ? gsl_stats_median_from_sorted_data(sorted, 1, n) : NAN;
}

double stats_percentile(const double *sorted, size_t n, double p)
{
	return n ? gsl_stats_quantile_from_sorted_data(sorted, 1, n, p) : NAN;
}

double stats_mad(double *v, size_t n)
{
	if (!n)
		return NAN;
	double median = gsl_stats_median(v, 1, n);
	for (size_t i = 0; i < n; i++)
		v[i] = fabs(v[i] - median);
	return gsl_stats_median(v, 1, n);
}

double stats_jain(const double *share, size_t n)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < n; i++) {
		sum += share[i];
		squares += share[i] * share[i];
	}
	return squares > 0 ? sum * sum / ((double)n * squares) : NAN;
}

static double pair_coverage(size_t n, size_t k)
{
	return fmax(0, 1 - 2 * gsl_cdf_binomial_P((unsigned)k - 1, 0.5, (unsigned)n));
}

double stats_median_ranks(size_t n, double level, size_t *lo, size_t *hi)
{
	// The pair (k, n + 1 - k) misses the median when fewer than k values fall on one side, so
	// coverage falls as k grows: the largest k that still covers enough, by bisection.
	size_t k = 1, beyond = n / 2 + 1;
	while (k + 1 < beyond) {
		size_t middle = k + (beyond - k) / 2;
		if (pair_coverage(n, middle) >= level)
			k = middle;
		else
			beyond = middle;
	}
	*lo = k;
	*hi = n + 1 - k;
	return pair_coverage(n, k);
}

struct interval stats_median_interval(const double *sorted, size_t n, double level)
{
	if (!n)
		return (struct interval){NAN, NAN, 0};
	size_t lo, hi;
	double coverage = stats_median_ranks(n, level, &lo, &hi);
	return (struct interval){sorted[lo - 1], sorted[hi - 1], coverage};
}

// Modes

// The samples that form modes (`core`), ascending in line_ns, and the mode of each.
struct clusters {
	size_t *core; // indices of samples
	double *log2; // of their line_ns
	int *mode;
	size_t count;
	int modes;
};

static void clusters_fini(struct clusters *c)
{
	free(c->core);
	free(c->log2);
	free(c->mode);
}

static int clusters_init(struct clusters *c, size_t n)
{
	*c = (struct clusters){
		.core = calloc(n, sizeof *c->core),
		.log2 = calloc(n, sizeof *c->log2),
		.mode = calloc(n, sizeof *c->mode),
	};
	if (c->core && c->log2 && c->mode)
		return 0;
	clusters_fini(c);
	return -ENOMEM;
}

static void clusters_form(struct clusters *c, const double *line_ns, const bool *disturbed,
	size_t n, bool undisturbed)
{
	c->count = 0;
	for (size_t i = 0; i < n; i++) {
		if (line_ns[i] > 0 && (!undisturbed || !disturbed[i])) {
			c->core[c->count] = i;
			c->log2[c->count++] = log2(line_ns[i]);
		}
	}
	if (!c->count)
		return;
	gsl_sort(c->log2, 1, c->count);
	c->mode[0] = 0;
	for (size_t i = 1; i < c->count; i++) {
		bool gap = c->log2[i] - c->log2[i - 1] > STATS_MODE_GAP;
		c->mode[i] = c->mode[i - 1] + gap;
	}
	c->modes = c->mode[c->count - 1] + 1;
}

static int clusters_nearest(const struct clusters *c, double line_ns)
{
	double at = log2(line_ns), nearest = INFINITY;
	int mode = 0;
	for (size_t i = 0; i < c->count; i++) {
		double distance = fabs(c->log2[i] - at);
		if (distance < nearest) {
			nearest = distance;
			mode = c->mode[i];
		}
	}
	return mode;
}

int stats_main_mode(const int *mode, size_t n, int modes)
{
	size_t most = 0;
	int main_mode = 0;
	for (int m = 0; m < modes; m++) {
		size_t count = 0;
		for (size_t i = 0; i < n; i++)
			count += mode[i] == m;
		if (count > most) {
			most = count;
			main_mode = m;
		}
	}
	return main_mode;
}

int stats_modes(const double *line_ns, const bool *disturbed, size_t n, int *mode)
{
	if (!n)
		return 0;
	struct clusters c;
	if (clusters_init(&c, n))
		return -ENOMEM;
	clusters_form(&c, line_ns, disturbed, n, true);
	if (!c.count)
		clusters_form(&c, line_ns, disturbed, n, false);
	if (!c.count)
		c.modes = 1;
	for (size_t i = 0; i < n; i++)
		mode[i] = line_ns[i] > 0 ? clusters_nearest(&c, line_ns[i]) : -1;
	int largest = stats_main_mode(mode, n, c.modes);
	for (size_t i = 0; i < n; i++) {
		if (mode[i] < 0)
			mode[i] = largest;
	}
	clusters_fini(&c);
	return c.modes;
}

// Hierarchical bootstrap. Values are replaced by their ranks once, so that a resample is a
// histogram over ranks and its median a short walk: no sorting per resample.

struct resampler {
	double *sorted;  // the values, ascending
	unsigned *rank;  // by process: ranks of its values
	size_t *first;   // of process p: rank[first[p]] .. rank[first[p + 1] - 1]
	unsigned *drawn; // how often each rank was drawn
	size_t processes, count;
};

static void resampler_fini(struct resampler *r)
{
	free(r->sorted);
	free(r->rank);
	free(r->first);
	free(r->drawn);
}

struct ranked {
	unsigned process, rank;
};

static int by_process(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

static int resampler_fill(struct resampler *r, const struct stats_group *g)
{
	size_t *order = calloc(g->count, sizeof *order);
	struct ranked *ranked = calloc(g->count, sizeof *ranked);
	if (!order || !ranked) {
		free(order);
		free(ranked);
		return -ENOMEM;
	}
	gsl_sort_index(order, g->value, 1, g->count);
	for (size_t i = 0; i < g->count; i++) {
		r->sorted[i] = g->value[order[i]];
		ranked[i] = (struct ranked){g->process[order[i]], (unsigned)i};
	}
	qsort(ranked, g->count, sizeof *ranked, by_process);
	for (size_t i = 0; i < g->count; i++) {
		if (!i || ranked[i].process != ranked[i - 1].process)
			r->first[r->processes++] = i;
		r->rank[i] = ranked[i].rank;
	}
	r->first[r->processes] = g->count;
	free(order);
	free(ranked);
	return 0;
}

static int resampler_init(struct resampler *r, const struct stats_group *g)
{
	*r = (struct resampler){
		.sorted = calloc(g->count, sizeof *r->sorted),
		.rank = calloc(g->count, sizeof *r->rank),
		.first = calloc(g->count + 1, sizeof *r->first),
		.drawn = calloc(g->count, sizeof *r->drawn),
		.count = g->count,
	};
	int rc = -ENOMEM;
	if (r->sorted && r->rank && r->first && r->drawn)
		rc = resampler_fill(r, g);
	if (rc)
		resampler_fini(r);
	return rc;
}

// One of 0 .. n-1. mt19937 gives all 32 bits, so a multiplication does (Lemire 2019); its
// bias, n / 2^32, is far below what so few resamples can show.
static inline size_t draw(gsl_rng *rng, size_t n)
{
	return (size_t)(((uint64_t)gsl_rng_get(rng) * n) >> 32);
}

static double drawn_median(const struct resampler *r, size_t total)
{
	size_t below = (total - 1) / 2, above = total / 2; // the middle one or two, from 0
	size_t seen = 0, rank = 0;
	while (seen + r->drawn[rank] <= below)
		seen += r->drawn[rank++];
	double low = r->sorted[rank];
	while (seen + r->drawn[rank] <= above)
		seen += r->drawn[rank++];
	return 0.5 * (low + r->sorted[rank]);
}

static double resample_once(struct resampler *r, gsl_rng *rng)
{
	memset(r->drawn, 0, r->count * sizeof *r->drawn);
	size_t total = 0;
	for (size_t p = 0; p < r->processes; p++) {
		size_t process = draw(rng, r->processes);
		const unsigned *rank = r->rank + r->first[process];
		size_t n = r->first[process + 1] - r->first[process];
		for (size_t i = 0; i < n; i++)
			r->drawn[rank[draw(rng, n)]]++;
		total += n;
	}
	return drawn_median(r, total);
}

int stats_resample(
	const struct stats_group *g, unsigned long seed, double *medians, size_t resamples)
{
	if (!g->count || g->count > STATS_MAX_GROUP)
		return -EINVAL;
	struct resampler r;
	int rc = resampler_init(&r, g);
	if (rc)
		return rc;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (rng) {
		gsl_rng_set(rng, seed);
		for (size_t i = 0; i < resamples; i++)
			medians[i] = resample_once(&r, rng);
		gsl_rng_free(rng);
	}
	resampler_fini(&r);
	return rng ? 0 : -ENOMEM;
}

int stats_ratio_of_resamples(const double *num, const double *den, size_t resamples, double level,
	struct interval *ratio)
{
	double *all = calloc(resamples, sizeof *all);
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < resamples; i++)
		all[i] = den[i] > 0 ? num[i] / den[i] : INFINITY;
	size_t tail = (size_t)((1 - level) / 2 * (double)(resamples - 1) + 1e-9);
	ratio->lo = gsl_stats_select(all, 1, resamples, tail);
	ratio->hi = gsl_stats_select(all, 1, resamples, resamples - 1 - tail);
	ratio->coverage = fmin(level, 1 - 1.0 / (double)resamples);
	free(all);
	return 0;
}

int stats_ratio_interval(const struct stats_group *num, const struct stats_group *den, double level,
	struct interval *ratio)
{
	double *medians = calloc(2 * STATS_RESAMPLES, sizeof *medians);
	if (!medians)
		return -ENOMEM;
	double *others = medians + STATS_RESAMPLES;
	// Two seeds: with one, both sides would draw the same processes and their errors cancel.
	int rc = stats_resample(num, STATS_SEED, medians, STATS_RESAMPLES);
	if (!rc)
		rc = stats_resample(den, STATS_SEED + 1, others, STATS_RESAMPLES);
	if (!rc)
		rc = stats_ratio_of_resamples(medians, others, STATS_RESAMPLES, level, ratio);
	free(medians);
	return rc;
}

// Moderated variances

// Solves psi'(y) = x by Newton's method on 1/psi', which is convex (Smyth 2004, appendix).
static double trigamma_inverse(double x)
{
	if (x > 1e7)
		return 1 / sqrt(x);
	if (x < 1e-6)
		return 1 / x;
	double y = 0.5 + 1 / x;
	for (int i = 0; i < 50; i++) {
		double tri = gsl_sf_psi_1(y);
		double step = tri * (1 - tri / x) / gsl_sf_psi_n(2, y);
		y += step;
		if (-step / y < 1e-8)
			break;
	}
	return y;
}

int stats_prior(const double *variance, const double *df, size_t n, struct stats_prior *prior)
{
	*prior = (struct stats_prior){0};
	if (!n)
		return 0;
	double *e = calloc(n, sizeof *e);
	if (!e)
		return -ENOMEM;
	memcpy(e, variance, n * sizeof *e);
	double least = fmax(1e-5 * gsl_stats_median(e, 1, n), 1e-12); // a log of 0 helps nobody
	double noise = 0;
	for (size_t i = 0; i < n; i++) {
		e[i] = log(fmax(variance[i], least)) - gsl_sf_psi(df[i] / 2) + log(df[i] / 2);
		noise += gsl_sf_psi_1(df[i] / 2) / (double)n;
	}
	double mean = gsl_stats_mean(e, 1, n);
	double excess = n > 1 ? gsl_stats_variance_m(e, 1, n, mean) - noise : INFINITY;
	free(e);
	if (n == 1) {
		prior->variance = variance[0]; // and df 0: one point tells nothing of others
	} else if (excess > 0) {
		prior->df = 2 * trigamma_inverse(excess);
		prior->variance = exp(mean + gsl_sf_psi(prior->df / 2) - log(prior->df / 2));
	} else {
		prior->df = INFINITY;
		prior->variance = exp(mean);
	}
	return 0;
}

double stats_moderate(double variance, double df, const struct stats_prior *prior)
{
	if (isinf(prior->df))
		return prior->variance;
	if (!(df + prior->df > 0))
		return variance;
	return (df * variance + prior->df * prior->variance) / (df + prior->df);
}

double stats_critical(double level, double df)
{
	double tail = (1 - level) / 2;
	df = fmax(df, 1);
	return isinf(df) || df > 1e6 ? gsl_cdf_ugaussian_Qinv(tail) : gsl_cdf_tdist_Qinv(tail, df);
}

// Comparing two runs

// Log medians of the processes of one pair, summarised.
struct spread {
	double squares; // sum of squared deviations from the mean of their own side
	unsigned processes[2];
};

static double safe_log(double x)
{
	return log(fmax(x, 1e-300)); // a sample of 0 is possible, if hardly
}

static void spread_add(struct spread *s, const struct resampler *r, int side, double *scratch)
{
	double mean = 0;
	for (size_t p = 0; p < r->processes; p++) {
		size_t n = r->first[p + 1] - r->first[p];
		const unsigned *rank = r->rank + r->first[p]; // ascending within a process
		double median = 0.5 * (r->sorted[rank[(n - 1) / 2]] + r->sorted[rank[n / 2]]);
		scratch[p] = safe_log(median);
		mean += scratch[p] / (double)r->processes;
	}
	for (size_t p = 0; p < r->processes; p++)
		s->squares += (scratch[p] - mean) * (scratch[p] - mean);
	s->processes[side] = (unsigned)r->processes;
}

static int spread_side(struct spread *s, const struct stats_group *g, int side, double *median)
{
	struct resampler r;
	if (!g->count || g->count > STATS_MAX_GROUP)
		return -EINVAL;
	int rc = resampler_init(&r, g);
	if (rc)
		return rc;
	double *scratch = calloc(r.processes, sizeof *scratch);
	if (scratch)
		spread_add(s, &r, side, scratch);
	*median = stats_median(r.sorted, r.count);
	free(scratch);
	resampler_fini(&r);
	return scratch ? 0 : -ENOMEM;
}

static double own_df(const struct spread *s)
{
	return (double)(s->processes[0] + s->processes[1]) - 2;
}

// Variance of the median of k process medians, in units of one's variance (at most: it grows
// from 1 for k <= 2 to pi / 2 for normal data).
static double median_share(unsigned k)
{
	return (k > 2 ? M_PI / 2 : 1) / k;
}

// What all pairs together say.
struct pooled {
	struct stats_prior prior;
	double sum_df, run_df; // of all; of the pair that has most
	double unseen;         // variance taken where a pair has one process a side
};

// MAD of the log ratios of pairs without own degrees of freedom, as a variance of one process.
static double ratio_variance(
	const struct stats_pair *pairs, const struct spread *s, size_t n, double *scratch)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (own_df(&s[i]) == 0)
			scratch[count++] = safe_log(pairs[i].ratio) / M_SQRT2;
	}
	if (count < STATS_SPREAD_PAIRS)
		return 0;
	double sd = 1.4826 * stats_mad(scratch, count);
	return sd * sd;
}

static int pool(struct pooled *p, const struct stats_pair *pairs, const struct spread *s, size_t n)
{
	double *variance = calloc(2 * n, sizeof *variance);
	if (!variance)
		return -ENOMEM;
	double *df = variance + n;
	*p = (struct pooled){0};
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		double own = own_df(&s[i]);
		if (own == 0)
			continue;
		variance[count] = fmax(s[i].squares / own, STATS_LEAST_SD * STATS_LEAST_SD);
		df[count++] = own;
		p->sum_df += own;
		p->run_df = fmax(p->run_df, own);
	}
	int rc = stats_prior(variance, df, count, &p->prior);
	p->unseen = fmax(STATS_UNSEEN_SD * STATS_UNSEEN_SD, p->prior.variance);
	p->unseen = fmax(p->unseen, ratio_variance(pairs, s, n, variance));
	free(variance);
	return rc;
}

// How far the moderated t interval reaches to each side of the log ratio.
static double reach(const struct spread *s, const struct pooled *p, double level, double each)
{
	double df = own_df(s), variance = p->unseen,
	       critical = stats_critical(each, STATS_UNSEEN_DF);
	if (df > 0) {
		variance = fmax(s->squares / df, STATS_LEAST_SD * STATS_LEAST_SD);
		variance = stats_moderate(variance, df, &p->prior);
		critical = fmax(stats_critical(each, fmin(df + p->prior.df, p->sum_df)),
			stats_critical(level, p->run_df));
	}
	return critical *
	       sqrt(variance * (median_share(s->processes[0]) + median_share(s->processes[1])));
}

static int compare_all(struct stats_pair *pairs, struct spread *s, size_t n, double level)
{
	double each = 1 - (1 - level) / (double)n;
	for (size_t i = 0; i < n; i++) {
		double before = 0, after = 0;
		int rc = spread_side(&s[i], &pairs[i].before, 0, &before);
		if (!rc)
			rc = spread_side(&s[i], &pairs[i].after, 1, &after);
		if (rc)
			return rc;
		pairs[i].ratio = before > 0 ? after / before : INFINITY;
	}
	struct pooled p;
	int rc = pool(&p, pairs, s, n);
	for (size_t i = 0; i < n && !rc; i++) {
		struct interval *all = &pairs[i].interval;
		rc = stats_ratio_interval(&pairs[i].after, &pairs[i].before, each, all);
		double factor = exp(reach(&s[i], &p, level, each));
		all->lo = fmin(all->lo, pairs[i].ratio / factor);
		all->hi = fmax(all->hi, pairs[i].ratio * factor);
		all->coverage = each;
		pairs[i].assumed = own_df(&s[i]) == 0;
	}
	return rc;
}

int stats_compare(struct stats_pair *pairs, size_t n, double level)
{
	if (!n)
		return 0;
	struct spread *s = calloc(n, sizeof *s);
	if (!s)
		return -ENOMEM;
	int rc = compare_all(pairs, s, n, level);
	free(s);
	return rc;
}
