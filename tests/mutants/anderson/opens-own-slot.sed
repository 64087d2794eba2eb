# The release opens the slot of its own ticket, not of the next: nobody goes on
s/anderson_remember\(l, me, ticket \+ 1\)/anderson_remember(l, me, ticket)/
