// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
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

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec * 1e-6;
}

static double own_seconds(void)
{
	double sum = 0;
	const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	for (int i = 0; i < 2; i++) {
		struct rusage r = {0};
		getrusage(whose[i], &r);
		sum += seconds_of(&r.ru_utime) + seconds_of(&r.ru_stime);
	}
	return sum;
}

static bool is_allowed(const struct machine *m, unsigned os)
{
	for (unsigned i = 0; i < m->allowed_pus; i++)
		if (m->pu[i].os == os)
			return true;
	return false;
}

// Everything but idle and waiting for a disk.
static double busy_seconds(const struct machine *m)
{
	FILE *f = fopen("/proc/stat", "re");
	char line[512];
	unsigned long long ticks = 0;
	while (f && fgets(line, sizeof line, f)) {
		unsigned cpu;
		unsigned long long user, nice, system, irq, softirq, stolen;
		if (sscanf(line, "cpu%u %llu %llu %llu %*u %*u %llu %llu %llu", &cpu, &user, &nice,
			    &system, &irq, &softirq, &stolen) == 7 &&
			is_allowed(m, cpu))
			ticks += user + nice + system + irq + softirq + stolen;
	}
	if (f)
		fclose(f);
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

void meter_start(struct meter *m, const struct tour *t)
{
	*m = (struct meter){clock_ns(), own_seconds(), busy_seconds(&t->machine)};
}

double meter_share(const struct meter *m, const struct tour *t)
{
	double elapsed = (double)(clock_ns() - m->start_ns) * 1e-9;
	double busy = busy_seconds(&t->machine) - m->busy, own = own_seconds() - m->own;
	double share = (busy - own) / (elapsed * t->machine.allowed_pus);
	return share > 0 ? share : 0;
}
