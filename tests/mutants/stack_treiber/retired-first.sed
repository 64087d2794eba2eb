# A node is retired before it is unlinked, and again by who unlinks it
/^\treclaim->retire\(me, node\);/d
s/^\t\tif \(compare_exchange\(&s->head, &seen, node->next/\t\treclaim->retire(me, node);\n&/
