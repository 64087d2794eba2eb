# A lookup finds what was removed before another key came in its place
s/if \(load\(&next->next\[0\], acquire\) & SKIPLIST_MARK\)/if (false)/
