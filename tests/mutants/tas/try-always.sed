# try_acquire says it has a lock that another holds: updates are lost
s/return !exchange\(&l->held, 1, acquire\);/return exchange(\&l->held, 1, acquire) < 2;/
