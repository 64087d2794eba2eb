// SPDX-License-Identifier: BSD-2-Clause
// The processor's own counters of one thread, in user space only, through perf_event_open. Many
// virtual machines have none and many kernels allow none: then there are no numbers, and a reason.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COUNTERS = 3 };

// What to count, as perf_event_open numbers it.
struct counter_event {
	uint32_t type;
	uint64_t config;
};
// Cycles, instructions, cache misses.
extern const struct counter_event counters_hardware[COUNTERS];

// A thread's counters, opened and closed by itself. They count together or not at all.
struct counters {
	int fd[COUNTERS]; // the first leads the group; all -1 where there are none
};
struct counts {
	bool known; // they counted all the time: else no value means anything
	uint64_t value[COUNTERS];
};

// For the calling thread; they stand still. Returns 0 or a negative errno.
int counters_open(struct counters *c, const struct counter_event events[COUNTERS]);
void counters_close(struct counters *c);
// From zero. Nothing where they are not open.
void counters_start(struct counters *c);
void counters_stop(struct counters *c, struct counts *counts);

// "available", or why not: the words for `machine` and for a run's context. Returns buf.
char *counters_availability(char *buf, size_t size);
