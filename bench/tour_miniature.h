// SPDX-License-Identifier: BSD-2-Clause
// Contests for the tour: one program in several miniature interpreters, by the same pinned workers,
// a fixed amount of work by one worker and by several; all interleaved, repetition by repetition,
// so that what disturbs the machine disturbs all alike.
#pragma once

#include "interpreter/interpreter.h"
#include "tour.h"

enum { CONTESTANTS_MOST = 4, CONTEST_COUNTS_MOST = 5, CONTEST_REPETITIONS_MOST = 15 };

struct contestant {
	const char *label; // "gil-3"
	struct interpreter_settings settings;
};

// The program defines loop(n), which does n pieces of work and returns 0; it may call native(), of
// about native_us microseconds, which releases the lock unless the settings keep it.
struct contest {
	const char *program;
	const struct contestant *contestant;
	unsigned contestants;
	unsigned native_us; // 0: it does not
	unsigned work_ms;   // that one worker should take for all the work; 0: the default
	bool pair_only;     // by 1 worker and by all, none between
};

struct contest_result {
	unsigned workers[CONTEST_COUNTS_MOST]; // 1, 2, 4, ... and all
	unsigned counts;
	uint64_t work; // pieces
	unsigned repetitions;
	double other_work; // see struct meter
	// Of the repetitions, medians: time of one worker, and the speedup over that: ratios within
	// a repetition.
	struct spread seconds[CONTESTANTS_MOST];
	struct spread speedup[CONTESTANTS_MOST][CONTEST_COUNTS_MOST];
	// Time of a contestant's one worker over that of the first contestant's.
	struct spread cost[CONTESTANTS_MOST];
	// Time with all workers, the first contestant's over this one's: above 1 is faster.
	struct spread against_first[CONTESTANTS_MOST];
	struct interpreter_counts of_counts[CONTESTANTS_MOST]; // of all repetitions
};

// Returns 0, or a negative errno with a message; -ECANCELED after Ctrl-C; -ENOTSUP where there is
// one PU only.
int contest_run(struct tour *t, const struct contest *c, struct contest_result *r, struct error *e);

// About `us` microseconds of native work: multiplications that wait for each other.
struct native_work {
	uint64_t steps;
};
void native_work_calibrate(struct native_work *w, unsigned us);
int64_t native_work_do(void *work, const int64_t *arguments);
