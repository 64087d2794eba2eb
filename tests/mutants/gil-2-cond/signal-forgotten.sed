# release wakes nobody: who waits does so forever
/pthread_cond_signal/d
