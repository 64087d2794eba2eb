# release orders nothing: the next holder may miss the last writes (ThreadSanitizer sees it)
s/(&expected, 0), release, relaxed\)/\1, relaxed, relaxed)/
