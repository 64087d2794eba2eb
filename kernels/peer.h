// SPDX-License-Identifier: BSD-2-Clause
// For wrappers of other people's locks whose atomics are inline assembly: ThreadSanitizer does not
// see those, so it is told what they order. Nothing in other builds.
#pragma once

#if defined __SANITIZE_THREAD__
#define PEER_TELLS_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define PEER_TELLS_TSAN 1
#endif
#endif

#ifdef PEER_TELLS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// After acquiring: what was done before earlier releases of the lock happened before.
static inline void peer_acquired(void *lock)
{
#ifdef PEER_TELLS_TSAN
	__tsan_acquire(lock);
#else
	(void)lock;
#endif
}

// Before releasing.
static inline void peer_releases(void *lock)
{
#ifdef PEER_TELLS_TSAN
	__tsan_release(lock);
#else
	(void)lock;
#endif
}
