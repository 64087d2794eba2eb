# an object comes into the queue before its next is written (ThreadSanitizer)
# SPDX-License-Identifier: BSD-2-Clause
s/\(uintptr_t\)o, release, relaxed/(uintptr_t)o, relaxed, relaxed/
