// SPDX-License-Identifier: BSD-2-Clause
// The explored world: all that an explored program is made of lies in one block of memory at a
// fixed address: fibers with their stacks and registers, the lock's memory, the scenario's data,
// sleepers, the clock; beside it only the locks' static data. So a state of the program can be
// saved, put back and hashed as it is.
#pragma once

#include <setjmp.h>

#include "hooks.h"

enum {
	FIBERS = 8, // main, at most 4 workers, and threads that a lock starts
	WORKERS_MOST = 4,
	WATCHED = 4,
	STACK_SIZE = 1 << 16,
	HEAP_SIZE = 1 << 20,
	HEAP_BLOCKS = 64,
	SCENARIO_SIZE = 2048,
};

struct fiber {
	jmp_buf context;
	char *low; // its stack in use: low to the stack's end
	bool live, done;
	void *(*run)(void *);
	void *argument, *result;

	/* The operation it stands before. */
	enum op_kind op;
	volatile void *address;
	size_t size;
	uint64_t operand, expected;
	const struct explore_site *site;
	unsigned alternative; // of the operation's possible outcomes, the chosen one

	/* Spinning: what it has looked at since it relaxed last, and whether that has changed. */
	uintptr_t watched[WATCHED];
	unsigned watching;
	bool relaxed, news, impatient;

	/* Sleeping. */
	const volatile void *sleeps_on;
	bool woken, timed;
	uint64_t until;

	/* Order of arrival, see fifo in README.md. */
	bool asking, arrived;
	unsigned after; // a bit for each fiber that arrived before this one asked
};

struct heap_block {
	unsigned offset, size;
	bool freed;
};

struct world {
	struct fiber fiber[FIBERS];
	unsigned fibers;
	bool alone;                         // main is, and stops nowhere
	unsigned timeouts, spurious, leaps; // how many more of each may happen
	uint64_t clock;
	unsigned heap_used, blocks;
	struct heap_block block[HEAP_BLOCKS];
	_Alignas(128) char scenario[SCENARIO_SIZE];
	_Alignas(128) char heap[HEAP_SIZE];
	_Alignas(128) char stack[FIBERS][STACK_SIZE];
};

extern struct world *const world;

void world_make(void);
// What the last atomic operation found; for printing.
extern uint64_t explore_found;
// Ends the explored program here, with the words that say what is wrong.
__attribute__((format(printf, 1, 2))) void explore_fail(const char *format, ...);
extern char explore_failure[512]; // empty: none

// Lets a fiber carry out its operation and go on to the next. False where it stands still.
void world_step(unsigned fiber, unsigned alternative);
// Lets a relaxing fiber go on until it is about to change something; false: it never would.
bool world_lose_patience(unsigned fiber);
// A bit for each outcome that the fiber's operation may have now; 0: it must wait. With `despair`
// also those that have used up their number.
unsigned world_alternatives(const struct fiber *f, bool despair);
unsigned world_this_fiber(void);

uint64_t world_hash(void);
size_t world_save(char *to); // at most world_size() bytes
size_t world_size(void);
void world_restore(const char *from);
// As world_restore, at the begin of a search.
void world_begin(const char *pristine);

void fiber_start(unsigned index, void *(*run)(void *), void *argument);
char fiber_letter(unsigned index);
void world_describe(unsigned fiber, char *text, size_t size);
