// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "waiting.h"
#include "counts_table.h"
#include "histogram.h"
#include "stats.h"

/* Latency: samples to rows. */

static int by_point(const void *a, const void *b)
{
	const struct latency_sample *x = *(const struct latency_sample *const *)a;
	const struct latency_sample *y = *(const struct latency_sample *const *)b;
	return point_compare(&x->point, &y->point);
}

// Room for one point's samples, as long as the largest point.
struct scratch {
	double *number;
	bool *disturbed;
	int *mode;
	struct histogram *sum;
};

static void merge(struct histogram *sum, const struct latency_sample *l)
{
	for (size_t i = 0; i < l->bucket_count; i++)
		sum->bucket[histogram_bucket(l->buckets[i].ns)] += l->buckets[i].count;
	sum->count += l->acquisitions;
	sum->max = l->max_ns > sum->max ? l->max_ns : sum->max;
}

static double median(double *v, size_t n)
{
	stats_sort(v, n);
	return stats_median(v, n);
}

// Leaves out the disturbed samples of the main mode unless they are most of it.
static void add_used(struct latency_row *row, const struct scratch *x,
	const struct latency_sample *const *l, size_t n, int mode)
{
	size_t used = 0;
	memset(x->sum, 0, sizeof *x->sum);
	for (size_t i = 0; i < n; i++) {
		if (x->mode[i] != mode || (l[i]->disturbed && 2 * row->disturbed <= row->samples))
			continue;
		merge(x->sum, l[i]);
		x->number[used++] = l[i]->clock_ns;
	}
	row->clock_ns = median(x->number, used);
	row->acquisitions = x->sum->count;
	row->p50 = histogram_percentile(x->sum, 0.5);
	row->p99 = histogram_percentile(x->sum, 0.99);
	row->p999 = histogram_percentile(x->sum, 0.999);
	row->max = x->sum->max;
}

static int fill_row(struct latency_row *row, const struct scratch *x,
	const struct latency_sample *const *l, size_t n)
{
	*row = (struct latency_row){.point = l[0]->point};
	strcpy(row->what, l[0]->what);
	for (size_t i = 0; i < n; i++) {
		x->number[i] = l[i]->line_ns;
		x->disturbed[i] = l[i]->disturbed;
	}
	int modes = stats_modes(x->number, x->disturbed, n, x->mode);
	if (modes < 0)
		return modes;
	int mode = stats_main_mode(x->mode, n, modes);
	for (size_t i = 0; i < n; i++) {
		if (x->mode[i] != mode)
			continue;
		x->number[row->samples++] = l[i]->line_ns;
		row->disturbed += l[i]->disturbed;
	}
	row->line_ns = median(x->number, row->samples);
	add_used(row, x, l, n, mode);
	return 0;
}

static int fill_rows(struct latency_row *rows, size_t *count, const struct scratch *x,
	const struct latency_sample *const *l, size_t n)
{
	int rc = 0;
	*count = 0;
	for (size_t start = 0, end; start < n && !rc; start = end) {
		for (end = start + 1; end < n; end++)
			if (!same_point(&l[start]->point, &l[end]->point))
				break;
		rc = fill_row(&rows[(*count)++], x, l + start, end - start);
	}
	return rc;
}

int waiting_latency(const struct result *r, struct latency_row **rows, size_t *count)
{
	size_t n = r->latency_count;
	const struct latency_sample **sorted = calloc(n + 1, sizeof *sorted);
	struct scratch x = {
		.number = calloc(n + 1, sizeof *x.number),
		.disturbed = calloc(n + 1, sizeof *x.disturbed),
		.mode = calloc(n + 1, sizeof *x.mode),
		.sum = malloc(sizeof *x.sum),
	};
	*rows = calloc(n + 1, sizeof **rows);
	int rc = -ENOMEM;
	if (sorted && x.number && x.disturbed && x.mode && x.sum && *rows) {
		for (size_t i = 0; i < n; i++)
			sorted[i] = &r->latencies[i];
		qsort(sorted, n, sizeof *sorted, by_point);
		rc = fill_rows(*rows, count, &x, sorted, n);
	}
	free(sorted);
	free(x.number);
	free(x.disturbed);
	free(x.mode);
	free(x.sum);
	if (rc) {
		free(*rows);
		*rows = NULL;
		*count = 0;
	}
	return rc;
}

