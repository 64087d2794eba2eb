# A push writes the head without looking whether it is still the same
s/compare_exchange\(&s->head, &seen, \(uintptr_t\)node, release, relaxed\)/(store(\&s->head, (uintptr_t)node, release), true)/
