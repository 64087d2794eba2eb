// SPDX-License-Identifier: BSD-2-Clause
// What is explored: a small program that uses one kind of lock or structure, the subject, in a
// certain way and checks what the verbs promise. scenarios.c has those of locks, structures.c those
// of structures; each is linked into a program of its own.
#pragma once

#include <stdbool.h>

struct scenario {
	const char *name;
	const char *claim;
	unsigned workers;
};

extern const unsigned scenario_count;
const struct scenario *scenario_at(unsigned number);

// The name of the program, and the option that names a subject, without dashes.
extern const char explored_program[], explored_option[];
extern const unsigned explored_states; // after so many a scenario is given up
extern const int explored_preemptions; // of three workers; two have no bound
// Subjects: numbers below explored_count.
extern const unsigned explored_count;

const void *explored_subject(unsigned number);
const char *explored_name(const void *subject);
bool explored_by_default(const void *subject);
bool scenario_applies(const struct scenario *scenario, const void *subject);

// Makes the main fiber ready to run the scenario.
void scenario_prepare(const struct scenario *scenario, const void *subject);
