// SPDX-License-Identifier: BSD-2-Clause
// Depth-first search through the schedules of a scenario.
#pragma once

#include "scenario.h"

enum { NO_BOUND = -1 };

struct search_limits {
	int preemptions; // how often a worker that could go on is made to wait; NO_BOUND
	unsigned states;
};

struct search_result {
	char wrong[768]; // empty: nothing
	char *schedule;  // that leads there; freed by the caller
	unsigned states;
	unsigned long steps;
	bool bounded; // some schedules need more preemptions
	bool cut;     // too many states: not all were visited
};

void search_begin(void);
void search(const struct scenario *scenario, const void *subject,
	const struct search_limits *limits, struct search_result *result);
// Follows one schedule and prints each step. 0; 1 where it ends in a failure; 2: no such schedule.
int replay(const struct scenario *scenario, const void *subject, const char *schedule);
