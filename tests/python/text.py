# SPDX-License-Identifier: BSD-2-Clause
# Strings: quotes, escapes, formatting, the text of other values.
print("double" + ' and ' + "single")
print("it's")
print('say "hi"')
print("a\tb\\n")
print(r"raw \n")
print("""three
lines
'and' "quotes\"""")
print("joined " "by " 'being' " adjacent")
print("joined \
by a backslash")
print("%d %s %s" % (1, "two", 3.5))
print("%s" % None)
print("%r %r" % ("text", 1))
print("100%% of %d" % 5)
print("%s" % "alone")
print("%5d|%-5d|%05d" % (42, 42, 42))
print("%x" % 255)
print(str(12) + str(1.5) + str(True) + str(None))
print("ab" * 3)
print(len("hello") + len(""))
print("abc"[0] + "abc"[-1])
print("\x41\102C")
print("a" + str([1, "b", 2.5, None, True]))
print(str((1,)) + str((1, 2)) + str(()) + str([]) + str({}))
print(str({"k": [1, 2]}))
print([["nested", ["lists"]], ("it's", 'say "hi"')])
s = ""
for i in range(5):
    s += str(i)
print(s)
