# SPDX-License-Identifier: BSD-2-Clause
# Calls methods of an object of its own. An iteration is one call, which writes an attribute.


class Account:
    def __init__(self, balance):
        self.balance = balance

    def deposit(self, amount):
        self.balance = self.balance + amount


def work(n):
    account = Account(0)
    while n > 0:
        account.deposit(1)
        n -= 1
    return account.balance
