# the plain kind: a holder that acquires again waits for itself
# SPDX-License-Identifier: BSD-2-Clause
s/PTHREAD_MUTEX_RECURSIVE\)/PTHREAD_MUTEX_NORMAL)/
