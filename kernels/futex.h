// SPDX-License-Identifier: BSD-2-Clause
// Sleeping until a word changes, for locks whose waiters give their PU away; and the clock such
// locks measure waits with. The names stand for themselves in an exploring build, which puts
// scheduling points in their place.
#pragma once

#ifdef LOCKSCALE_FUTEX /* a header that replaces this one: an exploring build's */
#include LOCKSCALE_FUTEX
#else

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "atomic.h"

// Nanoseconds of a clock that never goes back.
static inline uint64_t futex_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Sleeps while *word is `value`, at most timeout_ns (0: without limit). Returns 0 when woken or
// where *word differed, -1 after the time; may return early for no reason, so look again. The
// kernel's look at the word is ordered like a sequentially consistent load.
static inline int futex_wait(atomic_uint *word, unsigned value, uint64_t timeout_ns)
{
	struct timespec t = {(time_t)(timeout_ns / 1000000000u), (long)(timeout_ns % 1000000000u)};
	long rc = syscall(
		SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout_ns ? &t : NULL, NULL, 0);
	return rc < 0 && timeout_ns && errno == ETIMEDOUT ? -1 : 0;
}

// Wakes at most `most` sleepers on word.
static inline void futex_wake(atomic_uint *word, int most)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

#endif
