# SPDX-License-Identifier: BSD-2-Clause
# Division makes floats; they print as the shortest text that is read back the same.
from __future__ import division

print(1 / 2)
print(4 / 2)
print(-7 / 2)
print(7.5 // 2)
print(-7.5 // 2)
print(7.5 % 2)
print(-7.5 % 2)
print(0.1 + 0.2)
print(1e100)
print(1.5e-7)
print(100000.0 * 100000.0)
print(1e16)
print(-0.0)
print(2.0 ** 0.5)
print(2 ** -1)
print(3 * 1.5)
print(1 == 1.0)
print(1 < 1.5)
print(2.5 > 2)
print(0.5 == 0.5 and 0.5 != 0.25)
print(float(3))
print(float("2.5"))
print("%.3f" % 3.14159)
print("%f" % 2)
x = 1.0
for i in range(10):
    x /= 2
print(x)
