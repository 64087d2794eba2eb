# Two remove the same node
s/return !\(link & SKIPLIST_MARK\);/return true;/
