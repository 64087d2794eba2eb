# acquiring again is not counted: the first release frees the lock
# SPDX-License-Identifier: BSD-2-Clause
/^\t\tl->count\+\+;/d
