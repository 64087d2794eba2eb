# acquire calls trylock and goes on where that fails: two holders
# SPDX-License-Identifier: BSD-2-Clause
s/pthread_spin_lock\(/pthread_spin_trylock(/
