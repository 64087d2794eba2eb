# The release may come before the last write of the section: ThreadSanitizer sees a race
s/store\(&t->serving, load\(&t->serving, relaxed\) \+ 1, release\)/store(\&t->serving, load(\&t->serving, relaxed) + 1, relaxed)/
