# Two writers of a bucket do not exclude each other
s/if \(!\(seen & RCU_MAP_LOCKED\) &&/if (!(seen \& RCU_MAP_LOCKED) ||/
