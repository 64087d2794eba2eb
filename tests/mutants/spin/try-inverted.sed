# try_acquire takes the C library's 0 for no: it fails on a free lock and keeps it
# SPDX-License-Identifier: BSD-2-Clause
s/(pthread_spin_trylock\(&l->spin\)) == 0/\1 != 0/
