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
// when the lock is first used; one per lock held at the same time; it must stay where it is
// until release has returned.
struct lock_node {
	LINE_ALIGNED unsigned char bytes[LINE_PAIR];
};

struct lock_class {
	const char *name;
	const char *summary; // one line: what it is, what it guarantees
	const char *source;  // author, year
	bool fifo;           // acquisitions are granted in the order in which they were asked for
	size_t size;
	// 0 or a positive errno. The lock starts free. Not thread-safe.
	int (*init)(void *lock);
	// Mutual exclusion; everything before the release happens before what follows the acquire.
	void (*acquire)(void *lock, struct lock_node *node);
	// As acquire where the lock is free, else false at once.
	bool (*try_acquire)(void *lock, struct lock_node *node);
	// By the worker that acquired, with the same node.
	void (*release)(void *lock, struct lock_node *node);
	// The lock must be free. Not thread-safe.
	void (*fini)(void *lock);
};

// A lock's class from its verbs. The wrappers give the verbs' typed pointers one type.
#define LOCK(NAME, ...)                                                                            \
	static ALWAYS_INLINE int NAME##_class_init(void *lock)                                     \
	{                                                                                          \
		return NAME##_init(lock);                                                          \
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

enum { LOCK_ALIGN = 16, LOCK_SIZE = 256 };

// Room for any lock, where the kind is known only when the program runs.
struct any_lock {
	LINE_ALIGNED unsigned char bytes[LOCK_SIZE];
};
