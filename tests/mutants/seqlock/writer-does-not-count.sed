# a writer leaves the sequence as it found it, so no reader learns that it was there
# SPDX-License-Identifier: BSD-2-Clause
s/seen, seen \+ 1, acquire, relaxed\)/seen, seen, acquire, relaxed)/
s/store\(&l->sequence, load\(&l->sequence, relaxed\) \+ 1, release\)/store(\&l->sequence, load(\&l->sequence, relaxed), release)/
