# A pop leaves before it is done: the node may be freed while it looks into it
s/^\t\tif \(compare_exchange\(&s->head, &seen, node->next/\t\treclaim->leave(me);\n&/
