# SPDX-License-Identifier: BSD-2-Clause
# Arithmetic of 64 bits: signs, rounding, shifts, the edges.
def show(a, b):
    print("%d %d: %d %d %d" % (a, b, a + b, a - b, a * b))
    print("%d %d" % (a // b, a % b))


show(7, 2)
show(-7, 2)
show(7, -2)
show(-7, -2)
show(0, 5)
print(9223372036854775807 - 1 + 1)
print(-9223372036854775808 + 0)
print(-9223372036854775807 - 1)
print(4611686018427387904 * 2 - 1 if 0 else 4611686018427387903 * 2 + 1)
print(2 ** 0)
print(2 ** 62)
print((-3) ** 3)
print(-3 ** 2)
print(2 ** 3 ** 2)
print(1 << 10)
print(-1 << 3)
print(1023 >> 3)
print(-1 >> 70)
print(-1023 >> 3)
print(12 & 10)
print(12 | 10)
print(12 ^ 10)
print(~12)
print(-12 & 255)
print(+5)
print(- -5)
print(1 | 2 ^ 3 & 4 << 5 + 6 * 7)
print(0xff + 0o17 + 0b101)
print(100 - 10 - 1)
print(100 // 7 // 2)
print(100 % 7 % 4)
print(True + True)
print(abs(-5) + abs(5))
print(min(3, 1, 2) * 10 + max(3, 1, 2))
print(int("42") + int(3.9) + int(-3.9) + int(" -7 "))
a = 257
b = 256 + 1
print(a == b)
i = 0
while i < 10:
    i += 3
    i *= 2
    i -= 1
print(i)
i **= 2
i //= 3
i %= 50
i <<= 3
i |= 5
i &= 1021
i ^= 77
i >>= 1
print(i)
