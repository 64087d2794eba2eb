// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <string.h>

#include "indirect.h"

static bool is_lock(const struct row *row, const char *lock)
{
	const struct point *p = &row->point;
	return p->threads == 1 && strcmp(p->lock, lock) == 0 && strcmp(p->kernel, "counter") == 0 &&
	       strcmp(p->strategy, "global-lock") == 0;
}

static const struct row *find(const struct table *t, const char *lock)
{
	for (size_t i = 0; i < t->count; i++)
		if (is_lock(&t->rows[i], lock))
			return &t->rows[i];
	return NULL;
}

bool indirect_yardstick(const struct table *t, const struct row *row)
{
	bool either = is_lock(row, INLINED_LOCK) || is_lock(row, INDIRECT_LOCK);
	return either && find(t, INDIRECT_LOCK);
}

static double nanoseconds(double inlined, double indirect)
{
	return 1e9 / indirect - 1e9 / inlined;
}

bool indirect_cost(const struct table *t, double *ns, struct interval *interval)
{
	const struct row *a = find(t, INLINED_LOCK), *b = find(t, INDIRECT_LOCK);
	double inlined[STATS_RESAMPLES], indirect[STATS_RESAMPLES];
	if (!a || !b || !a->has_samples || !b->has_samples || a->failed || b->failed)
		return false;
	*ns = nanoseconds(a->ops_per_second, b->ops_per_second);
	if (stats_resample(&a->modes[a->mode].used, STATS_SEED, inlined, STATS_RESAMPLES) ||
		stats_resample(&b->modes[b->mode].used, STATS_SEED + 1, indirect, STATS_RESAMPLES))
		return false;
	for (size_t i = 0; i < STATS_RESAMPLES; i++)
		inlined[i] = nanoseconds(inlined[i], indirect[i]);
	stats_sort(inlined, STATS_RESAMPLES);
	*interval = (struct interval){stats_percentile(inlined, STATS_RESAMPLES, 0.025),
		stats_percentile(inlined, STATS_RESAMPLES, 0.975), 0.95};
	return isfinite(*ns);
}
