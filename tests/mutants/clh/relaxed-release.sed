# The release may come before the last write of the section: ThreadSanitizer sees a race
s/held->state, CLH_FREE, release\)/held->state, CLH_FREE, relaxed)/
