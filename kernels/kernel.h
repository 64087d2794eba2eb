// SPDX-License-Identifier: BSD-2-Clause
// What a kernel declares. A kernel is one file in kernels/: its state, one function per
// strategy, a check, and KERNEL(...) at the end. Nothing else is to be edited: the Makefile
// finds the file, the linker collects the declarations.
// A kernel knows its worker and its own state; nothing of topology, files or command line.
#pragma once

#include "lock.h"

// A worker as the kernel sees it. Every worker has its own; on its own lines.
struct worker {
	LINE_ALIGNED unsigned index; // 0 .. count - 1
	unsigned count;
	void *own; // kernel->own_size bytes, zeroed, first touched by this worker
	const struct lock_class *lock; // the variant's, null where it has none
	struct lock_node node[2];      // for the (at most two) locks held at once
	// Counted by the worker's batches: operations that had nothing to do (a dequeue from an
	// empty queue, a removal of an absent key) and are not among those that batch returns.
	uint64_t failed;
};

// A structure's operations, one by one, for those who look at each result.
enum verb { VERB_LOOKUP, VERB_INSERT, VERB_REMOVE };

// What a structure promises about them: each takes effect at one moment between its call and its
// return, and a sequential program that did them in the order of these moments would see the same.
enum model {
	MODEL_NONE,
	MODEL_MAP,   // insert(key, value) where absent; remove(key) and lookup(key) give the value
	MODEL_QUEUE, // insert(value) at one end; remove gives the value at the other
	MODEL_STACK, // insert(value); remove gives the youngest
	MODEL_PRIORITY_QUEUE, // insert(key); remove gives the smallest
	MODEL_BAG             // insert(value); remove gives any
};

struct operation {
	enum verb verb;
	uint64_t key;   // of a map, a priority queue
	uint64_t value; // inserted, or found
};

// A setting of a kernel that the user may change: --param KERNEL.NAME=VALUE.
struct param {
	const char *name;
	const char *value; // the default, as text
	const char *help;
	const char *accepts; // "1..1048576", "file", "0..5 (real)"; checked by the kernel's prepare
};

// What the kernel made ready once per process, shared read-only by all its points.
struct input {
	const struct param *params; // the kernel's, in its order
	const char *const *values;  // one per param
	void *data;                 // what prepare made
	char error[256];            // prepare writes here what is wrong with a value
	char note[256];             // and here what of the input a reader of the results must know
};

struct variant {
	const char *strategy;
	const struct lock_class *lock; // null where the strategy has none
	// Tries n operations (throughput) or one piece of the remaining work (makespan) and returns
	// how many took effect; 0 ends a makespan. Called by every worker in a loop.
	uint64_t (*batch)(void *state, struct worker *w, uint64_t n);
	// The same through the pointers of w->lock: for locks that are known only when the program
	// runs (a plugin, an instrumented lock). Null where the variant has no lock.
	uint64_t (*indirect)(void *state, struct worker *w, uint64_t n);
	// Where the shared state is a structure: one operation, as batch does them, through w->lock
	// where there is a lock. False: it failed. Keys and values are below 2^30, and not 0.
	enum model model;
	bool (*operate)(void *state, struct worker *w, struct operation *op);
	// Whether this machine has what it needs, a library that may be missing. Null: nothing.
	bool (*available)(void);
};

// What a kernel counts beside its operations because it explains their rate.
struct count {
	const char *name; // "futex-calls"; "p50_ns" and the like: see below
	const char *help; // may be null
	bool level;       // a state (a percentile, a size) and no total that only grows
};
// Levels of these names are percentiles of the time that one operation took as whoever asked for it
// sees it; where a kernel has all of them they are tabulated and drawn as its requests' latency:
// p50_ns, p99_ns, p999_ns, max_ns.
enum { KERNEL_COUNTS_MOST = 16 };

enum kernel_kind {
	KERNEL_THROUGHPUT, // operations within a window
	KERNEL_MAKESPAN    // time until a fixed amount of work is done
};

// The state of one point while it is measured.
struct run {
	const struct kernel *kernel;
	const struct variant *variant;
	const struct input *input;
	struct worker **workers; // count of them
	unsigned count;
	const struct lock_team *team; // the same workers, as locks see them
	void *state;                  // kernel->state_size bytes, zeroed, aligned to LINE_PAIR
};

struct kernel {
	const char *name;
	const char *summary; // one line
	const char *shared;  // what the workers share
	const char *unit;    // what an operation is, plural: "increments"
	enum kernel_kind kind;
	bool reads;    // most of its critical sections only read: where reader-writer locks belong
	bool extra;    // not part of a run that names no pattern
	bool standard; // part of a first look at a machine: `make run`
	// It has threads of its own that work on the workers' PUs: who waits behind one of them is
	// not disturbed.
	bool own_threads;
	// The locks that are measured where none is named, blank separated; null: the standard
	// ones.
	const char *locks;
	size_t state_size;          // shared state, first touched by worker 0
	size_t own_size;            // per worker, first touched by that worker; 0: none
	const struct param *params; // ended by a null name; null: none
	const struct variant *variants;
	size_t variant_count;
	const struct count *counts; // ended by a null name, KERNEL_COUNTS_MOST at most; or null

