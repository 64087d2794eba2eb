# The place is changed though it is no more what the walk found
s/valid = list_lazy_valid\(prev, node\);/valid = true;/
