# The place is not marked before it joins the queue: the one behind goes at once, updates are lost
/clh_acquire\(/,/^}/{
/store\(&mine->state, CLH_BUSY, relaxed\)/d
}
