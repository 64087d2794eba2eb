# The release may come before the last write of the section: ThreadSanitizer sees a race
s/store\(&l->serving, load\(&l->serving, relaxed\) \+ 1, release\)/store(\&l->serving, load(\&l->serving, relaxed) + 1, relaxed)/
