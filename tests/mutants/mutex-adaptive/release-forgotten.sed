# release does nothing: whoever comes next waits forever
# SPDX-License-Identifier: BSD-2-Clause
s/pthread_mutex_unlock\(&l->mutex\);/(void)l;/
