// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>

#include "histogram.h"

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->bucket[i] += from->bucket[i];
	h->count += from->count;
	h->max = from->max > h->max ? from->max : h->max;
}

uint64_t histogram_percentile(const struct histogram *h, double p)
{
	double rank = fmax(ceil(p * (double)h->count), 1);
	uint64_t seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if ((double)seen >= rank)
			return histogram_upper(i) < h->max ? histogram_upper(i) : h->max;
	}
	return h->max;
}
