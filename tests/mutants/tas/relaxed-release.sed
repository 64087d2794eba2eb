# The release may come before the last write of the section: ThreadSanitizer sees a race
/_release\(/,/^}/s/0, release\)/0, relaxed)/
