# who takes a dropped lock does not say so: who dropped it waits forever
# SPDX-License-Identifier: BSD-2-Clause
/pthread_cond_signal\(&l->switched\.cond\)/d
