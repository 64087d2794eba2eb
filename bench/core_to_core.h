// SPDX-License-Identifier: BSD-2-Clause
// How long a cache line takes from one PU to another: compare-and-swap ping-pong between pairs of
// allowed PUs, each pair alone. A picture of the moment: on a virtual machine the hypervisor moves
// the virtual CPUs, and the times with them, by a factor of six and more.
#pragma once

#include "machine.h"

// The innermost that two PUs share.
enum core_sharing {
	SHARED_CORE, // SMT siblings
	SHARED_CACHE,
	SHARED_NUMA_NODE,
	SHARED_PACKAGE,
	SHARED_NOTHING, // in different packages
	SHARINGS
};
// "core", "cache", "NUMA node", "package", "nothing".
const char *core_sharing_name(enum core_sharing s);

struct core_pair {
	unsigned from, to; // as the system numbers PUs, from < to
	enum core_sharing shared;
	double one_way_ns; // half the median round trip; 0: not measured
};

struct core_to_core {
	struct core_pair *pairs; // by from, then to
	size_t count;
	bool sampled; // not all pairs there are: too many
};

// Chooses the pairs: all of up to 64 PUs; beyond, each PU with its next neighbour at each level of
// sharing, and some at random (by the seed). Returns 0, -ENODEV with a message where only one PU
// is allowed, or -ENOMEM. The caller frees it with core_to_core_fini.
int core_to_core_choose(
	struct core_to_core *c, const struct machine *m, uint64_t seed, struct error *e);
// Measures them, one after the other in random order: 8 ms each, less where that would take more
// than some seconds. A pair of which a PU was busy elsewhere all the time is dropped. m must be
// this machine. Returns 0 or a negative errno with a message.
int core_to_core_measure(
	struct core_to_core *c, const struct machine *m, uint64_t seed, struct error *e);
void core_to_core_fini(struct core_to_core *c);

// Of the pairs that share this and no less. Without any, count is 0.
struct core_summary {
	size_t count;
	double least_ns, median_ns, most_ns; // one way
};
struct core_summary core_to_core_summary(const struct core_to_core *c, enum core_sharing shared);

// Writes DIR/core_to_core.tsv. Returns 0 or a negative errno with a message.
int core_to_core_write(const struct core_to_core *c, const char *dir, struct error *e);
