// SPDX-License-Identifier: BSD-2-Clause
// A histogram of times with bounded relative error: 32 equal buckets in each power of two (after
// the log-linear histograms of Tene's HdrHistogram, 2012). A percentile is the upper end of its
// bucket: never below the true value, and at most 1/32 above it; values below 64 are exact.
// Its size is fixed, whatever is recorded, and recording costs a few instructions.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_BITS = 5, // 2^5 buckets in a power of two: the relative error is below 1/2^5
	HISTOGRAM_SLICES = 1 << HISTOGRAM_BITS,
	HISTOGRAM_BUCKETS = (63 - HISTOGRAM_BITS + 1) * HISTOGRAM_SLICES,
};

// All zero is an empty one.
struct histogram {
	uint64_t count, max; // of all values; the largest is exact
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

// Values from INT64_MAX on share the last bucket.
static inline unsigned histogram_bucket(uint64_t value)
{
	if (value < HISTOGRAM_SLICES)
		return (unsigned)value;
	if (value > INT64_MAX)
		value = INT64_MAX;
	unsigned shift = 63 - HISTOGRAM_BITS - (unsigned)__builtin_clzll(value);
	return shift * HISTOGRAM_SLICES + (unsigned)(value >> shift);
}

// The largest value that falls into a bucket.
static inline uint64_t histogram_upper(unsigned bucket)
{
	unsigned octave = bucket / HISTOGRAM_SLICES;
	if (octave == 0)
		return bucket;
	uint64_t slice = bucket % HISTOGRAM_SLICES + HISTOGRAM_SLICES;
	return ((slice + 1) << (octave - 1)) - 1;
}

static inline void histogram_record(struct histogram *h, uint64_t value)
{
	h->bucket[histogram_bucket(value)]++;
	h->count++;
	h->max = value > h->max ? value : h->max;
}

// Adds what `from` holds to `h`.
void histogram_merge(struct histogram *h, const struct histogram *from);
// The value that a share p (0 to 1) of all values does not exceed, up to the error above; at most
// the largest value. 0 where nothing was recorded.
uint64_t histogram_percentile(const struct histogram *h, double p);
