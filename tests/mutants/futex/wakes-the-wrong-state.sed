# release wakes where nobody sleeps, and not where somebody does: a lost wake-up
# SPDX-License-Identifier: BSD-2-Clause
s/(FUTEX_FREE, release\) ==) FUTEX_CONTENDED/\1 FUTEX_HELD/
