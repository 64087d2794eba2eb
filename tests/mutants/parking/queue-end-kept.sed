# the queue still ends with the waiter that left it: the next one is appended where nobody looks
/if \(b->last == w\)/,+1d
