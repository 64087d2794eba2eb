// SPDX-License-Identifier: BSD-2-Clause
// Operations that had nothing to do beside those that took effect, and the memory they took.
#pragma once

#include "table.h"

// Writes DIR/operations.tsv, whole or not at all; failed points are left out. Returns 0 or a
// negative errno with a message.
int operations_write(const struct table *t, const char *dir, struct error *e);

// The part of all tries that had nothing to do, 0 to 1; NaN without samples.
double operations_failed_share(const struct row *row);
