# one count for all, but nobody knows: the last drop frees nothing
# SPDX-License-Identifier: BSD-2-Clause
s/merged = seen \| COUNTED_MERGED;/merged = seen;/
