# Who marked a node retires it, though somebody else unlinked and retired it
s/^\t\tif \(compare_exchange\(&prev->next, &seen, link, release, relaxed\)\)/\t\tcompare_exchange(\&prev->next, \&seen, link, release, relaxed);\n\t\tif (true)/
