# acquire takes the lock for reading: writers no longer exclude each other, updates are lost
s/pthread_rwlock_wrlock\(/pthread_rwlock_rdlock(/
