# SPDX-License-Identifier: BSD-2-Clause
# Comparison, chained and not; and, or, not; conditional expressions; what counts as true.
def yes(name):
    print("yes %s" % name)
    return True


def no(name):
    print("no %s" % name)
    return False


def middle():
    print("middle")
    return 5


print(yes("a") and no("b"))
print(no("c") and yes("d"))
print(yes("e") or no("f"))
print(no("g") or yes("h"))
print(yes("i") and no("j") or yes("k"))
print(1 < middle() < 10)
print(1 < middle() < 3 < no("never"))
print(9 < middle() < no("never"))
print(1 < 2 < 3 < 4 != 5)
print(1 == 1 == 1)
print(not 1)
print(not not [])
print(not 0 == 1)
print(0 or "default")
print("" or 0 or [])
print(1 and 2 and 3)
print(1 and 0 and 3)
print(1 if [] else 2)
print((1 if yes("l") else 2) + (1 if no("m") else 2))
print(None is None)
print(None is not None)
print(None == 0)
print(True == 1)
print("a" < "b" <= "b")
print("abc" == "ab" + "c")
print("abc" != "abd")
print(3 in [1, 2, 3])
print(4 not in [1, 2, 3])
print("k" in {"k": 1})
print("q" in {"k": 1})
print("ell" in "hello")
print(2 in (1, 2))
print([1, 2] == [1, 2])
print((1, 2) == (1, 3))
for value in [0, 1, -1, 0.0, 0.5, "", "0", [], [0], {}, {0: 0}, (), (0,), None, True, False]:
    if value:
        print("true")
    elif not value:
        print("false")
    else:
        print("neither")
if no("n") or yes("o") and not no("p"):
    print("taken")
else:
    print("not taken")
if not (yes("q") and yes("r")):
    print("not taken")
else:
    print("taken")
