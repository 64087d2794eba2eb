# SPDX-License-Identifier: BSD-2-Clause
# Python 2 alone: print as a statement.
print "one", 2, 3.5
print
print "%d of %d" % (1, 2)
print (1 + 2) * 3
print ("a"), ("b")
for i in range(3):
    print i,
print
print "long", \
    "line"
if True: print "inside"; print "twice"
print [1, 2], (3,), None
for i in xrange(2): print i
