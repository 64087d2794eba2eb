# who has waited for one interval takes the lock even where it is held: two holders
# SPDX-License-Identifier: BSD-2-Clause
s/while \(l->locked\)/if (l->locked)/
