// SPDX-License-Identifier: BSD-2-Clause
// From numbers to "true", "false", "true then, false now": the thresholds of the tour in one place.
// Pure functions.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats.h"

enum answer {
	ANSWER_FALSE,
	ANSWER_TRUE,
	ANSWER_UNCLEAR, // the interval lies on both sides of the threshold
};

// Faster is more than 5 % faster, slower more than 5 % slower, with the whole interval.
#define TOUR_FASTER 1.05
#define TOUR_SLOWER 0.95
// Where other work had a larger share of the PUs' time, no verdict that depends on time is given.
#define TOUR_OTHER_WORK 0.1
// So many switches between threads without a lost update count as "none is lost".
enum { TOUR_SWITCHES = 20 };

// Does all of the interval lie above the bound? ANSWER_FALSE: all of it lies at or below.
enum answer answer_above(struct interval i, double bound);
enum answer answer_below(struct interval i, double bound);
enum answer answer_not(enum answer a);
// Both must hold.
enum answer answer_and(enum answer a, enum answer b);
enum answer answer_of(bool holds);

// "Threads won't make it faster", "they make it slower", of the speedup over one thread.
enum answer answer_not_faster(struct interval speedup);
enum answer answer_slower(struct interval speedup);
// "An update is lost": seen, or not seen in enough switches.
enum answer answer_loses(bool lost, uint64_t switches);
// "At most `limit` are inside": more is false, fewer means that the limit was never put to the
// test.
enum answer answer_limit(unsigned most, unsigned limit);

// The claim holds "under gil-2", "then (gil-2)": a label reads well behind "true" and "false".
struct condition {
	const char *label;
	enum answer answer;
};
// "true", "false", "true then (gil-2), false now (gil-3) and next (free-threaded)",
// "no difference measured under ...". Returns buf.
char *verdict_text(const struct condition *c, size_t count, char *buf, size_t size);
// The same of what was measured while other work had that share of the PUs' time: "undecided: ..."
// where that is too much.
char *verdict_beside(
	const struct condition *c, size_t count, double other_work, char *buf, size_t size);
