# the semaphore starts with none, as one does to signal with it: nobody ever acquires
# SPDX-License-Identifier: BSD-2-Clause
s/(sem_init\(&l->permit, 0), 1\)/\1, 0)/
