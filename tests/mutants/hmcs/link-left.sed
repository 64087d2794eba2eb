# joins with the link of its last turn: hands the queue to whoever was behind it then
# SPDX-License-Identifier: BSD-2-Clause
/^static ALWAYS_INLINE struct hmcs_node \*hmcs_join/,/^}/ { /store\(&me->next, NULL, relaxed\)/d; }
