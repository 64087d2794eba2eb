# a woken waiter does not look again: another may have come before it, two holders
s/while \(l->locked\)/if (l->locked)/
