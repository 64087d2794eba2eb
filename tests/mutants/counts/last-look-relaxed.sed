# the owner frees what another may still be reading (ThreadSanitizer)
# SPDX-License-Identifier: BSD-2-Clause
s/load\(&o->shared, acquire\)/load(\&o->shared, relaxed)/
