# A segment is linked over another one
s/if \(compare_exchange\(&last->next, &next, \(uintptr_t\)own, acq_rel, acquire\)\)/store(\&last->next, (uintptr_t)own, release);\n\t\tif (true)/
