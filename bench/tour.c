// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "tour.h"

struct spread spread_of(double *v, size_t n)
{
	stats_sort(v, n);
	return (struct spread){stats_median(v, n), stats_median_interval(v, n, 0.95), n};
}

struct spread spread_single(double value)
{
	return (struct spread){value, {value, value, 0}, 1};
}

// Three digits, and all that stand before the point.
static int digits_behind_point(double v)
{
	return v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.9995 ? 2 : 3;
}

char *spread_text(const struct spread *s, double scale, char *buf, size_t size)
{
	double median = s->median * scale, lo = s->interval.lo * scale, hi = s->interval.hi * scale;
	snprintf(buf, size, "%.*f [%.*f, %.*f]", digits_behind_point(median), median,
		digits_behind_point(lo), lo, digits_behind_point(hi), hi);
	return buf;
}

void finding_measure(
	struct finding *f, const struct spread *s, const char *unit, const char *format, ...)
{
	if (f->measures == TOUR_MEASURES_MOST)
		return;
	struct measure *m = &f->measure[f->measures++];
	va_list args;
	va_start(args, format);
	vsnprintf(m->name, sizeof m->name, format, args);
	va_end(args);
	m->unit = unit;
	m->spread = *s;
}

void finding_answer(struct finding *f, const char *label, enum answer a)
{
	if (f->conditions < TOUR_CONDITIONS_MOST)
		f->condition[f->conditions++] = (struct condition){label, a};
}

int tour_continues(const struct tour *t, struct error *e)
{
	return *t->interrupted ? error_set(e, ECANCELED, "interrupted") : 0;
}

char *tour_pus(const struct tour *t, unsigned workers, char *buf, size_t size)
{
	enum { NAMED = 8 };
	unsigned all = t->machine.allowed_pus, count = workers < all ? workers : all;
	size_t used = (size_t)snprintf(buf, size, "PU%s ", count > 1 ? "s" : "");
	for (unsigned i = 0; i < count && i < NAMED && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%u", i ? ", " : "",
			t->machine.pu[t->order[i]].os);
	if (count > NAMED && used < size)
		snprintf(buf + used, size - used, ", ... (%u)", count);
	return buf;
}
