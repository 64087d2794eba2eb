// SPDX-License-Identifier: BSD-2-Clause
// What is explored: a small program that uses one kind of lock in a certain way and checks what
// the verbs promise.
#pragma once

#include <stdbool.h>

struct lock_class;

struct scenario {
	const char *name;
	const char *claim;
	unsigned workers;
	bool groups; // the workers' hardware: two groups, the last worker alone in the second
	bool (*applies)(const struct lock_class *class);
	void (*work)(unsigned me);
};

extern const struct scenario scenarios[];
extern const unsigned scenario_count;

extern const struct lock_class *const explored_locks[];
extern const unsigned explored_lock_count;

const char *explored_name(const struct lock_class *class);
bool explored_by_default(const struct lock_class *class);

// Makes the main fiber ready to run the scenario.
void scenario_prepare(const struct scenario *scenario, const struct lock_class *class);
