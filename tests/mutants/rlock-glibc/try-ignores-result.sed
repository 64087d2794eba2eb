# try_acquire says yes whatever trylock answered: two holders
# SPDX-License-Identifier: BSD-2-Clause
s/return pthread_mutex_trylock\(&l->mutex\) == 0;/pthread_mutex_trylock(\&l->mutex);\n\treturn true;/
