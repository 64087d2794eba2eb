# a safe point that gives way does not acquire again: its worker goes on without the lock
# SPDX-License-Identifier: BSD-2-Clause
/^\tgil_2_cond_acquire\(l, node\);/d
