// SPDX-License-Identifier: BSD-2-Clause
// What kernels count beside their operations because it explains the speedup: releases of a lock,
// switches, waits in the system.
#pragma once

#include "table.h"

// Writes DIR/counts.tsv where some kernel counts something, whole or not at all; failed points are
// left out. Returns 0 or a negative errno with a message.
int counts_write(const struct table *t, const char *dir, struct error *e);

// "gil-2 at 2 workers: 0.030 releases, 0.0012 failed acquires per iteration": totals that are not 0
// and levels that are no latencies, for the verdict. `name` is the variant's. Returns buf, which is
// empty where there is nothing to tell.
char *counts_sentence(
	const struct row *row, const char *name, const char *unit, char *buf, size_t size);

// The kernel's count of this name, borrowed; null: it has none.
const struct table_count *counts_find(const struct row *row, const char *name);
