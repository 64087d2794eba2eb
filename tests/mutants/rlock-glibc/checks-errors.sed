# the kind that refuses to be acquired again, which nobody looks at: the first release frees it
s/PTHREAD_MUTEX_RECURSIVE\)/PTHREAD_MUTEX_ERRORCHECK)/
