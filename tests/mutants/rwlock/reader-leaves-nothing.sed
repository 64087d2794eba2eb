# a reader's release forgets to unlock: the next writer waits for ever
# SPDX-License-Identifier: BSD-2-Clause
/_read_release\(/,/^}/s/^\tpthread_rwlock_unlock\(.*$/\t(void)l;/
