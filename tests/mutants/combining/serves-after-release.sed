# the holder opens the lock before it serves the others: two run sections at once
/^static inline void combining_release\(/,/^}/s/^\t\(void\)node;$/\t(void)node;\n\tstore(\&l->held, 0, release);/
