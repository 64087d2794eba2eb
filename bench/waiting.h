// SPDX-License-Identifier: BSD-2-Clause
// What waiting for each other looks like, from samples: how long acquire takes, how evenly the
// workers share, how long a lock takes from one worker to the next, and what the processor counted.
#pragma once

#include <stdio.h>

#include "error.h"
#include "result.h"
#include "table.h"

// A point's latency samples together: of the main mode of their line transfers (see table.h), the
// undisturbed ones where at least half are. Times are in ns, each at most 1/32 above the true one.
struct latency_row {
	char what[16]; // was timed: "acquire", "operation", "request"
	struct point point;
	uint64_t acquisitions, p50, p99, p999, max;
	double clock_ns, line_ns;    // medians; line_ns 0: not probed; clock_ns NaN: not part of it
	unsigned samples, disturbed; // of the main mode
};
// Rows in the order of point_compare; *rows is the caller's to free. Returns 0 or -ENOMEM.
int waiting_latency(const struct result *r, struct latency_row **rows, size_t *count);

// Writes DIR/fairness.tsv, handover.tsv and, where there were such samples, latency.tsv and
// counters.tsv. latency.tsv also has the requests of kernels that tell their percentiles
// (kernel.h). Failed points are left out. Returns 0 or a negative errno with a message.
int waiting_write(const struct table *t, const struct result *r, const char *dir, struct error *e);

// For the verdict: the latencies of one kernel's locks (`counter`, else the first that has any) in
// that placement at the largest worker count. Nothing without latency samples. Returns 0 or
// -ENOMEM.
int waiting_print_latency(
	FILE *out, const struct table *t, const struct result *r, const char *placement);