	// All hooks but check may be null. Those that return int return 0 or a positive errno.
	// prepare: once per process, by the main thread: read-only input in in->data.
	int (*prepare)(struct input *in);
	void (*unprepare)(struct input *in);
	// create: by worker 0, state zeroed; makes locks, fills tables. destroy: the reverse, also
	// after a create that failed half way.
	int (*create)(struct run *r);
	void (*destroy)(struct run *r);
	// begin: by worker 0 before each window or makespan (e.g. puts the work back).
	void (*begin)(struct run *r);
	// finish: by every worker at the end of each window, inside the measured time: merges its
	// own state into the shared one.
	void (*finish)(void *state, struct worker *w);
	// count: by worker 0, workers at rest, after begin and after the window: value[i] of
	// counts[i]. Totals are of all workers since create; what is reported is the difference.
	void (*count)(struct run *r, double *value);
	// check: by worker 0, workers at rest. done[i] is what worker i's batches returned since
	// create (throughput) or since begin (makespan). Returns how many operations did not take
	// effect exactly once.
	int64_t (*check)(struct run *r, const uint64_t *done);
	// picture: writes "W H MAX\n" and W*H little-endian uint16 to out, a real result to look
	// at.
	int (*picture)(const struct run *r, void *out);
};

// Puts the kernel's address where kernels_begin()/kernels_end() find it.
#define KERNEL(NAME, ...) KERNEL_NAMED(NAME, #NAME, __VA_ARGS__)
#define KERNEL_NAMED(NAME, TEXT, ...)                                                              \
	static const struct kernel NAME##_kernel = {.name = TEXT, __VA_ARGS__};                    \
	__attribute__((used,                                                                       \
		section("lockscale_kernels"))) static const struct kernel *const NAME##_entry =    \
		&NAME##_kernel

#define VARIANTS(array) .variants = (array), .variant_count = sizeof(array) / sizeof *(array)

// For a function `uint64_t FUNCTION(void *, struct worker *, uint64_t, const struct lock_class *)`
// marked ALWAYS_INLINE: LOCKED_BATCH(FUNCTION) writes its text once per lock, and
// LOCKED_VARIANTS("global-lock", FUNCTION) lists the results in a variant table.
#define LOCKED_BATCH_ONE(NAME, FUNCTION)                                                           \
	static uint64_t FUNCTION##_##NAME(void *state, struct worker *w, uint64_t n)               \
	{                                                                                          \
		return FUNCTION(state, w, n, &NAME##_class);                                       \
	}
#define LOCKED_VARIANT_ONE(NAME, STRATEGY, FUNCTION)                                               \
	{.strategy = STRATEGY,                                                                     \
		.lock = &NAME##_class,                                                             \
		.batch = FUNCTION##_##NAME,                                                        \
		.indirect = FUNCTION##_indirect},
#define LOCKED_BATCH(FUNCTION)                                                                     \
	FOR_EACH_LOCK(LOCKED_BATCH_ONE, FUNCTION)                                                  \
	static uint64_t FUNCTION##_indirect(void *state, struct worker *w, uint64_t n)             \
	{                                                                                          \
		return FUNCTION(state, w, n, w->lock);                                             \
	}
#define LOCKED_VARIANTS(STRATEGY, FUNCTION) FOR_EACH_LOCK(LOCKED_VARIANT_ONE, STRATEGY, FUNCTION)

// The same for a structure: .model and .operate among the fields.
#define LOCKED_STRUCTURE_ONE(NAME, STRATEGY, FUNCTION, MODEL, OPERATE)                             \
	{.strategy = STRATEGY,                                                                     \
		.lock = &NAME##_class,                                                             \
		.batch = FUNCTION##_##NAME,                                                        \
		.indirect = FUNCTION##_indirect,                                                   \
		.model = MODEL,                                                                    \
		.operate = OPERATE},
#define LOCKED_STRUCTURE(STRATEGY, FUNCTION, MODEL, OPERATE)                                       \
	FOR_EACH_LOCK(LOCKED_STRUCTURE_ONE, STRATEGY, FUNCTION, MODEL, OPERATE)

#define STRATEGY_IS(variant, text) (__builtin_strcmp((variant)->strategy, (text)) == 0)

// The value of a parameter as text; never null.
static inline const char *input_text(const struct input *in, const char *name)
{
	for (size_t i = 0; in->params && in->params[i].name; i++)
		if (__builtin_strcmp(in->params[i].name, name) == 0)
			return in->values[i];
	return "";
}

// The same as a number within low..high. Returns 0, or EINVAL with in->error set.
int input_number(struct input *in, const char *name, double low, double high, double *value);
int input_whole(struct input *in, const char *name, unsigned low, unsigned high, unsigned *value);

// An array in which different workers write different elements: each on its own lines, the
// element's data first and then (fine-lock) its lock. Size in bytes of one such cell.
static inline size_t cell_stride(size_t data, const struct lock_class *lock)
{
	size_t with_lock = lock ? ((data + 15) & ~(size_t)15) + lock->size : data;
	return (with_lock + 63) & ~(size_t)63;
}

static ALWAYS_INLINE void *cell_lock(void *cell, size_t data)
{
	return (char *)cell + ((data + 15) & ~(size_t)15);
}
