# the server runs sections while a worker owns the lock: updates are lost
# SPDX-License-Identifier: BSD-2-Clause
s/\(\*owner && request != DELEGATION_TRY_ACQUIRE\)/(*owner \&\& request == DELEGATION_ACQUIRE)/
s/^\tif \(\*owner\) \{/\tif (*owner \&\& request != DELEGATION_EXECUTE) {/
