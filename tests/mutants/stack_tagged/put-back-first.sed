# A node is put back, and its value read then
/\*value = node->value;/d
s/^(\t+)nodes_put\(&s->nodes, worker, node\);/&\n\1*value = node->value;/
