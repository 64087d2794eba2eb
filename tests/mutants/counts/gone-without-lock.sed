# merges for a gone thread while another joins under its number
# SPDX-License-Identifier: BSD-2-Clause
/^static inline bool counted_merge_for/,/^}/s/byte_lock_(acquire|release)\(&owner->lock\);//
