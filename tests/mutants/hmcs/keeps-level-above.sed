# A group leaves its queue but not the level above, where its next holder waits for itself
/^\thmcs_release_grouped\(l, g->parent, &g->node\);/d
