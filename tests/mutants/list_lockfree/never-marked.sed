# A node is unlinked without a mark: another may be linked behind it
s/link \| LIST_MARK, acq_rel/link, acq_rel/
