# A removed node is unlinked without looking whether the link still leads to it
s/if \(!compare_exchange\($/store(\&prev->next, link \& ~LIST_MARK, release);\n\t\t\tif (false \&\& !compare_exchange(/
