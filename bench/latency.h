// SPDX-License-Identifier: BSD-2-Clause
// How long acquire takes: a lock class that wraps another one's verbs, with a reading of the clock
// before and after each acquisition, recorded into a histogram of the worker's own. It is called
// through pointers (variant->indirect), in samples of their own: throughput samples pay nothing.
//
// One acquisition (acquire, read_acquire, execute) is one record, made after its release so that
// of all the measuring only the second reading lies in the critical section. execute includes
// the section itself, which may run elsewhere. try_acquire and what a safepoint acquires again
// are not recorded. Each record includes the cost of one reading, which is subtracted nowhere.
#pragma once

#include "histogram.h"
#include "lock.h"

// Where invariant TSC is promised and Linux has not found it unstable, ticks turned into ns; else
// CLOCK_MONOTONIC.
struct latency_clock {
	uint64_t scale; // ns per tick, times 2^32; 0: CLOCK_MONOTONIC
	double cost_ns; // what two readings with nothing in between differ by, median
};
// Calibrates for some milliseconds; use one for all samples of a process.
void latency_clock_init(struct latency_clock *c);
// "tsc" or "clock_gettime"
const char *latency_clock_name(const struct latency_clock *c);

// What a node's acquisition in progress needs.
struct latency_node {
	struct latency_log *log;
	uint64_t began, ended; // readings
	bool pending;          // acquired and not recorded yet
};

// One worker's record; its memory is fixed, about 15 KiB.
struct latency_log {
	LINE_ALIGNED const struct lock_class *lock; // the real one
	const struct latency_clock *clock;
	struct latency_node node[2];
	struct histogram histogram; // ns
};

// By the log's worker: starts it, and points both nodes at it.
void latency_attach(struct latency_log *log, const struct lock_class *lock,
	const struct latency_clock *clock, struct lock_node node[2]);
// By the log's worker, holding no lock: forgets what was recorded.
void latency_reset(struct latency_log *log);

// A reading of the log's clock, and the record of what began then and ends now: for whoever
// measures something other than a lock.
uint64_t latency_reading(const struct latency_log *log);
void latency_record(struct latency_log *log, uint64_t began);

// The class that measures `lock`. Its init and fini are the real ones.
struct lock_class latency_class(const struct lock_class *lock);
