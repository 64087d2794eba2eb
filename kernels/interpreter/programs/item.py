# SPDX-License-Identifier: BSD-2-Clause
# Reads one item of one list, as all others do: whoever reads it counts a reference to it.
base = 1000
shared = [base * base]


def work(n):
    item = 0
    while n > 0:
        item = shared[0]
        n -= 1
    return item
