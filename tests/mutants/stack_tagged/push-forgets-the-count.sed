# A push begins the count anew: a node that came back looks like one that never left
s/\(\*seen & ~STACK_TAGGED_NUMBER\) \| nodes_number/nodes_number/
