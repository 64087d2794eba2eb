// SPDX-License-Identifier: BSD-2-Clause
// Histories of operations on a structure, and whether they are possible: whether each operation
// can have taken effect at one moment between its call and its return, so that a sequential
// structure that did them in the order of these moments would have given the same results
// (linearizability; M. Herlihy, J. Wing, Linearizability: a correctness condition, 1990).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel.h"

// One operation as its worker saw it. In a priority queue the value is the key.
struct event {
	enum verb verb;
	unsigned worker;
	bool ok;        // it took effect, or found something
	bool pending;   // never returned: whether it took effect, and its result, are unknown
	bool excused;   // it failed and may have: see history_excuse
	uint32_t key;   // of a map
	uint32_t value; // inserted, or found where ok
	uint64_t call, back;
};

struct item {
	uint32_t key, value;
};

// What happened between two moments of rest. Each value is inserted once at most.
struct history {
	enum model model;
	unsigned capacity; // an insertion fails where so many are inside; 0: it never does
	struct item
		*before; // the content at first: a queue's oldest first, a stack's youngest last
	unsigned before_count;
	struct event *event; // in any order
	unsigned count;
};

enum verdict { POSSIBLE, IMPOSSIBLE, UNDECIDED };

// A checker's memory, used again from history to history. Null: no memory.
struct checker *checker_create(void);
void checker_destroy(struct checker *c);

// UNDECIDED: it would take more than some million states. A map is judged key by key, which is as
// strict. Of bags no operation may be pending.
enum verdict history_check(struct checker *c, const struct history *h);

// A bag promises less: an operation may fail while one of another worker is under way. Marks these;
// once, on the whole history.
void history_excuse(struct history *h);

// Of how many operations another worker's was under way too.
unsigned history_overlapping(const struct history *h);

// Leaves, of an impossible history, events (and content) that are impossible by themselves and of
// which nothing more can be left out. What is left out could not have explained the rest: lookups
// and failures change nothing; a value with all that saw it leaves others as they were.
void history_shrink(struct checker *c, struct history *h);

// What history_shrink builds on: leaves out what the bits of `which` say, as far as the rules
// allow.
void history_leave_out(struct history *h, uint64_t which);

// The sentence that says what is impossible about a shrunk history.
void history_explain(const struct history *h, char *text, size_t size);

// The history for a reader: a line an operation, by time of call, with bars from call to return;
// each line begins with `prefix`.
void history_print(const struct history *h, const char *prefix, FILE *out);
