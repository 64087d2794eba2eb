# A dequeue gives its slot up without closing it: an item may still come there
s/item = exchange\(&s->slot\[ticket\], FAA_CLOSED, acquire\);/item = load(\&s->slot[ticket], acquire);/
