# a reader looks for a writer before it shows its flag, and not after: both may enter
# SPDX-License-Identifier: BSD-2-Clause
s/^\tstore\(mine, 1, seq_cst\);.*$/\tbool writer = load(\&l->writing, seq_cst);\n\tstore(mine, 1, seq_cst);/
s/^\tif \(!load\(&l->writing, seq_cst\)\)$/\tif (!writer)/
