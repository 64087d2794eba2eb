# The hand-over may come before the last write of the section: ThreadSanitizer sees a race
s/store\(&me->granted, 1, release\)/store(\&me->granted, 1, relaxed)/
