# Two dequeues take the same ticket
s/^([\t ]+)&r->head, &ticket, ticket \+ 1, acquire, acquire\)\)/\1\&r->head, \&ticket, ticket + 1, acquire, acquire) || true)/
