# all writers carry the same mark: a reader that misses the gap between two waits for the second, which waits for it
# SPDX-License-Identifier: BSD-2-Clause
s/return PHASE_FAIR_WRITER \| \(ticket & PHASE_FAIR_PARITY\);/return PHASE_FAIR_WRITER | (ticket \& 0);/