// Where a kernel tells percentiles of its requests' times: medians of what its samples told, and
// the longest of all.
static bool request_row(struct latency_row *to, const struct row *row)
{
	static const char *const name[] = {"p50_ns", "p99_ns", "p999_ns", "max_ns"};
	const struct table_count *c[4];
	for (int i = 0; i < 4; i++) {
		c[i] = row->has_samples ? counts_find(row, name[i]) : NULL;
		if (!c[i] || !c[i]->level || isnan(c[i]->value))
			return false;
	}
	const struct table_mode *m = &row->modes[row->mode];
	*to = (struct latency_row){.what = "request",
		.point = row->point,
		.acquisitions = isfinite(row->operations) ? (uint64_t)row->operations : 0,
		.p50 = (uint64_t)c[0]->value,
		.p99 = (uint64_t)c[1]->value,
		.p999 = (uint64_t)c[2]->value,
		.max = (uint64_t)c[3]->most,
		.clock_ns = NAN,
		.line_ns = m->line_ns,
		.samples = m->samples,
		.disturbed = m->disturbed};
	return true;
}

// The latency samples' rows and those of requests.
static int all_rows(
	const struct table *t, const struct result *r, struct latency_row **rows, size_t *count)
{
	int rc = waiting_latency(r, rows, count);
	if (rc)
		return rc;
	struct latency_row *more = realloc(*rows, (*count + t->count + 1) * sizeof *more);
	if (!more) {
		free(*rows);
		*rows = NULL;
		return -ENOMEM;
	}
	*rows = more;
	for (size_t i = 0; i < t->count; i++)
		*count += request_row(&more[*count], &t->rows[i]);
	return 0;
}

/* Files. */

struct writing {
	const struct table *table;
	const struct result *result;
	const struct latency_row *latency;
	size_t latency_count;
};

static void put_point(FILE *out, const struct point *p)
{
	fprintf(out, "%s\t%s\t%s\t%s\t%u", p->kernel, p->strategy, *p->lock ? p->lock : "-",
		p->placement, p->threads);
}

static void put_number(FILE *out, double number)
{
	if (isfinite(number))
		fprintf(out, "\t%.6g", number);
	else
		fputs("\tNA", out);
}

static bool failed(const struct table *t, const struct point *p)
{
	const struct row *row = table_find(t, p);
	return row && row->failed;
}

static int write_latency(FILE *out, void *data)
{
	const struct writing *w = data;
	fputs("kernel\tstrategy\tlock\tplacement\tthreads\tacquisitions\tp50_ns\tp99_ns\tp999_ns\t"
	      "max_ns\tclock_ns\tline_ns\tdisturbed_samples\twhat\n",
		out);
	for (size_t i = 0; i < w->latency_count; i++) {
		const struct latency_row *row = &w->latency[i];
		if (failed(w->table, &row->point))
			continue;
		put_point(out, &row->point);
		fprintf(out, "\t%llu\t%llu\t%llu\t%llu\t%llu",
			(unsigned long long)row->acquisitions, (unsigned long long)row->p50,
			(unsigned long long)row->p99, (unsigned long long)row->p999,
			(unsigned long long)row->max);
		put_number(out, row->clock_ns);
		put_number(out, row->line_ns);
		fprintf(out, "\t%u\t%s\n", row->disturbed, row->what);
	}
	return 0;
}

static double longest_wait(const struct writing *w, const struct point *p)
{
	for (size_t i = 0; i < w->latency_count; i++)
		if (same_point(&w->latency[i].point, p) && w->latency[i].acquisitions)
			return (double)w->latency[i].max;
	return NAN;
}

