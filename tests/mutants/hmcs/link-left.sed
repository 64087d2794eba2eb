# The link stays in the node: its next release hands the lock to whoever waited last time
/hmcs_leave\(/,/^}/{
/store\(&me->next, NULL, relaxed\)/d
}
