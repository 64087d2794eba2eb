# SPDX-License-Identifier: BSD-2-Clause
# while and for with break, continue and else; iteration over ranges, lists, tuples, strings.
def first_factor(n):
    d = 2
    while d * d <= n:
        if n % d == 0:
            return d
        d += 1
    else:
        return n


print(first_factor(91))
print(first_factor(97))


def primes(most):
    found = []
    for n in range(2, most):
        for p in found:
            if n % p == 0:
                break
        else:
            found.append(n)
    return found


print(primes(30))


def skip(n):
    total = 0
    while True:
        n -= 1
        if n < 0:
            break
        if n % 3 == 0:
            continue
        if n % 5 == 0:
            continue
        total += n
    return total


print(skip(100))
while 0:
    print("never")
else:
    print("else of a loop that never ran")
for i in range(0):
    print("never")
else:
    print("else again")
for i in range(10, 0, -3):
    print(i)
for i in range(2, 5):
    for j in range(i):
        if j == 2:
            break
        print("%d %d" % (i, j))
for c in "abc":
    print(c)
for x in (1, "two", None):
    print(x)
for i, x in [(1, "one"), (2, "two")]:
    print("%d is %s" % (i, x))
for a, (b, c) in [(1, (2, 3)), (4, (5, 6))]:
    print(a * 100 + b * 10 + c)


def find(rows, wanted):
    for row in rows:
        for x in row:
            if x == wanted:
                return row
    return None


print(find([[1, 2], [3, 4]], 3))
print(find([[1, 2], [3, 4]], 5))
n = 0
while n < 3: n += 1
print(n)
total = 0
for i in range(1000):
    if i % 2: continue
    elif i > 500: break
    total += i
print(total)
