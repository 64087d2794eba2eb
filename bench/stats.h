// SPDX-License-Identifier: BSD-2-Clause
// Numbers from samples: medians, intervals, modes, ratios, fairness. Pure functions: no state, no
// files, no printing, so any thread may call any of them at the same time. Values have the unit of
// their caller. Arrays belong to the caller; "sorts" and "permutes" say where one is reordered.
// Numerics are GSL's (Galassi et al., GNU Scientific Library).
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct interval {
	double lo, hi;
	double coverage; // really achieved, which few samples keep below what was asked for
};

// Values of one point, and the fresh process that each was measured in. Borrows its arrays.
struct stats_group {
	const double *value;
	const unsigned *process;
	size_t count;
};

enum {
	STATS_RESAMPLES = 2000,    // of every bootstrap
	STATS_SEED = 20150518,     // of GSL's mt19937: numerators use it, denominators the next
	STATS_MAX_GROUP = 1 << 20, // values in a group
};

// Two successive line transfers further apart than this (in log2) belong to two modes.
#define STATS_MODE_GAP 0.5

// Ascending order, as the functions below with a `sorted` argument want it. Sorts v.
void stats_sort(double *v, size_t n);
// The middle value, or the mean of the middle two. NaN where n is 0.
double stats_median(const double *sorted, size_t n);
// The value below which a share p (0 to 1) of the values lies, interpolated between neighbours
// (type 7 of Hyndman & Fan 1996). NaN where n is 0.
double stats_percentile(const double *sorted, size_t n, double p);
// Median absolute deviation from the median, unscaled (times 1.4826 it estimates the standard
// deviation of normal data; Hampel 1974). Permutes v. NaN where n is 0.
double stats_mad(double *v, size_t n);
// Jain's fairness index of the workers' shares: 1 all alike, 1/n one has it all (Jain, Chiu &
// Hawe 1984). NaN where n is 0 or nobody has anything.
double stats_jain(const double *share, size_t n);

// Ranks (from 1) of the narrowest symmetric pair of order statistics that cover the median with
// probability `level`: exact, from the binomial distribution, whatever the samples'
// distribution (Thompson 1936; Conover 1999). Where no pair does (n < 6 at 0.95)
// they are 1 and n, and the coverage returned is what those achieve. n is at least 1.
double stats_median_ranks(size_t n, double level, size_t *lo, size_t *hi);
// The interval between those ranks. Where n is 0 both ends are NaN and the coverage is 0.
struct interval stats_median_interval(const double *sorted, size_t n, double level);

// Groups samples by line transfer: mode[i] is 0 for the closest group, then 1, ... A gap above
// STATS_MODE_GAP between sorted undisturbed samples starts a new mode; a disturbed sample (its two
// probes may have disagreed, so that it lies between modes) joins the nearest mode afterwards and
// so bridges none. Only where all are disturbed do they form the modes themselves. A sample without
// probe (0) joins the largest mode; where none has a probe all are mode 0.
// Returns the number of modes (0 where n is 0) or -ENOMEM.
int stats_modes(const double *line_ns, const bool *disturbed, size_t n, int *mode);
// The mode with most samples, the closest of several such.
int stats_main_mode(const int *mode, size_t n, int modes);

// Medians of `resamples` hierarchical resamples: processes are drawn with replacement, then
// as many samples as it has from each drawn process, so that variation between processes counts in
// full (Davison & Hinkley 1997, 3.8; Kalibera & Jones 2013). The same seed gives the same medians.
// Returns 0, -EINVAL for an empty (or absurdly large) group, or -ENOMEM.
int stats_resample(
	const struct stats_group *g, unsigned long seed, double *medians, size_t resamples);
// Percentile interval of num[i] / den[i], rounded outwards to whole ranks. Permutes nothing.
// Its coverage field is the level asked for, or what `resamples` can resolve where that is less.
// Returns 0 or -ENOMEM.
int stats_ratio_of_resamples(const double *num, const double *den, size_t resamples, double level,
	struct interval *ratio);
// Both steps: the interval of median(num) / median(den), reproducible.
// Where processes differ more than samples do, it covers the true ratio 96 times in 100 from 10
// processes a side, 89 from 3 and 17 from 1 (simulated): see stats_compare for what to do then.
int stats_ratio_interval(const struct stats_group *num, const struct stats_group *den, double level,
	struct interval *ratio);

// Variances estimated from very few values each, but for many points, tell of each other: all
// come from a scaled inverse chi-square distribution around `variance` that is worth `df`
// more values (Smyth 2004, moderated t). df is infinite where they do not differ by more than
// chance makes them.
struct stats_prior {
	double variance, df;
};
// From n variances with degrees of freedom each (above 0); df 0 where n is 0. Returns 0 or -ENOMEM.
int stats_prior(const double *variance, const double *df, size_t n, struct stats_prior *prior);
// The variance of one point, in the light of all. Its degrees of freedom are df + prior->df.
double stats_moderate(double variance, double df, const struct stats_prior *prior);
// How many standard errors an interval of this level (0 to 1) reaches to each side: Student's t
// with df degrees of freedom (at least 1 is taken), which may be infinite (normal).
double stats_critical(double level, double df);
// A point measured twice. Borrows its groups.
struct stats_pair {
	struct stats_group before, after;
	double ratio;             // set: median of after / median of before
	struct interval interval; // set: of that ratio
	bool assumed;             // set: no side has two processes, so their variation was assumed
};

enum { STATS_SPREAD_PAIRS = 10 };
// Between two runs of one process each, processes are taken to vary by this much (standard
// deviation of the logarithm): it cannot be seen there, and re-measuring shows up to this.
#define STATS_UNSEEN_SD 0.05
// And points to differ in that as much as if each variance came from so few values.
#define STATS_UNSEEN_DF 4.0
// No two processes are believed to agree better than this.
#define STATS_LEAST_SD 0.002

// Compares each pair, all at once: with probability `level` (0.95) no interval of all n misses its
// true ratio, so that a run without change seldom alarms however many points it has (Bonferroni:
// each interval has level 1 - (1 - level) / n). An interval is the hull of two, because each
// is too narrow where the other is not:
// - the hierarchical bootstrap's, which assumes no distribution but, from three processes, covers
//   far less than it says;
// - Student's t on log medians of processes, with variances moderated over all pairs (stats_prior).
//   Drift that hits all points of a process alike makes the pairs one experiment with few degrees
//   of freedom, so it is never narrower than t with one pair's own at `level`.
// Where neither side has two processes the variance is at least STATS_UNSEEN_SD squared, and at
// least the spread of all ratios (MAD) where there are STATS_SPREAD_PAIRS.
// What differs between the two runs as a whole (another day, another neighbour) is in the ratio:
// no statistics can tell that from a change. Returns 0, -EINVAL for an empty group, or -ENOMEM.
int stats_compare(struct stats_pair *pairs, size_t n, double level);
