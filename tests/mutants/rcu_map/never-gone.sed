# With hazard pointers: a walk goes on from a removed node to one that may be free
s/next \| RCU_MAP_GONE/next/
