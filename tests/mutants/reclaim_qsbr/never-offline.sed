# A worker that is gone is waited for
/qsbr_offline/,/^}/s/epoch_leave\(me\);/(void)me;/
