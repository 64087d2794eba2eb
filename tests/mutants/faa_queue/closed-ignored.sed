# An item is put into a slot that a dequeue has given up
s/put = compare_exchange\(&s->slot\[ticket\], &empty, value, release, relaxed\);/{ store(\&s->slot[ticket], value, release); put = 1; }/
