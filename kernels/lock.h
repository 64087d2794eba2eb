// SPDX-License-Identifier: BSD-2-Clause
// The verbs of a lock. A lock is one header in kernels/locks/: it defines `struct NAME_lock`,
// the five verbs as static inline functions NAME_init, NAME_acquire, NAME_try_acquire,
// NAME_release, NAME_fini, and ends with LOCK(NAME, ...). Nothing else is to be edited: the
// Makefile lists the headers in build/gen/locks.h, and every kernel gains a variant.
//
// Kernels call the verbs through a constant `const struct lock_class *` in an always_inline
// function, so the compiler writes one loop per lock with the verbs inlined (checked by
// tests/cli/disassembly.bats).
#pragma once

#include "atomic.h"

// Memory that an acquisition needs for itself (a queue node). The worker provides it, zeroed
// when it is first used; one per lock held at the same time, the same for lock after lock; it
// must stay where it is until release has returned.
enum { LOCK_NODE_SIZE = LINE_PAIR - 16 };
struct lock_node {
	LINE_ALIGNED unsigned char bytes[LOCK_NODE_SIZE]; // the lock's own
	void *instrument; // whoever measures the lock; not the lock's
	unsigned worker;  // index of the node's worker
};

// Who will use a lock, and what hardware those workers share. Read-only; outlives the lock.
enum { LOCK_LEVELS_MOST = 3 };
struct lock_level {
	unsigned groups;       // 2 or more
	const unsigned *group; // of each worker, 0 .. groups - 1
};
struct lock_team {
	unsigned workers;
	unsigned levels; // 0: no group of workers is closer than any other
	struct lock_level
		level[LOCK_LEVELS_MOST]; // innermost first: a cache, a NUMA node, a package
	int spare_pu; // a PU that no worker uses, for a lock that has a thread of its own; -1: none
};

// What a lock counts for who wants to know what happened in it; under its own protection. An
// exploring build leaves it out: states that differ by it alone would be visited one by one.
static ALWAYS_INLINE void lock_tally(uint64_t *count, bool happened)
{
#ifndef LOCKSCALE_ATOMIC
	*count += happened;
#else
	(void)count, (void)happened;
#endif
}
// One more sleeps, by a call of the kernel; one of those that do, if there is any, is woken by one.
static ALWAYS_INLINE void lock_tally_sleep(unsigned *sleepers, uint64_t *calls)
{
#ifndef LOCKSCALE_ATOMIC
	++*sleepers;
#else
	(void)sleepers;
#endif
	lock_tally(calls, true);
}
static ALWAYS_INLINE void lock_tally_wake(unsigned *sleepers, uint64_t *calls)
{
	lock_tally(calls, *sleepers != 0);
	*sleepers -= *sleepers != 0;
}

enum lock_family {
	LOCK_SPINNING,
	LOCK_BLOCKING,
	LOCK_NUMA_AWARE,
	LOCK_READER_WRITER,
	LOCK_DELEGATION,
	LOCK_INTERPRETER,
};

struct lock_class {
	const char *name;
	const char *summary; // one line: what it is, what it guarantees
	const char *source;  // author, year
	enum lock_family family;
	bool fifo;      // acquisitions are granted in the order in which they were asked for
	bool reentrant; // its holder may acquire it again, and releases it as often
	bool sleeps;    // long waits give the PU away: it works where workers outnumber PUs
	bool peer;      // somebody else's implementation, to compare with
	bool standard;  // among the few that a run measures where nothing else is asked for
	bool single;    // too large or costly to have many of: no fine-lock variants
	size_t size;
	// 0 or a positive errno. The lock starts free. Not thread-safe.
	int (*init)(void *lock, const struct lock_team *team);
	// Mutual exclusion; everything before the release happens before what follows the acquire.
	void (*acquire)(void *lock, struct lock_node *node);
	// As acquire where the lock is free, else false at once.
	bool (*try_acquire)(void *lock, struct lock_node *node);
	// By the worker that acquired, with the same node.
	void (*release)(void *lock, struct lock_node *node);
	// The lock must be free. Not thread-safe.
	void (*fini)(void *lock);

	/* The rest may be null. */

	// Frees what the lock left in a node between uses. By the node's worker, which does not use
	// it again, after fini of all locks it was used with.
	void (*retire)(struct lock_node *node);
	// Shared ownership: readers exclude acquire, not each other. read_release says whether what
	// was read counts: false (a writer came between, an optimistic lock only) means read again.
	// What readers read and writers write is then accessed with relaxed atomics.
	void (*read_acquire)(void *lock, struct lock_node *node);
	bool (*read_try_acquire)(void *lock, struct lock_node *node);
	bool (*read_release)(void *lock, struct lock_node *node);
	// Runs section(state, argument) under mutual exclusion, on whichever thread is fastest.
	void (*execute)(void *lock, struct lock_node *node,
		void (*section)(void *state, void *argument), void *state, void *argument);
	// By the holder, often (an interpreter after each instruction): where others should have
	// their turn now, releases the lock and acquires it again.
	void (*safepoint)(void *lock, struct lock_node *node);
};

