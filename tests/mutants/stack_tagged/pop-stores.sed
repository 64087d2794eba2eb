# A pop writes the head without looking whether it is still the same
s/return compare_exchange\(&s->head, seen, popped, acquire, acquire\);/store(\&s->head, popped, release);\n\treturn true;/
