# a thread counts plainly what another owns: references are lost
# SPDX-License-Identifier: BSD-2-Clause
s/(counting == COUNTS_PLAIN) \|\| \(counting == COUNTS_BIASED && counted_owns\(me, o\)\)/\1 || counting == COUNTS_BIASED/
