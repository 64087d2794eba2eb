// SPDX-License-Identifier: BSD-2-Clause
// What a run leaves behind, in memory: samples, failed points, and what must be known of the
// machine to read them. Reads and writes a result directory's benchmark.json. Knows nothing of
// how a sample was made; analysis works on this alone, so also on another machine's results.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { NAME_LEN = 48 };

struct point {
	char kernel[NAME_LEN];
	char strategy[NAME_LEN];
	char lock[NAME_LEN]; // "" where the strategy has none
	char placement[NAME_LEN];
	unsigned threads; // workers
};

// What a kernel counted beside its operations.
struct result_count {
	char name[NAME_LEN];
	double value; // of a total: what the window added; of a level: what it was afterwards
	bool level;
};

struct sample {
	struct point point;
	unsigned process; // which fresh process measured it, from 0
	unsigned sample;  // which of that process's samples of the point, from 0
	double ops_per_second;
	double start_skew_ns; // last worker's start minus the first's
	double line_ns;       // median round trip of a line between neighbours; 0: not probed
	int mode;             // group of line_ns within the point, 0 the closest; set by analysis
	bool disturbed;       // by other work, steal, or a line_ns that changed during the sample
	int64_t lost_updates;
	double ops_min, ops_max; // fewest and most operations by one worker
	double seconds;          // the window as it was, or the makespan
	double foreign_ns;       // longest time a worker waited for its PU behind other work
	double stolen_ns;        // taken by the hypervisor from the workers' PUs, in all
	uint64_t involuntary_switches, voluntary_switches, page_faults, migrations;
	unsigned tries;     // times it was measured before it was kept, 1 or more
	double *worker_ops; // operations of each of point.threads workers; null: unknown
	double cycles, instructions, cache_misses; // of all workers; cycles 0: not counted
	double failed_per_second;    // operations that had nothing to do, apart from ops_per_second
	double memory_bytes;         // that the kernel's state held at the end; 0: unknown
	struct result_count *counts; // the kernel's own, in its order; null: none
	unsigned count_count;
};

// How long acquire took, or an operation of a structure, over one window of one point.
struct latency_bucket {
	uint64_t ns, count; // the bucket's largest value
};
struct latency_sample {
	struct point point;
	unsigned process, sample;
	uint64_t acquisitions; // or operations
	char what[16];         // was timed: "acquire", "operation"
	uint64_t max_ns;
	double clock_ns; // two readings of the clock with nothing in between, part of each value
	double line_ns;  // as of a sample
	bool disturbed;
	struct latency_bucket *buckets;
	size_t bucket_count;
};

struct result_lock {
	char name[NAME_LEN];
	bool fifo;
};

struct failure {
	struct point point;
	char why[256];
};

struct result_boundary {
	char placement[NAME_LEN];
	unsigned after;
	char what[32];
};

struct result_unit {
	char kernel[NAME_LEN];
	char unit[NAME_LEN]; // plural: "increments", "bytes", "transfers", "rows"
};

struct result_param {
	char name[2 * NAME_LEN]; // "contention.cs"
	char value[64];          // as text; cut where longer
};

struct result {
	char name[256]; // of the directory
	char host[64];
	char cpu[128];
	char date[32];    // ISO 8601, start of the run
	char version[32]; // of the lockscale that measured
	uint64_t seed;    // of the random order
	double window_ms; // asked for; 0 where unknown
	unsigned packages, numa_nodes, cores, pus, allowed_cores, allowed_pus;
	struct sample *samples;
	size_t sample_count;
	struct failure *failures;
	size_t failure_count;
	struct result_boundary *boundaries;
	size_t boundary_count;
	struct result_unit *units;
	size_t unit_count;
	struct result_param *params; // of the kernels measured under their plain names
	size_t param_count;
	struct latency_sample *latencies;
	size_t latency_count;
	struct result_lock *locks; // those that the run said something of
	size_t lock_count;
};

// Loads DIR/benchmark.json (rebuilt first from DIR/journal.jsonl where that is newer or alone), and
// DIR/latency.jsonl where there is one.
// A path to a .json file is read as such. Entries need kernel, strategy, placement, threads
// and ops_per_second; all else has a default, so that files from other machines and hand-made
// ones read. Returns 0 or a negative errno with a message that names file, entry and field:
// -ENOENT where there is no such result, -EINVAL where it cannot be understood, -EIO, -ENOMEM.
// On failure r is empty and needs no free. Samples come in no particular order; `mode` is as
// stored (analysis sets it anew).
int result_load(struct result *r, const char *dir, struct error *e);
void result_free(struct result *r);

// Writes DIR/benchmark.json from DIR/journal.jsonl; the journal provides it.
int journal_to_result_file(const char *dir, struct error *e);

// What the operations of this kernel are called; "operations" where nobody said.
const char *result_unit(const struct result *r, const char *kernel);

// The value of a kernel's parameter in this run, borrowed; null where nobody recorded it.
const char *result_param(const struct result *r, const char *name);

// a and b are the same variant (kernel, strategy, lock) / the same point.
bool same_variant(const struct point *a, const struct point *b);
bool same_point(const struct point *a, const struct point *b);
// Orders by kernel, strategy, lock, placement, threads; for qsort-like use on struct point.
int point_compare(const void *a, const void *b);
// "kernel/strategy[/lock]", and "kernel/strategy[/lock]/placement:P/threads:N". Returns buf.
char *variant_name(const struct point *p, char *buf, size_t size);
char *point_name(const struct point *p, char *buf, size_t size);
