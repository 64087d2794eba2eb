# SPDX-License-Identifier: BSD-2-Clause
# Adds to one global variable, as all others do. Updates of x may be lost, which is the program's
# fault and not looked at; an iteration is one of them.
base = 1000
x = base * base


def work(n):
    global x
    done = 0
    while done < n:
        x = x + 1
        done += 1
    return done
