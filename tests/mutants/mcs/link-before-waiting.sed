# The hand-over may come between the link and the mark, which then is never cleared: a waiter hangs
/store\(&me->waiting, true, relaxed\)/d
s/^(\tstore\(&before->next, me, release\);.*)$/\1\n\tstore(\&me->waiting, true, relaxed);/
