# sleeps where the lock is held by one who does not know of sleepers: never woken
# SPDX-License-Identifier: BSD-2-Clause
s/(futex_wait\(&l->state), FUTEX_CONTENDED, 0\)/\1, FUTEX_HELD, 0)/
