# does not look at the lock again before it sleeps: a release in between wakes nobody
# SPDX-License-Identifier: BSD-2-Clause
s/bool wait = .*/bool wait = true;/
