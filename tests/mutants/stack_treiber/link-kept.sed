# A push that failed keeps the link to the old head: what came meanwhile is lost
/node->next = seen;/d
s/^\tuintptr_t seen = load\(&s->head, relaxed\);/&\n\tnode->next = seen;/
