// SPDX-License-Identifier: BSD-2-Clause
// Locks that are known only when the program runs: plugins (shared objects with the verbs of a
// lock, see docs/your-lock.md) and whatever pthread_mutex a preloaded library provides.
#pragma once

#include <jansson.h>

#include "error.h"

// The lock that stands for a preloaded library's pthread_mutex.
#define INTERPOSED_LOCK "interposed"

// Adds to the catalog the locks of these shared objects (an array of paths, or null), with
// INDIRECT_LOCK (indirect.h) where there is one, and INTERPOSED_LOCK if `interposed`. Once per
// process, before variants are looked up. What is loaded stays. Returns 0 or a negative errno with
// a message that names file and symbol: -EINVAL where the file is no such plugin, -ENOENT where it
// is missing.
int foreign_add(const json_t *plugins, bool interposed, struct error *e);

// The name that the lock of this shared object has: libmine.so and mine.so are "mine". Returns
// buf, cut if it does not fit.
char *foreign_name(const char *path, char *buf, size_t size);

// Whether this process's pthread_mutex_lock is not the C library's own: 0, or -ENOENT with a
// message that names where it comes from and `preload`, which should have provided it.
int foreign_check_interposed(const char *preload, struct error *e);
