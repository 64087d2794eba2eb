# A segment is retired by all who come to its end
s/if \(compare_exchange\(&q->head, &head, next, acq_rel, relaxed\)\)/compare_exchange(\&q->head, \&head, next, acq_rel, relaxed);/
