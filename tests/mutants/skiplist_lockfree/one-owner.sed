# Who removes a node retires it though its insertion still links it
s/if \(\(word & SKIPLIST_STATE\) != SKIPLIST_ONE_OWNER\)/if (false)/
