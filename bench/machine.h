// SPDX-License-Identifier: BSD-2-Clause
// The machine: what hwloc says of packages, NUMA nodes, cores, SMT and core kinds, and which
// PUs this process may use. Loaded once, read-only afterwards, so any thread may read it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

// A processing unit that this process is allowed to use.
struct machine_pu {
	unsigned os;       // number as the system counts it
	unsigned core;     // logical index of its core among all cores
	unsigned package;  // logical index of its package
	unsigned numa;     // logical index of its (nearest) NUMA node, 0 where none is local
	unsigned cache;    // first PU of the outermost cache within its package
	unsigned smt_rank; // 0 for the first allowed PU of a core, 1 for its second, ...
	int kind; // efficiency rank of its core kind: higher is faster; 0 where all are alike
};

struct machine {
	unsigned packages, numa_nodes, cores, pus; // of the whole machine (online)
	unsigned allowed_cores, allowed_pus;       // what this process may use
	unsigned hidden_pus;   // PUs the topology mentions without saying where they are (offline,
			       // ...)
	unsigned kinds;        // core kinds (2 on a P/E hybrid), at least 1
	char cpu[128];         // CPU model, "unknown" where nobody says
	bool this_machine;     // false for a synthetic or XML topology: cannot be pinned to
	struct machine_pu *pu; // allowed_pus of them, in hwloc's logical order
	void *topology;        // hwloc_topology_t
};

// Loads this machine (topology null), an hwloc XML file, or a synthetic description
// ("pack:2 numa:2 l3:1 core:16 pu:2"). A name that exists as a file is a file.
// Returns 0, or a negative errno with a message that names the value and what is accepted.
// On this machine the allowed PUs are those of the calling thread: load before pinning. A file
// or description is first tried in a forked child, since hwloc crashes on some damaged ones:
// load before starting threads.
int machine_load(struct machine *m, const char *topology, struct error *e);
void machine_unload(struct machine *m);

// hwloc XML of the machine, written to path ("machine.xml"). Returns 0 or a negative errno.
int machine_export(const struct machine *m, const char *path);

// Pins the calling thread to the PU with this system number. Returns 0 or a negative errno.
int machine_pin(const struct machine *m, unsigned os);

// All caches of a level and type, of the whole machine.
struct machine_cache {
	unsigned level;      // 1, 2, 3, ...
	const char *type;    // "data" or "unified"
	uint64_t size_bytes; // of one of them (the largest), 0 where unknown
	unsigned count;
	unsigned cores; // that share one (at most)
};
// Fills at most max caches, innermost first, and returns how many.
size_t machine_caches(const struct machine *m, struct machine_cache *c, size_t max);

// What would spoil a measurement here, each with what to do about it.
struct warning {
	char text[256];
	char remedy[256];
};
// Fills at most max warnings and returns how many there are. Only asks the system where
// m->this_machine; otherwise only what the topology itself tells (SMT, disallowed PUs, kinds).
// Takes up to 20 ms, of which 8 are spent asleep to see whether other work is running.
size_t machine_warnings(const struct machine *m, struct warning *w, size_t max);
// The same but for the warnings about this program's own build, and with root in front of every
// /proc and /sys: "" asks the running system, a test plants a tree elsewhere.
size_t machine_warnings_under(
	const struct machine *m, const char *root, struct warning *w, size_t max);
