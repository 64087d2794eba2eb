# release does not look at the count: the first one frees the lock
# SPDX-License-Identifier: BSD-2-Clause
/if \(--l->count > 0\)/,+1d
