# A worker that waited in vain goes away though its partner has just come
s/found == mine && compare_exchange\(slot, &found, STACK_SLOT_EMPTY, acquire, acquire\)/found == mine \&\& (store(slot, STACK_SLOT_EMPTY, release), true)/
