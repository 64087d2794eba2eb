# who slept takes the lock as held, not contended: another sleeper is never woken (three workers)
# SPDX-License-Identifier: BSD-2-Clause
/^\t\tas = FUTEX_CONTENDED;/d
