# release does not look at the count: the first one frees the lock
/if \(--l->count > 0\)/,+1d
