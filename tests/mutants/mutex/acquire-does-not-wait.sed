# acquire calls trylock and goes on where that fails: two holders
s/pthread_mutex_lock\(/pthread_mutex_trylock(/
