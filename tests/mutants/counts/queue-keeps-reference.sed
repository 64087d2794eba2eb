# merged, but the queue's reference remains
# SPDX-License-Identifier: BSD-2-Clause
s/\+ local - 1\)/+ local)/
