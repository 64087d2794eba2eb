// SPDX-License-Identifier: BSD-2-Clause
// The kernel contention under many settings: how much of what could be reached each lock reaches,
// and from how much work outside on it is no longer in the way.
#pragma once

#include "table.h"

// Of what private state reaches at the same setting, this much counts as reached.
#define CONTENTION_REACHED 0.9

// A row of the kernel contention, under its plain name or as an instance.
struct contention_point {
	double cs_ns, work_ns, lines; // NaN where nobody recorded it
	const struct row *row;        // borrowed
	double attainable;            // speedup of `private` at the same setting; NaN: not measured
};

struct contention_table {
	struct contention_point *points; // by strategy, lock, placement, threads, lines, cs, work
	size_t count;
};

// Returns 0 or -ENOMEM with a message. t must outlive c.
int contention_init(
	struct contention_table *c, const struct table *t, const struct result *r, struct error *e);
void contention_fini(struct contention_table *c);

// Points of one lock, placement, worker count, number of lines and cs, in ascending work: the work
// from which on the lock reaches CONTENTION_REACHED of what is attainable, between two measured
// ones by interpolation over the logarithm of the work. The least work measured where it is
// reached there already; NaN if not even at the most.
double contention_crossover(const struct contention_point *points, size_t count);

// Writes DIR/contention.tsv and DIR/crossover.tsv where t has rows of the kernel; otherwise
// nothing. Returns 0 or a negative errno with a message.
int contention_write(
	const struct table *t, const struct result *r, const char *dir, struct error *e);
