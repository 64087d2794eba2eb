# A bag that was emptied keeps its nodes
/^static inline void reclaim_bag_empty/,/^}/s/bag->count = 0;//
