# The hand-over may come before the last write of the section: ThreadSanitizer sees a race
s/store\(&to->waiting, false, release\)/store(\&to->waiting, false, relaxed)/
