// SPDX-License-Identifier: BSD-2-Clause
// From a result directory to verdict, tables and charts.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "error.h"
#include "table.h"
#include "verdict.h"

// Reads DIR's results and writes verdict.txt, its tables (see table_write, contention_write) there;
// prints the verdict to `show` too, if not null (in colour on a terminal), below the speedup
// chart in characters if `chart` (nothing where gnuplot or scripts/chart is missing: it is an
// extra). Returns 0 or a negative errno with a message.
int report_write(const char *dir, double yes_at, FILE *show, bool chart, struct error *e);

// Draws DIR/charts by scripts/chart and gnuplot. quiet: its output is dropped. Returns 0 or a
// negative errno with a message that says what is missing and what to do.
int report_charts(const char *dir, bool quiet, struct error *e);
