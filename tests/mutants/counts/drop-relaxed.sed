# a drop orders nothing: what is freed may still be in use (ThreadSanitizer)
# SPDX-License-Identifier: BSD-2-Clause
s/(&o->shared, &seen, left), acq_rel, relaxed/\1, relaxed, relaxed/
