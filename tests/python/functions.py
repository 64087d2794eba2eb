# SPDX-License-Identifier: BSD-2-Clause
# Calls, recursion, globals, functions as values, functions in functions.
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


print(fib(15))


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


print(ackermann(2, 3))


def nothing():
    pass


print(nothing())


def described():
    """What it is for."""
    return


print(described())

x = 10


def read():
    return x


def shadow():
    x = 20
    return x


def write():
    global x, y
    x = x + 1
    y = 5


print(read())
print(shadow())
write()
print(read())
print(y)


def apply(f, a, b):
    return f(a, b)


def add(a, b):
    return a + b


def sub(a, b):
    return a - b


print(apply(add, 2, 3))
print(apply(sub, 2, 3))
print(apply(sub, b=2, a=3) if 0 else sub(b=2, a=3))
print(sub(5, b=1))


def outer(n):
    def double(m):
        return 2 * m

    def quadruple(m):
        return 4 * m

    f = double if n else quadruple
    return f(10)


print(outer(0))
print(outer(1))


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


print(is_even(100))


def swap(a, b):
    a, b = b, a
    return a, b


a, b = swap(1, 2)
print(a)
print(b)
a, b, c = 1, 2, 3
a, b, c = c, a, b
print("%d%d%d" % (a, b, c))
p = q = r = 7
print(p + q + r)
(p, q), [r] = (1, 2), [3]
print(p * 100 + q * 10 + r)
def one(): return 1
print(one())
