# A node is published after the link was read again: somebody may have looked in between
/reclaim_announce\(me, &me->slot\[slot\]/d
s/if \(again == seen\)/if (again == seen \&\& (reclaim_announce(me, \&me->slot[slot], seen \& ~RECLAIM_TAG), true))/
