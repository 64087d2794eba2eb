// SPDX-License-Identifier: BSD-2-Clause
// What a run measures: points, how many samples of each in how many fresh processes, and the
// random order of the samples within each process.
#pragma once

#include <jansson.h>

#include "machine.h"
#include "placement.h"
#include "result.h"

struct plan {
	struct point *points;
	size_t point_count;
	bool *failed;                // per point: not to be measured any further
	bool *settled;               // per point: measured precisely enough (--full)
	unsigned processes, samples; // per point: fresh processes, samples in each
	unsigned limit; // samples of a point in all, fewer than processes x samples; 0: no limit
	uint64_t seed;
	uint64_t window_ns, warm_up_ns;
	unsigned retries;
	bool latency;   // points with a lock or of a structure have latency samples too, as many as
			// of the others
	json_t *params; // {"kernel.name": "value"}: what the user set
	/* Locks that are not in this program (foreign.h); null: none. */
	json_t *plugins; // absolute paths of shared objects
	json_t *preload; // LD_PRELOAD of the processes that measure INTERPOSED_LOCK, a string
};

// What to choose the points by. Empty lists stand for all (threads: the placement's defaults).
struct selection {
	char **patterns;
	char **strategies, **locks; // names; `sequential` and control stay in whatever is chosen
	unsigned *threads;
	size_t pattern_count, strategy_count, lock_count, thread_count;
	/* Where no lock is named they are the kernel's own choice, or, without patterns and
	 * strategies, the standard ones. */
	bool all_locks;     // no, all of them
	bool standard_only; // of the kernels only those of a first look
	bool locked_only;   // only variants that have a lock
	bool indirect_cost; // and what is needed to tell it: INLINED_LOCK and INDIRECT_LOCK
	enum placement placements[PLACEMENTS];
	size_t placement_count;
	bool oversubscribe;
	bool few_counts; // of the placements' defaults only 1, 2, half, all cores and all PUs
	char (*instances)[NAME_LEN]; // their kernels are measured under these names instead
	size_t instance_count;
};

// Makes the list of points, with the control and the sequential baseline of each kernel chosen.
// Returns 0 or a negative errno with a message that names what matches nothing and what exists.
int plan_points(
	struct plan *p, const struct selection *s, const struct machine *m, struct error *e);
void plan_free(struct plan *p);

// One sample to be taken.
struct visit {
	unsigned point, process, sample;
	bool latency; // how long acquire (of a structure: an operation) takes, not throughput
};
// Whether it is taken in a process with the library preloaded.
bool plan_interposed(const struct plan *p, const struct visit *v);
// Whether the point's lock is a plugin's.
bool plan_foreign(const struct plan *p, unsigned point);
// How long a latency sample's window is: it needs many acquisitions, no precise rate.
uint64_t plan_latency_window_ns(const struct plan *p);
// Points that have latency samples.
size_t plan_latency_points(const struct plan *p);

// All samples of one process in their random order: in each round every point once. done(arg,
// v) tells which are there already. Returns how many; *visits is the caller's to free.
size_t plan_visits(const struct plan *p, unsigned process,
	bool (*done)(void *, const struct visit *), void *arg, struct visit **visits);

// The plan as JSON and back, for the journal and for the measuring process.
json_t *plan_to_json(const struct plan *p);
int plan_from_json(struct plan *p, const json_t *o, struct error *e);

// The number of a point in the plan, or -1.
int plan_find(const struct plan *p, const struct point *point);

// A point as the fields of a JSON object, and back.
void point_to_json(json_t *o, const struct point *p);
int point_from_json(struct point *p, const json_t *o);
