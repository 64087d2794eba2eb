# the queue still ends with the waiter that left it: the next one is appended where nobody looks
# SPDX-License-Identifier: BSD-2-Clause
/if \(b->last == w\)/,+1d
