// SPDX-License-Identifier: BSD-2-Clause
// The measuring itself: starts one fresh process after the other, writes down what each says
// the moment it says it, and ends those that no longer get anything done.
#pragma once

#include <signal.h>

#include "journal.h"
#include "plan.h"
#include "progress.h"

struct session {
	struct plan *plan;
	struct journal *journal;
	const char *dir;                    // of the results, for what kernels draw
	unsigned watchdog_s;                // without progress
	volatile sig_atomic_t *interrupted; // set by the signal handlers
	struct progress progress;
	bool *taken;     // [latency][point][process][sample]
	size_t failures; // points that failed, of this session and before
	/* While a process is measuring. */
	int current; // its point, -1 before the first
	int last;    // the point of its last sample, -1 before the first
	bool ended;  // it has said all
	uint64_t heard_ns;
};

// Borrows plan, journal and dir. Returns 0 or -ENOMEM.
int session_init(struct session *s, struct plan *plan, struct journal *journal, const char *dir,
	volatile sig_atomic_t *interrupted);
void session_fini(struct session *s);

// Counts in what an earlier session of this run has measured already.
void session_continue(struct session *s, const struct journal_content *before);

// Measures all that is missing of processes first to end - 1. Returns 0; -EINTR if interrupted;
// else a negative errno with a message. What was measured is in the journal in any case.
int session_run(struct session *s, unsigned first, unsigned end, bool quiet, struct error *e);
