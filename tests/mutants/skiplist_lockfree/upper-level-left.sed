# The last owner does not walk to the key once more: an upper level still leads to the freed node
/^\tskiplist_lockfree_seek\(scheme, l, me, key, &place\);/d
