# A push whose node was taken pushes it, too
s/return stack_elimination_await\(me, slot, offer\) != 0;/return stack_elimination_await(me, slot, offer) \& 0;/
