# SPDX-License-Identifier: BSD-2-Clause
# Work in C, as an extension does it: rounds(n) makes up to n of them, as many as last
# python.native-us, and says how many. An iteration is a round.


def work(n):
    done = 0
    while done < n:
        done += rounds(n - done)
    return done
