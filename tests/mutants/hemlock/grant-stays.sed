# The taker leaves the grant in the node: the releaser waits for ever
s/compare_exchange\(&before->granted, &granted, 0, acq_rel, relaxed\)/compare_exchange(\&before->granted, \&granted, 1, acq_rel, relaxed)/
