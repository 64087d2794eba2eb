# a waiter never takes the free lock: what it published after the holder's last look is run by nobody
# SPDX-License-Identifier: BSD-2-Clause
s/if \(pauses % COMBINING_PAUSES == 0 && combining_try_acquire\(l, node\)\)/if (0)/
