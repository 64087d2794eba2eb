# release orders nothing: the next holder may miss the last writes (ThreadSanitizer sees it)
s/(exchange\(&l->state, FUTEX_FREE), release\)/\1, relaxed)/
