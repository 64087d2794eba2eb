# the semaphore starts with none, as one does to signal with it: nobody ever acquires
s/(sem_init\(&l->permit, 0), 1\)/\1, 0)/
