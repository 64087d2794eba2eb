# The old dummy is retired by dequeues that failed, too
s/^\t\tuintptr_t expected = head;/&\n\t\tscheme->retire(me, (void *)head);/
s/^\t\t\tscheme->retire\(me, \(void \*\)head\);//
