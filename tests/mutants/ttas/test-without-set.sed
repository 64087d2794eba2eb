# A waiter that sees the lock free takes it without asking again: updates are lost
s/\} while \(exchange\(&l->held, 1, acquire\)\);/store(\&l->held, 1, relaxed); } while (!load(\&l->held, acquire));/
