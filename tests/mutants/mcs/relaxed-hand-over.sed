# The hand-over may come before the last write of the section: ThreadSanitizer sees a race
s/store\(&after->waiting, false, release\)/store(\&after->waiting, false, relaxed)/
