# A bag bears the epoch in which its worker began, not that in which its last node was unlinked
s/(now = full->epoch = )load\(&r->epoch, acquire\)/\1load(\&me->announced, acquire)/
