# The head is read without protection: hazard pointers need it
s/reclaim->protect\(me, 0, &s->head\)/load(\&s->head, acquire)/