static bool valid(const struct row *row)
{
	return row->has_samples && !row->failed;
}

static int write_fairness(FILE *out, void *data)
{
	const struct writing *w = data;
	fputs("kernel\tstrategy\tlock\tplacement\tthreads\tjain\tfewest_over_most\t"
	      "longest_wait_ns\tshares\n",
		out);
	for (size_t i = 0; i < w->table->count; i++) {
		const struct row *row = &w->table->rows[i];
		unsigned workers = row->point.threads;
		if (!valid(row) || workers < 2) /* one worker shares with nobody */
			continue;
		put_point(out, &row->point);
		put_number(out, row->jain);
		put_number(out, row->fairness);
		put_number(out, longest_wait(w, &row->point));
		for (unsigned j = 0; row->shares && j < workers && j < TABLE_SHARES_MOST; j++)
			fprintf(out, "%c%.4g", j ? ',' : '\t', row->shares[j]);
		fputs(row->shares ? "\n" : "\tNA\n", out);
	}
	return 0;
}

static const struct result_lock *find_lock(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->lock_count; i++)
		if (!strcmp(r->locks[i].name, name))
			return &r->locks[i];
	return NULL;
}

// One operation of `counter` is one hand-over when others wait. What none can be shorter than is
// the section itself, which the sequential program's operation is, and one line's way to the next
// worker, half a round trip.
static void put_handover(FILE *out, const struct writing *w, const struct row *row)
{
	const struct row *alone = table_baseline(w->table, row);
	const struct result_lock *lock = find_lock(w->result, row->point.lock);
	double line = row->modes[row->mode].line_ns;
	double handover = 1e9 / row->ops_per_second;
	double section = alone ? 1e9 / alone->ops_per_second : NAN;
	double one_way = line > 0 ? line / 2 : NAN;
	fprintf(out, "%s\t%s\t%s\t%u", row->point.lock,
		!lock        ? "NA"
		: lock->fifo ? "1"
			     : "0",
		row->point.placement, row->point.threads);
	put_number(out, handover);
	put_number(out, section);
	put_number(out, one_way);
	put_number(out, section + one_way);
	put_number(out, handover / (section + one_way));
	fputc('\n', out);
}

static int write_handover(FILE *out, void *data)
{
	const struct writing *w = data;
	fputs("lock\tfifo\tplacement\tthreads\thandover_ns\tsection_ns\tline_ns\tlimit_ns\tratio\n",
		out);
	for (size_t i = 0; i < w->table->count; i++) {
		const struct row *row = &w->table->rows[i];
		if (valid(row) && row->point.threads >= 2 && *row->point.lock &&
			!strcmp(row->point.kernel, "counter") &&
			!strcmp(row->point.strategy, "global-lock"))
			put_handover(out, w, row);
	}
	return 0;
}

static bool counted(const struct row *row)
{
	return valid(row) && isfinite(row->cycles);
}

static int write_counters(FILE *out, void *data)
{
	const struct writing *w = data;
	fputs("kernel\tstrategy\tlock\tplacement\tthreads\tcycles_per_op\tinstructions_per_op\t"
	      "cache_misses_per_op\n",
		out);
	for (size_t i = 0; i < w->table->count; i++) {
		const struct row *row = &w->table->rows[i];
		if (!counted(row))
			continue;
		put_point(out, &row->point);
		put_number(out, row->cycles);
		put_number(out, row->instructions);
		put_number(out, row->cache_misses);
		fputc('\n', out);
	}
	return 0;
}

static bool any_counted(const struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (counted(&t->rows[i]))
			return true;
	return false;
}

