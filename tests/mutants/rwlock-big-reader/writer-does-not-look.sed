# a writer does not wait for readers: they see a torn record
# SPDX-License-Identifier: BSD-2-Clause
/^static inline void rwlock_big_reader_acquire\(/,/^}/s/^\trwlock_big_reader_wait_for_readers\(l\);//
