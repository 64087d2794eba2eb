# The release may come before the last write of the section: ThreadSanitizer sees a race
s/after, release\)/after, relaxed)/
