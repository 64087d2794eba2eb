# who was asked to drop the lock waits without looking whether another has taken it already: nobody
# SPDX-License-Identifier: BSD-2-Clause
# wakes it
s/if \(l->last_holder == node->worker \+ 1\)/if (node)/
