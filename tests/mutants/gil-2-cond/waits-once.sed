# a woken waiter does not look again: another may have come before it, two holders
# SPDX-License-Identifier: BSD-2-Clause
s/while \(l->locked\)/if (l->locked)/
