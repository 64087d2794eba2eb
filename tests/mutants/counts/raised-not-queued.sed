# the same, only where a reader raised the object
# SPDX-License-Identifier: BSD-2-Clause
s/queue = seen == COUNTED_DEFAULT.*/queue = seen == COUNTED_DEFAULT;/
