# A larger array can be found before the items are in it
/store\(&l->array, more, release\);/d
s/^\tuint64_t tail = load\(&l->tail, relaxed\); \/\* relaxed: as above \*\//\tstore(\&l->array, more, release);\n&/
