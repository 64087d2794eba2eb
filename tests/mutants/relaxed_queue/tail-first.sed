# An item can be found before it is there
/^\tstore\(&l->tail, tail \+ 1, release\);/d
s/^\tstore\(&a->slot\[tail & a->mask\], value, relaxed\);/\tstore(\&l->tail, tail + 1, release);\n&/
