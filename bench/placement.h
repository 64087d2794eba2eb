// SPDX-License-Identifier: BSD-2-Clause
// The order in which workers fill the allowed PUs of a machine.
#pragma once

#include "machine.h"

enum placement { PLACEMENT_COMPACT, PLACEMENT_SPREAD, PLACEMENT_SMT, PLACEMENT_NONE, PLACEMENTS };

// "compact", "spread", "smt", "none".
const char *placement_name(enum placement p);
// Returns 0 or -EINVAL with a message that names the value and the accepted ones.
int placement_parse(const char *text, enum placement *p, struct error *e);

// Writes m->allowed_pus indices into m->pu, in the order in which workers fill them. `none`
// gives the compact order: it is what is measured then that differs (workers are not pinned).
// compact: fastest core kind first, then hwloc's logical order (which shares caches as long as
// possible), one worker a core first, SMT siblings last. spread: the same, round robin over
// packages and NUMA nodes (the larger of the two outermost: the one of which there are fewer,
// packages where there are as many). smt: compact, but each core's siblings directly behind each
// other. Where memory is short (never seen), the order is the logical one.
void placement_order(const struct machine *m, enum placement p, unsigned *order);

// Where the character of the machine changes as workers are added: the worker after the
// first `after` ones is the first on another package, NUMA node, slower core kind, or the first
// SMT sibling. Packages and NUMA nodes are counted in the order in which they are filled: after
// 16 workers "package 2" begins. At the same `after` only the widest is named (SMT, kind, then
// package or NUMA node, whichever is larger). Of `none` only the SMT boundary is known.
struct boundary {
	unsigned after;
	char what[32]; // "SMT", "package 2", "NUMA node 3", "E-cores" (or "core kind 2")
};
// Fills at most max boundaries in ascending order and returns how many.
size_t placement_boundaries(
	const struct machine *m, enum placement p, struct boundary *b, size_t max);

// The default worker counts of a placement: 1, 2, 3, 4, 6, 8, 12, 16, 24, ... up to all allowed
// cores, then all PUs, and the counts just before and just after each boundary (beyond 8
// boundaries of one kind only those where 1, 2, 4, 8, ... of its groups are full). Ascending, no
// doubles, returns how many.
size_t placement_counts(const struct machine *m, enum placement p, unsigned *counts, size_t max);
