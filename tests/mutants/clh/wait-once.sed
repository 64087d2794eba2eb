# A waiter that has looked twice goes on: updates are lost
s/^(\t\t\tcpu_relax\(\);)/\1\n\t\t\treturn before;/
