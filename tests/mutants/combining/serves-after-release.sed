# the holder opens the lock before it serves the others: two run sections at once
# SPDX-License-Identifier: BSD-2-Clause
/^static inline void combining_release\(/,/^}/s/^\t\(void\)node;$/\t(void)node;\n\tstore(\&l->held, 0, release);/
