# A worker that is online is not waited for until its first operation is over
/qsbr_online/,/^}/s/epoch_enter\(me\);/(void)me;/
