# A bag forgets what was put into it last
/^static inline void reclaim_bag_empty/,/^}/s/i < bag->count/i + 1 < bag->count/
