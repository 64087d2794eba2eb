# the same of atomic counts (ThreadSanitizer)
# SPDX-License-Identifier: BSD-2-Clause
s/(fetch_sub\(&o->shared, COUNTED_ONE), acq_rel/\1, relaxed/
