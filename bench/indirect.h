// SPDX-License-Identifier: BSD-2-Clause
// What calling a lock through pointers costs, as a plugin's has to be: the same lock's code was
// measured both ways with one worker, which nobody waits for.
#pragma once

#include "table.h"

#define INLINED_LOCK "tas"
#define INDIRECT_LOCK "tas-indirect" // of the catalog only where there are plugins

// Nanoseconds per acquire and release, with a 95 % interval. False where it was not measured.
bool indirect_cost(const struct table *t, double *ns, struct interval *interval);
// Whether the row is there for that alone.
bool indirect_yardstick(const struct table *t, const struct row *row);
