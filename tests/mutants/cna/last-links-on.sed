# The last of those set aside still leads to the next holder: the queue is a ring
/store\(&last->next, NULL, relaxed\)/d
