# release leaves its name: it may enter again while another holds the lock
# SPDX-License-Identifier: BSD-2-Clause
/store\(&l->owner, 0/d
