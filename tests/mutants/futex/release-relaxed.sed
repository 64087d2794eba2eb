# release orders nothing: the next holder may miss the last writes (ThreadSanitizer sees it)
# SPDX-License-Identifier: BSD-2-Clause
s/(exchange\(&l->state, FUTEX_FREE), release\)/\1, relaxed)/
