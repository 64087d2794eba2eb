// SPDX-License-Identifier: BSD-2-Clause
// Google Benchmark, seen from C. Points are registered there under their names; Google does
// flags, filters, repetitions, aggregates, and the console, JSON and CSV reports. The time of a
// repetition is the team's: each of the point's samples is handed over as manual time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct shim_point {
	const char *name; // "kernel/strategy[/lock]/placement:P/threads:N"
	unsigned threads;
	size_t count;              // samples
	const double *seconds;     // wall time per operation of the whole team, one per sample
	const double *cpu_seconds; // CPU time per operation, one per sample
	const char *failure;       // null, or why the point failed: reported as Google's error
};

enum shim_format { SHIM_CONSOLE, SHIM_JSON, SHIM_CSV };

// Gives Google its --benchmark_* flags (argv[0] is the program). It takes those it knows out of
// argv; what remains is unknown or malformed. Once per process, before all others.
void shim_initialize(int *argc, char **argv);

// One more line of the reports' context. Before a report. Copies both.
void shim_context(const char *key, const char *value);

// Which of the points --benchmark_filter selects: selected[i]; returns how many.
size_t shim_select(const struct shim_point *points, size_t count, bool *selected);

// The report on all points as one text, which the caller frees; null when out of memory.
// `everything`: each repetition, whatever --benchmark_*aggregates_only says.
char *shim_report(
	const struct shim_point *points, size_t count, enum shim_format format, bool everything);

// The report on stdout, in the format and style that the flags ask for.
void shim_display(const struct shim_point *points, size_t count);

// Carries out --benchmark_list_tests: the names that --benchmark_filter selects, on stdout.
void shim_list(const struct shim_point *points, size_t count);

#ifdef __cplusplus
}
#endif
