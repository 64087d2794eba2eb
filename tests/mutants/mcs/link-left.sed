# The link stays in the node: its next release hands the lock to whoever waited last time
/store\(&me->next, NULL, relaxed\)/d
