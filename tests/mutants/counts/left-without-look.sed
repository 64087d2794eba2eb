# leaves while an object comes into its queue: nobody merges it
# SPDX-License-Identifier: BSD-2-Clause
s/while \(!compare_exchange\(&me->queue, &nothing, COUNTS_GONE, release, relaxed\)\);/while (store(\&me->queue, COUNTS_GONE, release), nothing);/
