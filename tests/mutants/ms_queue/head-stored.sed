# A dequeue moves the head without looking whether it is still the same
s/compare_exchange\(&q->head, &expected, next, acq_rel, relaxed\)/(store(\&q->head, next, release), true)/
