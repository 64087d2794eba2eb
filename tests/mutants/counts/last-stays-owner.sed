# an object with one count for all is still somebody's
# SPDX-License-Identifier: BSD-2-Clause
/^static .*counted_drop_last/,/^}/s/store\(&o->owner, 0, relaxed\);//
