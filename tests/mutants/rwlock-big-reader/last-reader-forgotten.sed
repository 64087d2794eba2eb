# a writer leaves out the last worker's flag
# SPDX-License-Identifier: BSD-2-Clause
s/for \(unsigned i = 0; i < l->workers; i\+\+\)/for (unsigned i = 0; i + 1 < l->workers; i++)/
