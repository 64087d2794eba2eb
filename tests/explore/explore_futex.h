// SPDX-License-Identifier: BSD-2-Clause
// Futexes and their clock for an exploring build. A timed sleep may end at any time; a sleep may
// end for no reason once; the clock stands still, passes a timeout's time, or leaps.
#pragma once

#include "atomic.h"
#include "hooks.h"

#define futex_now_ns()                                                                             \
	__extension__({                                                                            \
		EXPLORE_SITE("futex_now_ns()");                                                    \
		explore_now(&explore_site);                                                        \
	})
#define futex_wait(word, value, timeout_ns)                                                        \
	__extension__({                                                                            \
		EXPLORE_SITE("futex_wait(" #word ", " #value ")");                                 \
		explore_futex_wait((word), (value), (timeout_ns), &explore_site);                  \
	})
#define futex_wake(word, most)                                                                     \
	__extension__({                                                                            \
		EXPLORE_SITE("futex_wake(" #word ", " #most ")");                                  \
		explore_futex_wake((word), (most), &explore_site);                                 \
	})
