# The group's queue is left before the level above: its node is used by two
/^\thmcs_release_grouped\(l, g->parent, &g->node\);/d
s/^(\thmcs_leave\(&g->tail, me, HMCS_CLIMB\);)/\1\n\thmcs_release_grouped(l, g->parent, \&g->node);/
