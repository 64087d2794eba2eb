# goes in though another is inside
# SPDX-License-Identifier: BSD-2-Clause
s/^\t\tbyte_lock_wait\(l\);/\t\t(void)l;/
