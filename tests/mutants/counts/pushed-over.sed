# two put objects into one queue: one is lost
# SPDX-License-Identifier: BSD-2-Clause
s/if \(compare_exchange_weak\(&owner->queue, .*/if (store(\&owner->queue, (uintptr_t)o, release), true)/
