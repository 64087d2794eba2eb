// SPDX-License-Identifier: BSD-2-Clause
// A miniature of CPython for one question: what does its lock cost? Boxed, reference-counted
// objects, bytecode, a subset of Python's own syntax; and every known answer to "who may run now":
// the lock of Python 1 to 3.1, that of 3.2 and later, counts that are atomic, and PEP 703's way.
//
// Programs: assignments (also augmented, of names, attributes, items), integers of 64 bits, floats,
// strings, lists, dictionaries, tuples as arguments, comparison, and/or/not, if/elif/else, while,
// for over range()/xrange() and lists, break, continue, pass, def with positional parameters,
// global, return, class with methods and __init__, import of threading, thread, time; print as a
// statement or a function. What is not in it is refused by name and line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// How its threads share it.
enum interpreter_mode {
	INTERPRETER_SEQUENTIAL, // no lock at all is compiled in: one thread
	INTERPRETER_GIL_2,      // Python 2 on Linux: a semaphore, given way every 101 ticks
	INTERPRETER_GIL_2_COND, // Python 2 elsewhere: mutex and condition
	INTERPRETER_GIL_3,      // Python 3.2 and later: dropped on request
	INTERPRETER_FREE_THREADED_ATOMIC, // no lock; every reference count is atomic
	INTERPRETER_FREE_THREADED,        // no lock; biased counts, immortal constants (PEP 703)
	INTERPRETER_MODES
};
// "gil-3", as the strategies of kernel `python` are named; a mode by its name, -1: none.
extern const char *const interpreter_mode_name[INTERPRETER_MODES];
int interpreter_mode_find(const char *name);

// What is shared between threads and mortal, under INTERPRETER_FREE_THREADED: how it is counted.
// (An object that was made by the main program, outside of functions, and what it reaches.)
enum interpreter_sharing {
	INTERPRETER_BIASED,   // as any other: others than the owner count atomically
	INTERPRETER_DEFERRED, // each thread counts in an array of its own; merged when it leaves
	INTERPRETER_IMMORTAL, // not at all
};

struct interpreter_settings {
	enum interpreter_mode mode;
	unsigned check_interval;      // ticks between releases, gil-2: 0 stands for 100
	unsigned switch_interval_us;  // gil-3: 0 stands for 5000
	bool check_every_instruction; // gil-3: to Python 3.9. Else at loop ends and calls: 3.10 on
	bool native_keeps_lock;       // native work does not release the lock (sleeping still does)
	enum interpreter_sharing sharing;
	bool trace;   // keep what is needed to explain a lost update; slow. gil-2 and gil-3 only
	FILE *out;    // where print goes; null: stdout
	size_t depth; // of calls; 0 stands for 1000
};

struct interpreter;        // a heap, its globals, its lock
struct interpreter_thread; // a thread that may run in it

// What went wrong, with the line: "countdown.py:3: NameError: name 'm' is not defined".
struct interpreter_error {
	char text[256];
};

// Returns 0 or a positive errno. Any number of interpreters may live in a process.
int interpreter_create(struct interpreter **i, const struct interpreter_settings *s);
// No thread is attached any more but daemons that it started, which are made to end. Returns how
// many objects were still alive although nothing referred to them: reference counts that were lost,
// or instances that a program made refer to each other in a circle, which nobody collects. Else 0.
size_t interpreter_destroy(struct interpreter *i);

// By any thread: makes it one of the interpreter's, which it is until it leaves. `index` is a small
// number of its own (0 .. 1023), by which the lock knows it. It does not hold the lock yet.
// Returns null where memory is short. Allocated and first touched by the caller.
struct interpreter_thread *interpreter_enter(struct interpreter *i, unsigned index);
// By the same thread: what it still owes other threads' objects is settled.
void interpreter_leave(struct interpreter_thread *t);

// Compiles the text and runs it as the main program, holding the lock meanwhile; waits for the
// threads that it started and that are not daemons. name is for messages. Returns 0, or EINVAL
// (the program is at fault), ENOMEM, ECANCELED (interpreter_stop) with e->text.
int interpreter_run(struct interpreter_thread *t, const char *name, const char *text,
	struct interpreter_error *e);

// Calls a function of the main program with integers, holding the lock during the call (but for
// what the lock's own rules give away). *result: what it returned if that was an integer, else 0.
// The function is found by name once: look it up before a measured loop.
struct interpreter_function; // belongs to the interpreter
const struct interpreter_function *interpreter_function(struct interpreter *i,
	const char *name); // null: there is none. Not thread-safe beside runs
int interpreter_call(struct interpreter_thread *t, const struct interpreter_function *f,
	unsigned count, const int64_t *arguments, int64_t *result, struct interpreter_error *e);

// A function in C that programs may call by this name, as a C extension's: integers in, an integer
// out. releases: the lock is released around it (unless native_keeps_lock), so that others
// run meanwhile. Before interpreter_run. Returns 0 or ENOMEM, EEXIST.
int interpreter_native(struct interpreter *i, const char *name, unsigned arguments, bool releases,
	int64_t (*function)(void *context, const int64_t *arguments), void *context);

// Asks all its threads to end with ECANCELED at their next jump or call. From any thread and from
// signal handlers.
void interpreter_stop(struct interpreter *i);

// What its lock and its threads did since it was created. Exact when all threads are at rest.
struct interpreter_counts {
	uint64_t instructions;    // counted with `trace` only, else 0
	uint64_t releases;        // of the lock, at checks and around native work
	uint64_t failed_acquires; // that did not find it free
	uint64_t switches;        // acquisitions by another thread than the last holder
	uint64_t drop_requests;   // gil-3: waits that lasted the whole interval
	uint64_t futex_calls;     // waits, and wake-ups of somebody who slept
	uint64_t merges;          // free-threaded: counts of two sides that became one
};
void interpreter_counts(const struct interpreter *i, struct interpreter_counts *c);
// How many objects exist now. All threads at rest.
size_t interpreter_objects(const struct interpreter *i);

// The bytecode of the main program and its functions, one instruction per line.
int interpreter_disassemble(
	const char *name, const char *text, FILE *out, struct interpreter_error *e);

/* The race, explained by what happened (settings.trace). */

enum { INTERPRETER_TRACE_MOST = 64 };
struct interpreter_trace_event {
	unsigned thread; // its index
	char text[48];   // "LOAD_GLOBAL x", "STORE_GLOBAL x"
	int64_t value;   // top of the stack after it, or what was stored; if it is an integer
	bool has_value;
	bool stale; // a store of what was computed from a value that is not there any more
	unsigned line;
};
// The first lost update of a global variable: the instructions of the threads from the load whose
// value grew stale to the store that lost the other's update, in the order in which they were
// executed, shortened in the middle if need be. Returns how many events, 0: none was lost.
size_t interpreter_lost_update(const struct interpreter *i,
	struct interpreter_trace_event event[INTERPRETER_TRACE_MOST], size_t *left_out);
