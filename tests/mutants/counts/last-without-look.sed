# the owner frees with its own last reference, whoever has others
# SPDX-License-Identifier: BSD-2-Clause
s/if \(seen == 0\)$/if (true)/
