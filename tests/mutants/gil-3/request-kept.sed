# acquire leaves the request standing that it was itself: its own release then waits for a worker
# SPDX-License-Identifier: BSD-2-Clause
# that need not exist
/^static inline void gil_3_take/,/^}/{
/store\(&l->drop_request, false/d
}
