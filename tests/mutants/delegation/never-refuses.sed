# try_acquire is granted while another owns the lock: two owners
# SPDX-License-Identifier: BSD-2-Clause
s/answer = DELEGATION_REFUSED;/answer = DELEGATION_DONE;/
