# sleeps where the lock is held by one who does not know of sleepers: never woken
s/(futex_wait\(&l->state), FUTEX_CONTENDED, 0\)/\1, FUTEX_HELD, 0)/
