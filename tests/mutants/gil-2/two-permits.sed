# the semaphore starts with two permits: two holders
# SPDX-License-Identifier: BSD-2-Clause
s/(sem_init\(&l->permit, 0), 1\)/\1, 2)/
