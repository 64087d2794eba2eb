# A popped node is lost
/^\treclaim->retire\(me, node\);/d
