# SPDX-License-Identifier: BSD-2-Clause
# Lines, blocks and comments in every form.
x = 1; y = 2;
if x: print("one line")
if x:
	print("a tab")
	if y:
	        print("a tab and blanks")
if (x and
  y or
            # a comment in brackets
    x):

# a comment at the margin

    print("brackets")
        # a comment that is deeper
    print("still in the block")
total = 1 + \
    2 + \
  3
print(total)
print([
    1,
    2,
][1])
print({
    "a": 1,
    "b": [2,
          3],
}["b"][1])
def f(a,
      b,
      ): return (
          a
          + b
      )
print(f(
    1,
    2
))
if x == 2:
    print("no")
elif x == 3:
    print("no")
elif x == 1:
    if y == 3:
        print("no")
    else:
        print("elif else")
else:
    print("no")
class C: n = 3
print(C.n)
while x < 3: x += 1; y += x
print(y)
if __name__ == "__main__":
    print("main")
