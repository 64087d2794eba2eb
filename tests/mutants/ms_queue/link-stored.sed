# An enqueue links its node over another one
s/if \(compare_exchange\(&\(\(struct ms_node \*\)tail\)->next, &next, \(uintptr_t\)node,/if ((store(\&((struct ms_node *)tail)->next, (uintptr_t)node, release), true) || compare_exchange(\&((struct ms_node *)tail)->next, \&next, (uintptr_t)node,/
