# The release returns before the lock was taken: two wait for a grant in the same node
s/while \(!compare_exchange\(&me->granted, &taken, 0, acquire, relaxed\)\)/if (!compare_exchange(\&me->granted, \&taken, 0, acquire, relaxed))/
