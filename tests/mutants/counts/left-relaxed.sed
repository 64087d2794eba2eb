# a thread leaves, and what it used last is freed by another meanwhile (ThreadSanitizer)
# SPDX-License-Identifier: BSD-2-Clause
s/COUNTS_GONE, release, relaxed/COUNTS_GONE, relaxed, relaxed/
