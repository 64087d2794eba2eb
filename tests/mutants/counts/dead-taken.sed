# a reader takes a reference to a dead object
# SPDX-License-Identifier: BSD-2-Clause
s/if \(seen == 0 \|\| /if (/
