# acquire calls trylock and goes on where that fails: two holders
# SPDX-License-Identifier: BSD-2-Clause
s/pthread_mutex_lock\(/pthread_mutex_trylock(/
