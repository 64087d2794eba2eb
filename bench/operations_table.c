// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>

#include "operations_table.h"

double operations_failed_share(const struct row *row)
{
	double tried = row->ops_per_second + row->failed_per_second;
	return tried > 0 ? row->failed_per_second / tried : NAN;
}

static void put_number(FILE *out, double number)
{
	if (isfinite(number))
		fprintf(out, "\t%.6g", number);
	else
		fputs("\tNA", out);
}

static int write_operations(FILE *out, void *data)
{
	const struct table *t = data;
	fputs("kernel\tstrategy\tlock\tplacement\tthreads\tops_per_second\tfailed_per_second\t"
	      "failed_share\tmemory_bytes\n",
		out);
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];
		const struct point *p = &row->point;
		if (!row->has_samples || row->failed)
			continue;
		fprintf(out, "%s\t%s\t%s\t%s\t%u", p->kernel, p->strategy, *p->lock ? p->lock : "-",
			p->placement, p->threads);
		put_number(out, row->ops_per_second);
		put_number(out, row->failed_per_second);
		put_number(out, operations_failed_share(row));
		put_number(out, row->memory_bytes);
		fputc('\n', out);
	}
	return 0;
}

int operations_write(const struct table *t, const char *dir, struct error *e)
{
	return table_replace_file(dir, "operations.tsv", write_operations, (void *)t, e);
}
