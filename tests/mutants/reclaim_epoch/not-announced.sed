# An operation begins without an announcement: the epoch advances past it
/reclaim_announce\(me, &me->announced, now\);/d
