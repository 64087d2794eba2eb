# SPDX-License-Identifier: BSD-2-Clause
# Calls of functions. An iteration is one fib(6), 25 calls.


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def work(n):
    total = 0
    while n > 0:
        total += fib(6)
        n -= 1
    return total
