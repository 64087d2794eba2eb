# acquire calls trylock and goes on where that fails: two holders
s/pthread_spin_lock\(/pthread_spin_trylock(/
