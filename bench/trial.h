// SPDX-License-Identifier: BSD-2-Clause
// One sample of one point: the workers prepare the kernel's state, run until the rate is
// steady, probe the line transfer, run the measured window, probe again, and the first worker
// checks that every operation took effect exactly once. A disturbed sample is measured again.
#pragma once

#include "counters.h"
#include "kernel.h"
#include "latency.h"
#include "probe.h"
#include "team.h"

#include <stdio.h>

struct trial_settings {
	uint64_t window_ns;  // of a throughput sample
	uint64_t warm_up_ns; // at most, in all
	unsigned retries;    // of a disturbed sample
};

// What one worker did in the measured window.
struct worker_record {
	uint64_t operations;       // that took effect
	uint64_t failed;           // that had nothing to do
	uint64_t start_ns;         // when all were to start, which is when its time begins
	uint64_t begin_ns, end_ns; // its own stamps: later where another had its PU
};

struct observation {
	double operations_per_second; // sum over workers of operations/elapsed; makespan:
				      // all/longest
	double failed_per_second;     // the same of operations that had nothing to do
	double memory_bytes;  // that the kernel's state holds after the window; 0: not known
	double seconds;       // from the common start to the last worker's end
	double start_skew_ns; // last begin minus first
	double line_ns;       // round trip, mean of the probes before and after; 0: none
	bool line_moved;      // the two probes differ by more than half a power of two
	bool disturbed;
	unsigned tries; // 1 or more
	bool steady;    // two successive warm-up windows within 2 %
	double warm_up_seconds;
	double cpu_seconds; // of all workers
	double foreign_ns;  // longest wait of a worker behind other work
	double stolen_ns;
	uint64_t voluntary_switches, involuntary_switches, page_faults, migrations;
	int64_t lost_updates;
	struct counts counts; // of all workers, around the window
	// kernel->counts: of totals what the window added, of levels what they were after it
	double kernel_counts[KERNEL_COUNTS_MOST];
	struct worker_record *worker; // caller's memory, one per worker
};

struct trial {
	const struct trial_settings *settings;
	const struct kernel *kernel;
	const struct variant *variant;
	const struct input *input;
	unsigned workers;
	struct team *team;
	const struct lock_team *locality; // of the workers, for locks; null: nothing is known
	struct probe *probe;
	void (*alive)(void *context); // called about every second while work proceeds; may be null
	void *context;
	FILE *picture; // where the kernel draws its result, or null
	// For a latency sample of a variant with a lock or of a structure: one per worker, first
	// touched by it, where the window's acquisitions (of a structure: its operations) are
	// recorded; else null.
	struct latency_log *latency;
	const struct latency_clock *clock; // of the latency sample
};

// Returns 0, or a negative errno with a message where the kernel could not be set up. A lost
// update is no error here: see observation.lost_updates.
int trial_run(const struct trial *t, struct observation *o, struct error *e);
