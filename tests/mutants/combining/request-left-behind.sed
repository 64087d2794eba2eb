# only the first published section of a word is run, the others' bits are gone: their workers wait for ever
# SPDX-License-Identifier: BSD-2-Clause
s/for \(; bits; bits &= bits - 1\)/for (; bits; bits = 0)/
