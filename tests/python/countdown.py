# SPDX-License-Identifier: BSD-2-Clause
# The program that the question is about, at a size for tests.
def countdown(n):
    while n > 0:
        n -= 1
    return n


print(countdown(100000))
print(countdown(0))
print(countdown(-3))