int waiting_write(const struct table *t, const struct result *r, const char *dir, struct error *e)
{
	struct latency_row *rows;
	struct writing w = {t, r, NULL, 0};
	int rc = all_rows(t, r, &rows, &w.latency_count);
	if (rc)
		return error_set(e, -rc, "latencies: %s", strerror(-rc));
	w.latency = rows;
	rc = table_replace_file(dir, "fairness.tsv", write_fairness, &w, e);
	if (!rc)
		rc = table_replace_file(dir, "handover.tsv", write_handover, &w, e);
	if (!rc && w.latency_count)
		rc = table_replace_file(dir, "latency.tsv", write_latency, &w, e);
	if (!rc && any_counted(t))
		rc = table_replace_file(dir, "counters.tsv", write_counters, &w, e);
	free(rows);
	return rc;
}

/* For the verdict. */

struct choice {
	const struct table *table;
	const char *kernel, *placement;
	unsigned threads;
};

static bool in_choice(const struct choice *c, const struct latency_row *row)
{
	const struct point *p = &row->point;
	return row->acquisitions && !failed(c->table, p) && !strcmp(p->placement, c->placement) &&
	       (!c->kernel || !strcmp(p->kernel, c->kernel)) &&
	       (!c->threads || p->threads == c->threads);
}

static void choose(struct choice *c, const struct latency_row *rows, size_t count)
{
	const char *kernel = NULL;
	unsigned most = 0;
	for (size_t i = 0; i < count; i++)
		if (in_choice(c, &rows[i]) && (!kernel || !strcmp(rows[i].point.kernel, "counter")))
			kernel = rows[i].point.kernel;
	c->kernel = kernel;
	for (size_t i = 0; kernel && i < count; i++)
		if (in_choice(c, &rows[i]) && rows[i].point.threads > most)
			most = rows[i].point.threads;
	c->threads = most;
}

// "20 ns", "1.3 us", "4.1 ms" in 8 columns.
static void put_time(FILE *out, uint64_t ns)
{
	double value = (double)ns;
	const char *unit = "ns";
	if (ns >= 1000000000)
		value *= 1e-9, unit = "s ";
	else if (ns >= 1000000)
		value *= 1e-6, unit = "ms";
	else if (ns >= 1000)
		value *= 1e-3, unit = "us";
	fprintf(out, "  %*.*f %s", 5, value < 10 && ns >= 1000 ? 1 : 0, value, unit);
}

static int by_p99(const void *a, const void *b)
{
	const struct latency_row *x = a, *y = b;
	int order = (x->p99 > y->p99) - (x->p99 < y->p99);
	return order ? order : point_compare(&x->point, &y->point);
}

static void print_latency_head(FILE *out, const struct latency_row *row, const struct choice *c)
{
	fprintf(out, "\n%s latency: %s, %u %s (all: latency.tsv", row->what, c->kernel, c->threads,
		c->threads == 1 ? "worker" : "workers");
	if (isfinite(row->clock_ns))
		fprintf(out, "; a clock reading is %.0f ns of each", row->clock_ns);
	fprintf(out, ")\n%-26s       p50       p99     p99.9       max\n", "");
}

int waiting_print_latency(
	FILE *out, const struct table *t, const struct result *r, const char *placement)
{
	struct latency_row *rows;
	struct choice c = {t, NULL, placement, 0};
	size_t count;
	int rc = all_rows(t, r, &rows, &count);
	if (rc)
		return rc;
	qsort(rows, count, sizeof *rows, by_p99);
	choose(&c, rows, count);
	bool any = false;
	for (size_t i = 0; c.kernel && i < count; i++) {
		const struct point *p = &rows[i].point;
		char name[2 * NAME_LEN + 1];
		if (!in_choice(&c, &rows[i]))
			continue;
		if (!any)
			print_latency_head(out, &rows[i], &c);
		any = true;
		snprintf(name, sizeof name, "%s%s%s", p->strategy, *p->lock ? "/" : "", p->lock);
		fprintf(out, "%-26s", name);
		put_time(out, rows[i].p50);
		put_time(out, rows[i].p99);
		put_time(out, rows[i].p999);
		put_time(out, rows[i].max);
		fputc('\n', out);
	}
	free(rows);
	return 0;
}
