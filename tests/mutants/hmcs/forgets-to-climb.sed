# Who gets a group's queue without the level above takes the lock: two holders
s/hmcs_leave\(&g->tail, me, HMCS_CLIMB\)/hmcs_leave(\&g->tail, me, HMCS_FIRST)/
