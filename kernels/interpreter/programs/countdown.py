# SPDX-License-Identifier: BSD-2-Clause
# Counts down: nothing is shared but the interpreter. An iteration is one turn of the loop.


def work(n):
    while n > 0:
        n -= 1
    return n
