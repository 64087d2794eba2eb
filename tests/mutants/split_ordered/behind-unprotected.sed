# With hazard pointers: the node behind a removed one is not protected through the new link
s/scheme->validates \? scheme->protect\(me, slot, link\) : next/next/
