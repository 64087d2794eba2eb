# SPDX-License-Identifier: BSD-2-Clause
# An assertion that holds does nothing.
def one():
    return 1


assert True
assert one() == 1
assert one() and not one() - 1, "never read"
assert 1 < 2 < 3
print("all hold")
