// SPDX-License-Identifier: BSD-2-Clause
#include "counts_table.h"

#include <math.h>
#include <string.h>

static const double rarest = 1e-5; // that is worth a word

static bool counted(const struct row *row)
{
	return row->has_samples && !row->failed && row->count_count;
}

static void put_number(FILE *out, double number)
{
	if (isfinite(number))
		fprintf(out, "\t%.6g", number);
	else
		fputs("\tNA", out);
}

static int write_counts(FILE *out, void *data)
{
	const struct table *t = data;
	fputs("kernel\tstrategy\tlock\tplacement\tthreads\tcount\tvalue\tper_operation\tsamples\n",
		out);
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];
		const struct point *p = &row->point;
		for (unsigned j = 0; counted(row) && j < row->count_count; j++) {
			const struct table_count *c = &row->counts[j];
			fprintf(out, "%s\t%s\t%s\t%s\t%u\t%s", p->kernel, p->strategy,
				*p->lock ? p->lock : "-", p->placement, p->threads, c->name);
			put_number(out, c->value);
			if (c->level)
				fputs("\t-", out);
			else
				put_number(out, c->per_operation);
			fprintf(out, "\t%zu\n", row->modes[row->mode].used.count);
		}
	}
	return 0;
}

int counts_write(const struct table *t, const char *dir, struct error *e)
{
	for (size_t i = 0; i < t->count; i++)
		if (counted(&t->rows[i]))
			return table_replace_file(dir, "counts.tsv", write_counts, (void *)t, e);
	return 0;
}

const struct table_count *counts_find(const struct row *row, const char *name)
{
	for (unsigned i = 0; i < row->count_count; i++)
		if (!strcmp(row->counts[i].name, name))
			return &row->counts[i];
	return NULL;
}

// Two digits that say something. x is above 0.
static void put_amount(double x, char *buf, size_t size)
{
	snprintf(buf, size, "%.*f", x >= 10 ? 0 : 1 - (int)floor(log10(x)), x);
}

// Per how many operations totals are told: one, or where they are rare a million.
static double scale_of(const struct row *row)
{
	double most = 0;
	for (unsigned i = 0; i < row->count_count; i++)
		if (!row->counts[i].level)
			most = fmax(most, row->counts[i].per_operation);
	return most < 0.001 ? 1e6 : 1;
}

static bool is_latency(const struct table_count *c)
{
	size_t n = strlen(c->name);
	return c->level && n > 3 && !strcmp(c->name + n - 3, "_ns");
}

// Its name in words: "failed acquires".
static void put_name(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s", name);
	for (char *c = strchr(buf, '-'); c; c = strchr(c, '-'))
		*c = ' ';
}

// What is too rare beside the others, or beside the operations, explains nothing.
static size_t say_counts(const struct row *row, bool levels, double scale, char *buf, size_t size)
{
	size_t used = 0;
	for (unsigned i = 0; i < row->count_count && used < size; i++) {
		const struct table_count *c = &row->counts[i];
		double x = levels ? c->value : c->per_operation * scale;
		char amount[32], name[NAME_LEN];
		if (c->level != levels || is_latency(c) || !isfinite(x) || x < rarest)
			continue;
		put_amount(x, amount, sizeof amount);
		put_name(c->name, name, sizeof name);
		used += (size_t)snprintf(
			buf + used, size - used, "%s%s %s", used ? ", " : "", amount, name);
	}
	return used;
}

char *counts_sentence(
	const struct row *row, const char *name, const char *unit, char *buf, size_t size)
{
	char totals[512], levels[256];
	double scale = scale_of(row);
	size_t some = say_counts(row, false, scale, totals, sizeof totals);
	size_t more = say_counts(row, true, 1, levels, sizeof levels);
	size_t plural = strlen(unit);
	int singular = (int)(plural && unit[plural - 1] == 's' ? plural - 1 : plural);
	unsigned workers = row->point.threads;
	*buf = '\0';
	if (some || more)
		snprintf(buf, size, "%s at %u worker%s: %s%s%.*s%s%s", name, workers,
			workers == 1 ? "" : "s", some ? totals : "",
			!some       ? ""
			: scale > 1 ? " per million "
				    : " per ",
			!some       ? 0
			: scale > 1 ? (int)plural
				    : singular,
			unit, some && more ? "; " : "", more ? levels : "");
	return buf;
}
