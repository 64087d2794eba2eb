# a safe point acquires what it still holds: it waits for itself
# SPDX-License-Identifier: BSD-2-Clause
/^\tgil_2_release\(l, node\);/d
