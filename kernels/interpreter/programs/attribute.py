# SPDX-License-Identifier: BSD-2-Clause
# Reads one attribute of one object, as all others do: whoever reads it counts a reference to it.


class Point:
    def __init__(self, x):
        self.x = x


base = 1000
shared = Point(base * base)


def work(n):
    x = 0
    while n > 0:
        x = shared.x
        n -= 1
    return x
