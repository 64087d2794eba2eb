# A node is retired before it is unlinked
s/^\t\tuintptr_t next = load\(&found->next, relaxed\);.*/&\n\t\tme->domain->class->retire(me, found);/
/^\tif \(found\)$/{N;d}
