# A push gives its node to a pop that may be gone
s/compare_exchange\(slot, &found, given, acq_rel, relaxed\)/(store(slot, given, release), true)/
