# The release returns before the lock was taken: its node grants the next lock to two, or is taken at once
s/while \(!compare_exchange\(&me->granted, &taken, 0, acquire, relaxed\)\)/if (!compare_exchange(\&me->granted, \&taken, 0, acquire, relaxed))/
