# A pop takes the node of a push that may be gone, to push it elsewhere
s/compare_exchange\(slot, &found, STACK_SLOT_TAKEN, acq_rel, relaxed\)/(store(slot, STACK_SLOT_TAKEN, release), true)/
