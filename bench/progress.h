// SPDX-License-Identifier: BSD-2-Clause
// One line on stderr that tells how far a long run is: redrawn on a terminal, else a plain line
// every ten seconds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool quiet, terminal;
	size_t done, total; // samples; `done` counts those taken now or before
	size_t at_start;    // of them, taken before
	uint64_t start_ns, shown_ns;
	char point[256]; // being measured
	double estimate; // its rate so far, 0 if there is none yet
	const char *unit;
};

void progress_start(struct progress *p, bool quiet, size_t done, size_t total);
void progress_show(struct progress *p);
// Clears the line, before anything else is written to stderr.
void progress_clear(struct progress *p);
