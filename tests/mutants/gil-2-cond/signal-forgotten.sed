# release wakes nobody: who waits does so forever
# SPDX-License-Identifier: BSD-2-Clause
/pthread_cond_signal/d
