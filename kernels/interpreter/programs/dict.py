# SPDX-License-Identifier: BSD-2-Clause
# Counts in a dictionary of its own. An iteration is one key looked up, read and written.


def work(n):
    counts = {}
    key = 0
    while key < 64:
        counts[key] = 0
        key += 1
    while n > 0:
        key = n % 64
        if key in counts:
            counts[key] = counts[key] + 1
        n -= 1
    total = 0
    key = 0
    while key < 64:
        total += counts[key]
        key += 1
    return total
