// SPDX-License-Identifier: BSD-2-Clause
// How long a worker that lost the head of a stack to another stays away from it: bounded
// exponential backoff. While it does, the other goes on undisturbed with the line in its cache.
#pragma once

#include "atomic.h"

enum { STACK_PAUSES_FIRST = 64, STACK_PAUSES_MOST = 2048 };

static __attribute__((noinline, unused)) void stack_wait(unsigned *pauses)
{
	for (unsigned i = 0; i < *pauses; i++)
		cpu_relax();
	if (*pauses < STACK_PAUSES_MOST)
		*pauses *= 2;
}
