# A node is linked on an upper level though it was removed meanwhile
s/if \(own & SKIPLIST_MARK\)/if (false)/
s/if \(own != link &&$/store(\&made->next[level], link, relaxed);\n\t\t\tif (false \&\&/
