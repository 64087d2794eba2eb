// SPDX-License-Identifier: BSD-2-Clause
// Workers that do random operations on one variant of a kernel, and the histories of it.
#pragma once

#include "history.h"
#include "team.h"

// What is driven how.
struct recording_plan {
	const struct kernel *kernel;
	const struct variant *variant;
	const struct input *input; // prepared
	struct team *team;
	unsigned workers;
	uint64_t seed;
	uint64_t operations;   // at least, if all histories are possible
	uint64_t time_most_ns; // 0: no limit
};

struct recording_result {
	uint64_t operations, overlapping, failed, histories, undecided;
	unsigned capacity;    // that was found; 0: none
	bool impossible;      // then the rest is about the first impossible history
	unsigned round;       // its number
	unsigned whole;       // how many operations it had
	struct history found; // shrunk; freed with recording_free
	char explanation[256];
};

// Runs the plan. Returns 0 or a positive errno. The result is the caller's to free.
int recording_run(const struct recording_plan *plan, struct recording_result *result);
void recording_free(struct recording_result *result);

// The impossible history for a reader; each line begins with `prefix`.
void recording_print(const struct recording_plan *plan, const struct recording_result *result,
	const char *prefix, FILE *out);
