# the plain kind: a holder that acquires again waits for itself
s/PTHREAD_MUTEX_RECURSIVE\)/PTHREAD_MUTEX_NORMAL)/
