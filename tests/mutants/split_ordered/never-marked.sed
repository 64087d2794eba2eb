# A node is unlinked without a mark: another may be linked behind it
s/next \| SPLIT_GONE, acq_rel/next, acq_rel/
