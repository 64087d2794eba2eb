// SPDX-License-Identifier: BSD-2-Clause
// The kernels that were linked in, by name.
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

// "counter/global-lock/mcs". Returns buf.
char *catalog_name(const struct kernel *k, const struct variant *v, char *buf, size_t size);

// A shell pattern against a variant's name; "counter" and "counter/global-lock" stand for all
// below them.
bool catalog_match(const char *pattern, const char *name);
