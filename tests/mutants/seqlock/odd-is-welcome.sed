# a reader begins while a writer is inside, and finds the same odd sequence at the end
# SPDX-License-Identifier: BSD-2-Clause
s/return !\(seen & 1\);/return true;/
