# A pop writes the head without looking whether it is still the same
s/compare_exchange\(&s->head, &seen, node->next, acquire, relaxed\)/(store(\&s->head, node->next, release), true)/
