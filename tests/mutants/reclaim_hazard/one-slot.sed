# Only the first slot of each worker counts
s/i < RECLAIM_SLOTS; i\+\+\)/i < 1; i++)/
