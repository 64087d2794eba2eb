# The release opens the slot of its own ticket, not of the next: nobody goes on
s/->ticket \+ 1;/->ticket;/
