# who slept takes the lock as held, not contended: another sleeper is never woken (three workers)
/^\t\tas = FUTEX_CONTENDED;/d
