// SPDX-License-Identifier: BSD-2-Clause
// Our figures against their targets, each a ratio within one run on this machine. Measures, and
// says so where a target is missed: it never fails for that.
#pragma once

#include <stdio.h>

#include "machine.h"
#include "stats.h"
#include "table.h"
#include "trial.h"

enum { ROUNDS = 15 };

struct bench {
	const char *lockscale; // the program
	char folder[64];       // scratch, removed at the end
	FILE *tsv;
	struct machine machine;
	unsigned *order;
};

/* Lines of the result. */

void line(struct bench *b, const char *figure, double ours, double reference, double ratio,
	double lo, double hi, const char *target, bool met);
// Ratio of two medians with its interval, from samples taken in turn; met within least..most.
void ratio_line(struct bench *b, const char *figure, double *ours, double *reference, size_t count,
	const char *target, double least, double most);
// Like with like: modes of the same line transfer, each a line; met from `least` on.
void compare_rows(struct bench *b, const char *figure, const struct row *ours,
	const struct row *reference, double least, const char *target);

/* Measuring. */

// One sample in this process; a failure ends the program. skew may be null.
double harness_rate(struct team *team, struct probe *probe, const struct kernel *k,
	const struct variant *v, unsigned workers, double *skew);
// Runs a program and returns the seconds it took; memory_kb may be null.
double run(char *const *argv, int *status, double *memory_kb);
// Scratch folder NAME. Returns buf.
char *folder(const struct bench *b, const char *name, char *buf, size_t size);
// Of a finished run. False, with a message, if it cannot be read.
bool load_table(const char *dir, struct table *t);
// Null where the point was not measured or failed.
const struct row *find(const struct table *t, const char *kernel, const char *strategy,
	const char *lock, unsigned threads);

/* The figures. */

// In this process, with a team of at most two workers.
void harness_figures(struct bench *b, struct team *team, struct probe *probe, unsigned workers);
void lock_figures_in_process(struct bench *b, struct team *team, struct probe *probe);
// By runs of the program.
void lock_figures(struct bench *b);
void structure_figures(struct bench *b);
void run_figures(struct bench *b);
// The miniature interpreter, in this process beside real ones: `make bench-python`.
void python_figures(struct bench *b);