// Runs section(state, argument) under the lock, the way that suits the lock. A section is declared
// `static inline`: compilers inline it, and may fail where an always_inline function turns out to
// be what a pointer calls.
static ALWAYS_INLINE void lock_execute(const struct lock_class *class, void *lock,
	struct lock_node *node, void (*section)(void *state, void *argument), void *state,
	void *argument)
{
	if (class->execute) {
		class->execute(lock, node, section, state, argument);
		return;
	}
	class->acquire(lock, node);
	section(state, argument);
	class->release(lock, node);
}

// A lock's class from its verbs. The wrappers give the verbs' typed pointers one type. Verbs that
// may be null: put LOCK_READS(NAME), LOCK_EXECUTE(NAME) or LOCK_SAFEPOINT(NAME) before LOCK, and
// READS(NAME), EXECUTES(NAME), SAFEPOINT(NAME) among its fields; `.retire = NAME_retire` as it is.
#define LOCK(NAME, ...)                                                                            \
	static ALWAYS_INLINE int NAME##_class_init(void *lock, const struct lock_team *team)       \
	{                                                                                          \
		return NAME##_init(lock, team);                                                    \
	}                                                                                          \
	static ALWAYS_INLINE void NAME##_class_acquire(void *lock, struct lock_node *node)         \
	{                                                                                          \
		NAME##_acquire(lock, node);                                                        \
	}                                                                                          \
	static ALWAYS_INLINE bool NAME##_class_try_acquire(void *lock, struct lock_node *node)     \
	{                                                                                          \
		return NAME##_try_acquire(lock, node);                                             \
	}                                                                                          \
	static ALWAYS_INLINE void NAME##_class_release(void *lock, struct lock_node *node)         \
	{                                                                                          \
		NAME##_release(lock, node);                                                        \
	}                                                                                          \
	static ALWAYS_INLINE void NAME##_class_fini(void *lock)                                    \
	{                                                                                          \
		NAME##_fini(lock);                                                                 \
	}                                                                                          \
	_Static_assert(_Alignof(struct NAME##_lock) <= LOCK_ALIGN, #NAME " needs LOCK_ALIGN");     \
	_Static_assert(sizeof(struct NAME##_lock) <= LOCK_SIZE, #NAME " needs LOCK_SIZE");         \
	static const struct lock_class NAME##_class = {.size = sizeof(struct NAME##_lock),         \
		.init = NAME##_class_init,                                                         \
		.acquire = NAME##_class_acquire,                                                   \
		.try_acquire = NAME##_class_try_acquire,                                           \
		.release = NAME##_class_release,                                                   \
		.fini = NAME##_class_fini,                                                         \
		__VA_ARGS__}

#define LOCK_READS(NAME)                                                                           \
	static ALWAYS_INLINE void NAME##_class_read_acquire(void *lock, struct lock_node *node)    \
	{                                                                                          \
		NAME##_read_acquire(lock, node);                                                   \
	}                                                                                          \
	static ALWAYS_INLINE bool NAME##_class_read_try_acquire(                                   \
		void *lock, struct lock_node *node)                                                \
	{                                                                                          \
		return NAME##_read_try_acquire(lock, node);                                        \
	}                                                                                          \
	static ALWAYS_INLINE bool NAME##_class_read_release(void *lock, struct lock_node *node)    \
	{                                                                                          \
		return NAME##_read_release(lock, node);                                            \
	}
#define READS(NAME)                                                                                \
	.read_acquire = NAME##_class_read_acquire,                                                 \
	.read_try_acquire = NAME##_class_read_try_acquire,                                         \
	.read_release = NAME##_class_read_release

#define LOCK_EXECUTE(NAME)                                                                         \
	static ALWAYS_INLINE void NAME##_class_execute(void *lock, struct lock_node *node,         \
		void (*section)(void *, void *), void *state, void *argument)                      \
	{                                                                                          \
		NAME##_execute(lock, node, section, state, argument);                              \
	}
#define EXECUTES(NAME) .execute = NAME##_class_execute

#define LOCK_SAFEPOINT(NAME)                                                                       \
	static ALWAYS_INLINE void NAME##_class_safepoint(void *lock, struct lock_node *node)       \
	{                                                                                          \
		NAME##_safepoint(lock, node);                                                      \
	}
#define SAFEPOINT(NAME) .safepoint = NAME##_class_safepoint

enum { LOCK_ALIGN = 16, LOCK_SIZE = 256 };

// Room for any lock, where the kind is known only when the program runs.
struct any_lock {
	LINE_ALIGNED unsigned char bytes[LOCK_SIZE];
};
