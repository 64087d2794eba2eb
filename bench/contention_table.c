// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contention_table.h"

static const char kernel_name[] = "contention";

static bool is_contention(const struct row *row)
{
	const char *name = row->point.kernel;
	size_t size = sizeof kernel_name - 1;
	return strncmp(name, kernel_name, size) == 0 && (name[size] == '\0' || name[size] == '@');
}

static double value_of(const char *text)
{
	char *end;
	double value = text ? strtod(text, &end) : NAN;
	return text && end != text && (*end == '\0' || *end == ',') ? value : NAN;
}

// What an instance's name says, else what the run recorded.
static double setting(const struct row *row, const struct result *r, const char *param)
{
	char name[2 * NAME_LEN];
	size_t size = strlen(param);
	for (const char *s = strchr(row->point.kernel, '@'); s; s = strchr(s + 1, ','))
		if (strncmp(s + 1, param, size) == 0 && s[1 + size] == '=')
			return value_of(s + size + 2);
	snprintf(name, sizeof name, "%s.%s", kernel_name, param);
	return value_of(result_param(r, name));
}

static bool is_usable(const struct row *row)
{
	return is_contention(row) && row->has_samples && !row->failed;
}

static double attainable(const struct table *t, const struct row *row)
{
	struct point alone = row->point;
	snprintf(alone.strategy, sizeof alone.strategy, "private");
	alone.lock[0] = '\0';
	const struct row *found = table_find(t, &alone);
	return found && is_usable(found) ? found->speedup : NAN;
}

static int by_number(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

static int by_curve(const void *a, const void *b)
{
	const struct contention_point *x = a, *y = b;
	struct point p = x->row->point, q = y->row->point;
	q.kernel[0] = p.kernel[0] = '\0';
	int order = point_compare(&p, &q);
	if (!order)
		order = by_number(x->lines, y->lines);
	return order ? order : by_number(x->cs_ns, y->cs_ns);
}

static int by_setting(const void *a, const void *b)
{
	const struct contention_point *x = a, *y = b;
	int order = by_curve(a, b);
	if (!order)
		order = by_number(x->work_ns, y->work_ns);
	/* the plain kernel and an instance may be the same setting */
	return order ? order : strcmp(x->row->point.kernel, y->row->point.kernel);
}

int contention_init(
	struct contention_table *c, const struct table *t, const struct result *r, struct error *e)
{
	*c = (struct contention_table){.points = calloc(t->count + 1, sizeof *c->points)};
	if (!c->points)
		return error_set(e, ENOMEM, "no memory for the table of settings");
	for (const struct row *row = t->rows; row < t->rows + t->count; row++)
		if (is_usable(row))
			c->points[c->count++] =
				(struct contention_point){.cs_ns = setting(row, r, "cs"),
					.work_ns = setting(row, r, "work"),
					.lines = setting(row, r, "lines"),
					.row = row,
					.attainable = attainable(t, row)};
	qsort(c->points, c->count, sizeof *c->points, by_setting);
	return 0;
}

void contention_fini(struct contention_table *c)
{
	free(c->points);
	*c = (struct contention_table){0};
}

static double reached(const struct contention_point *p)
{
	return p->row->speedup / p->attainable;
}

double contention_crossover(const struct contention_point *points, size_t count)
{
	size_t first = count;
	while (first > 0 && reached(&points[first - 1]) >= CONTENTION_REACHED)
		first--;
	if (first == count)
		return NAN;
	if (first == 0 || isnan(reached(&points[first - 1])))
		return points[first].work_ns;
	const struct contention_point *below = &points[first - 1], *above = &points[first];
	double part = (CONTENTION_REACHED - reached(below)) / (reached(above) - reached(below));
	double low = log1p(below->work_ns), high = log1p(above->work_ns); /* work may be 0 */
	return expm1(low + part * (high - low));
}

static void put(FILE *out, double number, char end)
{
	if (isfinite(number))
		fprintf(out, "%.6g%c", number, end);
	else
		fprintf(out, "NA%c", end);
}

static int write_points(FILE *out, void *data)
{
	const struct contention_table *c = data;
	fputs("cs_ns\twork_ns\tlines\tlock\tstrategy\tplacement\tthreads\tops_per_second\tspeedup\t"
	      "speedup_lo\tspeedup_hi\tattainable\n",
		out);
	for (const struct contention_point *p = c->points; p < c->points + c->count; p++) {
		const struct point *at = &p->row->point;
		put(out, p->cs_ns, '\t');
		put(out, p->work_ns, '\t');
		put(out, p->lines, '\t');
		fprintf(out, "%s\t%s\t%s\t%u\t%.10g\t", *at->lock ? at->lock : "-", at->strategy,
			at->placement, at->threads, p->row->ops_per_second);
		put(out, p->row->speedup, '\t');
		put(out, p->row->gain.lo, '\t');
		put(out, p->row->gain.hi, '\t');
		put(out, p->attainable, '\n');
	}
	return 0;
}

static int write_crossovers(FILE *out, void *data)
{
	const struct contention_table *c = data;
	fputs("lock\tplacement\tthreads\tlines\tcs_ns\twork_ns_at_crossover\n", out);
	for (size_t i = 0, end; i < c->count; i = end) {
		const struct contention_point *p = &c->points[i];
		for (end = i + 1; end < c->count && by_curve(p, &c->points[end]) == 0;)
			end++;
		if (!*p->row->point.lock)
			continue;
		fprintf(out, "%s\t%s\t%u\t", p->row->point.lock, p->row->point.placement,
			p->row->point.threads);
		put(out, p->lines, '\t');
		put(out, p->cs_ns, '\t');
		put(out, contention_crossover(p, end - i), '\n');
	}
	return 0;
}

int contention_write(
	const struct table *t, const struct result *r, const char *dir, struct error *e)
{
	struct contention_table c;
	int rc = contention_init(&c, t, r, e);
	if (!rc && c.count)
		rc = table_replace_file(dir, "contention.tsv", write_points, &c, e);
	if (!rc && c.count)
		rc = table_replace_file(dir, "crossover.tsv", write_crossovers, &c, e);
	contention_fini(&c);
	return rc;
}
