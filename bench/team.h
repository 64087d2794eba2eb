// SPDX-License-Identifier: BSD-2-Clause
// The workers of a run: threads pinned before they touch memory, which sleep until they are
// given a job. While a job runs the caller sleeps: no coordinator competes for a PU; what
// workers must agree on, they agree on among themselves with the barrier.
#pragma once

#include <stdbool.h>

#include "atomic.h"
#include "machine.h"

struct team;

// Starts `workers` threads. order lists indices into m->pu (see placement_order), `pus` of
// them; worker i runs on the (i mod pus)-th, or anywhere if pinned is false. Returns 0 or a
// negative errno with a message. The caller owns the team; not thread-safe.
int team_create(struct team **team, const struct machine *m, const unsigned *order, unsigned pus,
	unsigned workers, bool pinned, struct error *e);
void team_destroy(struct team *team);

// Runs job(arg, i) on workers 0..active-1 and returns when all have returned. tick(arg) is
// called by the sleeping caller every second meanwhile (null: not).
void team_run(struct team *team, unsigned active, void (*job)(void *arg, unsigned index),
	void (*tick)(void *arg), void *arg);

bool team_pinned(const struct team *team);
// More workers than PUs among the first `active`.
bool team_oversubscribed(const struct team *team, unsigned active);
// The system's number of worker i's PU.
unsigned team_pu(const struct team *team, unsigned index);

// A barrier at which workers wait spinning (they stay busy), and yield where they are
// oversubscribed. Everything before the barrier happens before everything after it.
struct barrier {
	unsigned count;
	bool yield;
	LINE_ALIGNED atomic_uint arrived;
	LINE_ALIGNED atomic_uint generation;
};
void barrier_init(struct barrier *b, unsigned count, bool yield);
void barrier_wait(struct barrier *b);

// One step of waiting: a pause, or now and then (always if `yield`) a yield to other threads.
void wait_step(unsigned *steps, bool yield);
