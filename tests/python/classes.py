# SPDX-License-Identifier: BSD-2-Clause
# Classes: attributes, methods, one base, class constants, methods as values.
class Empty:
    pass


class Counter(object):
    """Counts by its step."""
    step = 1

    def __init__(self, start):
        self.n = start

    def add(self, times):
        self.n += self.step * times
        return self

    def value(self):
        return self.n


class Doubled(Counter):
    step = 2

    def value(self):
        return self.n * 10


e = Empty()
e.x = 1
e.x += 1
print(e.x)
c = Counter(5)
c.add(1).add(2)
print(c.value())
d = Doubled(5)
d.add(1).add(2)
print(d.value())
print(Counter.step + Doubled.step)
c.step = 100
print(c.add(1).value())
print(Counter.step)
method = d.add
method(1)
print(d.n)
print(Counter.value(d))


class Node:
    def __init__(self, value, next):
        self.value = value
        self.next = next


def total(node):
    sum = 0
    while node is not None:
        sum += node.value
        node = node.next
    return sum


head = None
for i in range(100):
    head = Node(i, head)
print(total(head))
head.next.next.value += 1000
print(total(head))


class Account:
    def __init__(self):
        self.balance = 0
        self.history = []

    def move(self, amount):
        if self.balance + amount < 0:
            return False
        self.balance += amount
        self.history.append(amount)
        return True


a = Account()
print(a.move(10))
print(a.move(-20))
print(a.move(-3))
print(a.balance)
print(a.history)
