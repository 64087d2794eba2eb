# With hazard pointers: the second node is used though the first was unlinked before it was published
s/scheme->validates && load\(&q->head, seq_cst\) != head/false/
