# The hand-over may come before the last write of the section: ThreadSanitizer sees a race
s/store\(&after->told, tell, release\)/store(\&after->told, tell, relaxed)/
