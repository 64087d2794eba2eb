# A node is unlinked without a mark: another may be linked behind it
s/\(uintptr_t\)list_next\(node\) \| LIST_MARK/(uintptr_t)list_next(node)/
