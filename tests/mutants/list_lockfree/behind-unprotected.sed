# With hazard pointers: the node behind a removed one is not protected through the new link
s/link = scheme->protect\(me, slot, &prev->next\);/link \&= ~LIST_MARK;/
