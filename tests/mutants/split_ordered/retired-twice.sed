# A node is retired by who could not unlink it, too
s/if \(!compare_exchange\(link, &expected, next, acq_rel, relaxed\)\)/compare_exchange(link, \&expected, next, acq_rel, relaxed);\n\t\t\t\tif (false)/
