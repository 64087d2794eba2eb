# A node is linked over another one
s/\} while \(!compare_exchange\($/store(\&place.before[0]->next[0], skiplist_link(l, made, key), release);\n\t} while (false \&\& !compare_exchange(/
