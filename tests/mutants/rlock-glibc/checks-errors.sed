# the kind that refuses to be acquired again, which nobody looks at: the first release frees it
# SPDX-License-Identifier: BSD-2-Clause
s/PTHREAD_MUTEX_RECURSIVE\)/PTHREAD_MUTEX_ERRORCHECK)/
