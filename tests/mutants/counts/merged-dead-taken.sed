# a reader takes a reference to an object that died with one count for all
# SPDX-License-Identifier: BSD-2-Clause
s/if \(seen == 0 \|\| .*/if (seen == 0)/
