# With hazard pointers: a walk goes on though the node it came by is removed
s/scheme->validates && link != head && seen & RCU_MAP_GONE/false/
