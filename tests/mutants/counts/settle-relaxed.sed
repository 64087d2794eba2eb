# the owner reads the next before it is written (ThreadSanitizer)
# SPDX-License-Identifier: BSD-2-Clause
s/exchange\(&me->queue, 0, acquire\)/exchange(\&me->queue, 0, relaxed)/
