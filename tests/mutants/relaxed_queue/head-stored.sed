# Two dequeues take the same item
s/compare_exchange_weak\(&l->head, &head, head \+ 1, acq_rel, acquire\)/(store(\&l->head, head + 1, release), true)/
