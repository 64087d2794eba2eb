# the owner is cleared after the counts are one: another may have freed the object
# SPDX-License-Identifier: BSD-2-Clause
/^static inline bool counted_merge\(/,/^}/{
/store\(&o->(local|owner), 0, relaxed\);/d
s/return merged == COUNTED_MERGED;/store(\&o->local, 0, relaxed); store(\&o->owner, 0, relaxed); return merged == COUNTED_MERGED;/
}
