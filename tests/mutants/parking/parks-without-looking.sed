# does not look at the lock again before it sleeps: a release in between wakes nobody
s/bool wait = .*/bool wait = true;/
