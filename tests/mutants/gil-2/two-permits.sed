# the semaphore starts with two permits: two holders
s/(sem_init\(&l->permit, 0), 1\)/\1, 2)/
