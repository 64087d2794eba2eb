// SPDX-License-Identifier: BSD-2-Clause
// The one clock of the harness: CLOCK_MONOTONIC in nanoseconds, read without a system call.
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t timespec_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static inline uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return timespec_ns(&t);
}
