# the lock is handed over but looks free: another takes it too (after 1 ms)
s/parked \| PARKING_HELD, relaxed/parked, relaxed/
