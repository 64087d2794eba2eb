# the owner merged meanwhile: the reference is in nobody's hands
# SPDX-License-Identifier: BSD-2-Clause
/^static inline bool counted_queue/,/^}/s/return counted_drop_shared\(o, me\);/return false;/
