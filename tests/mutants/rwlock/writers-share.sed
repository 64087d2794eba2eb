# acquire takes the lock for reading: writers no longer exclude each other, updates are lost
# SPDX-License-Identifier: BSD-2-Clause
s/pthread_rwlock_wrlock\(/pthread_rwlock_rdlock(/
