# SPDX-License-Identifier: BSD-2-Clause
# Lists, tuples and dictionaries.
l = [3, 1, 2]
l.append(4)
print(l)
print(len(l))
print(l[0] + l[-1])
l[1] = "one"
l[-1] += 10
print(l)
print(l.pop())
print(l)
print(l.pop(0))
print(l)
print([1, 2] + [3])
print([0] * 3)
matrix = [[1, 2], [3, 4]]
matrix[1][0] = 30
matrix[0][1] *= 5
print(matrix)
print(matrix[1][0])
same = matrix
same[0] = None
print(matrix)

t = (1, "two", 3.0)
print(t[1])
print(len(t))
print(t)
print((1,))
print(())
one, two, three = t
print(two)

d = {}
d["a"] = 1
d["b"] = 2
d[3] = "three"
d[(1, 2)] = "pair"
print(d["a"] + d["b"])
print(d[3] + d[1, 2])
print(len(d))
d["a"] += 41
print(d["a"])
print(d.get("a"))
print(d.get("z"))
print(d.get("z", 0))
print("z" in d)
print({"k": "v", 1: 2}["k"])
counts = {}
for word in ["to", "be", "or", "not", "to", "be"]:
    counts[word] = counts.get(word, 0) + 1
print(counts["to"] * 100 + counts["be"] * 10 + counts["not"])
big = {}
for i in range(1000):
    big[i] = i * i
for i in range(0, 1000, 7):
    big[i] = -1
total = 0
for key in big:
    total += big[key]
print(total)
print(len(big))
print(1 in big and 1000 not in big)
print(1.0 in big)
squares = [0] * 10
for i in range(10):
    squares[i] = i ** 2
print(squares)
print(sum(squares))
print(list(range(3)))
