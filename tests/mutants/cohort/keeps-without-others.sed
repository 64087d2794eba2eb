# A group keeps the global lock though nobody of it waits: the other groups wait for ever
s/bool others = /bool others = true || /
