# Pops are not counted: a node that came back looks like one that never left (ABA)
s/\(\*seen \+ STACK_TAGGED_POP\) & ~STACK_TAGGED_NUMBER/*seen \& ~STACK_TAGGED_NUMBER/
