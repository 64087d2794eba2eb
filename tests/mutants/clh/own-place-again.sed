# The place is used again while the one behind looks at it: a worker waits for itself
/clh_acquire\(/,/^}/s/me->mine = before;/me->mine = mine;/
