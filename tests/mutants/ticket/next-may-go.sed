# The next in line goes while the lock is held: updates are lost
s/if \(ahead == 0\)/if (ahead <= 1)/
