// SPDX-License-Identifier: BSD-2-Clause
// The lock in every object of an interpreter without a global one: one byte. It is the lock
// `parking`, with the waiter's node on its stack, since an object's user is no worker with nodes.
// Promises and costs: as there; one compare-and-swap each way where nobody else wants it. Not
// re-entrant. Source: Pizlo, "Locking in WebKit", 2016; CPython's PyMutex (PEP 703, 2023).
#pragma once

#include "kernels/locks/parking.h"

struct byte_lock {
	struct parking_lock parking;
};
_Static_assert(sizeof(struct byte_lock) == 1, "one byte");

static ALWAYS_INLINE void byte_lock_init(struct byte_lock *l)
{
	parking_init(&l->parking, NULL);
}

static __attribute__((noinline, unused)) void byte_lock_wait(struct byte_lock *l)
{
	/* Who wakes us does not look at it again once we may go on: it may die with this frame. */
	struct parking_waiter me;
	parking_acquire_slowly(&l->parking, &me);
}

// Mutual exclusion; everything before the release happens before what follows the acquire.
static ALWAYS_INLINE void byte_lock_acquire(struct byte_lock *l)
{
	if (!parking_acquire_free(&l->parking))
		byte_lock_wait(l);
}

static ALWAYS_INLINE bool byte_lock_try_acquire(struct byte_lock *l)
{
	return parking_try_acquire(&l->parking, NULL);
}

static ALWAYS_INLINE void byte_lock_release(struct byte_lock *l)
{
	parking_release(&l->parking, NULL);
}
