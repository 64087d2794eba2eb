# read_release always accepts: a torn read counts
# SPDX-License-Identifier: BSD-2-Clause
s/return load\(&l->sequence, relaxed\) == \(\(struct seqlock_node \*\)node\)->sequence;/(void)l, (void)node;\n\treturn true;/
