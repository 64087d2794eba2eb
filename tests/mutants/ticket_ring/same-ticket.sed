# Two enqueues take the same ticket
s/^([\t ]+)&r->tail, &ticket, ticket \+ 1, acquire, acquire\)\)/\1\&r->tail, \&ticket, ticket + 1, acquire, acquire) || true)/
