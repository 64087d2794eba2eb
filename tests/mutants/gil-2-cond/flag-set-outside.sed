# acquire sets the flag after it has left the mutex: two may have seen it clear
# SPDX-License-Identifier: BSD-2-Clause
/^static inline void gil_2_cond_acquire/,/^}/{
/l->locked = true;/d
s/pthread_mutex_unlock\(&l->mutex\);/&\n\tl->locked = true;/
}
