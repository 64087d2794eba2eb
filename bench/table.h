// SPDX-License-Identifier: BSD-2-Clause
// From samples to one row per point: medians, intervals, speedups and modes, and the tables that
// charts are drawn from. A table is read-only once made, so any thread may read it.
//
// Within a mode all samples are kept and counted, but where at least half of them are undisturbed,
// medians and intervals use only the undisturbed ones.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"
#include "result.h"
#include "stats.h"

enum { TABLE_SHARES_MOST = 448 };

// The samples of a point that saw the same line transfer. `used` borrows from the table.
struct table_mode {
	double line_ns;        // median
	double ops_per_second; // median of those used
	double speedup;        // NaN without a baseline
	unsigned samples, disturbed;
	struct stats_group used;
};

// A number that could not be had is NaN ("NA" in the files). Speedups are against `sequential` of
// the same kernel with 1 worker: of the same placement where there is one, else of any.
// A median over the samples used. Of a total `value` is per second.
struct table_count {
	char name[NAME_LEN];
	bool level;
	double value;
	double per_operation; // NaN: of a level, or where the number of operations is unknown
	double most;          // the largest of a level
};

struct row {
	struct point point;
	double ops_per_second; // median in the main mode
	struct interval ops;   // of that median, by order statistics, 95 % where possible
	double speedup;
	struct interval gain;     // of the speedup, 95 %, by hierarchical bootstrap
	double efficiency;        // speedup per worker
	double self_speedup;      // against the same variant and placement with 1 worker
	double fairness;          // median of the fewest operations of a worker over the most
	int64_t lost;             // updates, over all samples
	double lost_share;        // of all updates; NaN where their number is unknown
	bool has_samples;         // else all of the above is NaN or 0
	bool failed;              // in any process: its numbers are not to be trusted
	char why[256];            // first reason given
	int mode;                 // the main one, an index into modes
	struct table_mode *modes; // ascending in line_ns; borrowed from the table
	int mode_count;
	double jain; // median of Jain's index of the workers' operations
	// Median share of each of the first TABLE_SHARES_MOST workers in all operations; null where
	// unknown. The table's.
	double *shares;
	double cycles, instructions, cache_misses; // medians per operation; NaN: not counted
	double failed_per_second;   // median: operations that had nothing to do; NaN: no samples
	double memory_bytes;        // median; NaN: unknown
	double operations;          // in all samples used together; NaN: unknown
	struct table_count *counts; // what the kernel counted; null: nothing. The table's
	unsigned count_count;
};

struct table {
	struct row *rows; // in the order of point_compare
	size_t count;
	double *values;
	unsigned *processes;
	struct table_mode *modes;
};

// Rows with modes and medians, but no speedups (NaN): what comparing two results needs.
// Returns 0 or a negative errno with a message; on failure t is empty and needs no fini.
int table_points(struct table *t, const struct result *r, struct error *e);
// The whole of it. r may be freed afterwards.
int table_init(struct table *t, const struct result *r, struct error *e);
void table_fini(struct table *t);

// The row of this point, borrowed, or null.
const struct row *table_find(const struct table *t, const struct point *p);
// The row that this row's speedup is against, borrowed, or null.
const struct row *table_baseline(const struct table *t, const struct row *row);
// The best row of the control kernel (nothing shared) with that many workers: what is attainable.
// Null where it was not measured.
const struct row *table_attainable(const struct table *t, const char *placement, unsigned threads);
// The smallest worker count at which this row's variant and placement beat one thread for
// certain (lower end of the speedup above 1): COST (McSherry, Isard & Murray 2015). 0: never.
unsigned table_cost(const struct table *t, const struct row *row);

// What this kernel's rows say in that placement, in plain words and at most size - 1 bytes:
// "histogram: lock-free stops at 3 cores". Returns buf.
char *table_finding(const struct table *t, const struct result *r, const char *kernel,
	const char *placement, double yes_at, char *buf, size_t size);

// Writes DIR/speedup.tsv, boundaries.tsv and findings.tsv, and where the kernel contention was
// measured contention.tsv and crossover.tsv, and operations.tsv and counts.tsv, each whole or not
// at all. Failed points are left out of speedup.tsv: verdict and findings name them. Returns 0 or a
// negative errno with a message.
int table_write(const struct table *t, const struct result *r, const char *dir, double yes_at,
	struct error *e);
// Writes DIR/NAME through `write` (which returns 0 or a negative errno), whole or not at all.
int table_replace_file(const char *dir, const char *name, int (*write)(FILE *out, void *data),
	void *data, struct error *e);
