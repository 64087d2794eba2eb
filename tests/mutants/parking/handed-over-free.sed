# the lock is handed over but looks free: another takes it too (after 1 ms)
# SPDX-License-Identifier: BSD-2-Clause
s/parked \| PARKING_HELD, relaxed/parked, relaxed/
