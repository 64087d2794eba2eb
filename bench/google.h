// SPDX-License-Identifier: BSD-2-Clause
// What Google Benchmark does for a run: its flags, its filter, its reports.
#pragma once

#include "plan.h"
#include "shim/shim.h"

// The --benchmark_* flags that the run itself must know of.
struct google {
	bool filter, list_tests;
	bool display;            // some flag asks for Google's report on stdout
	unsigned repetitions;    // samples of a point in all; 0: not given
	double min_time_s;       // the window; 0: not given
	enum shim_format format; // on stdout
	const char *out;         // file for a report, or null
	enum shim_format out_format;
};

// Takes all --benchmark_* flags out of argv and hands the library those that are its own.
// Returns 0, or -EINVAL with a message that names the flag. Borrows from argv. Once per process.
int google_take_flags(struct google *g, int *argc, char **argv, struct error *e);
bool google_wants_output(const struct google *g);

// Keeps the points that --benchmark_filter selects, and what they are compared with. Returns 0,
// or -ENOENT with a message where it selects none.
int google_filter(struct plan *p, struct error *e);

// Carries out --benchmark_list_tests.
void google_list(const struct plan *p);

// Google's report on a result directory: on stdout, and to the file of --benchmark_out.
int google_output(const struct google *g, const char *dir, struct error *e);
