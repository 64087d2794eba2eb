// SPDX-License-Identifier: BSD-2-Clause
// The kernels that were linked in, by name, and the locks that their variants use.
#pragma once

#include "kernel.h"
#include "result.h"

// All kernels in alphabetical order, `control` first; *count of them. Static memory.
const struct kernel *const *catalog_kernels(size_t *count);

// Null if there is none of that name. A kernel under a setting of its parameters has a name of its
// own, an instance: "contention@cs=100,lines=0" finds contention, if it has these parameters.
const struct kernel *catalog_kernel(const char *name);
// What the instance sets this parameter to, as text in value; false where it does not.
bool catalog_setting(const char *instance, const char *param, char *value, size_t size);
const struct variant *catalog_variant(
	const struct kernel *k, const char *strategy, const char *lock);

// Each lock that any variant uses, once: by family, then by name. At most `most`; returns how many.
size_t catalog_locks(const struct lock_class **locks, size_t most);
// Null if there is none of that name.
const struct lock_class *catalog_lock(const char *name);

// Gives each strategy that takes a lock a variant with this one, until the process ends: through
// the class's pointers, or, where `like` names a lock, by that lock's own code, inlined as it is.
// Variants that were looked up before are gone. Borrows the class. Not thread-safe. Returns 0,
// -EEXIST if there is a lock of that name, or -ENOMEM.
int catalog_add_lock(const struct lock_class *lock, const char *like);

// "counter/global-lock/mcs". Returns buf.
char *catalog_name(const struct kernel *k, const struct variant *v, char *buf, size_t size);

// A shell pattern against a variant's name; "counter" and "counter/global-lock" stand for all
// below them.
bool catalog_match(const char *pattern, const char *name);
