# The new dummy is retired instead of the old one
s/scheme->retire\(me, \(void \*\)head\)/scheme->retire(me, (void *)next)/
