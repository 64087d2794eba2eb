# A node is unlinked without marks: another may be linked behind it
s/&link, link \| SKIPLIST_MARK, acq_rel, relaxed/\&link, link, acq_rel, relaxed/
