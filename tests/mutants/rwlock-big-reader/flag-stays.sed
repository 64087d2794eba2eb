# a reader that gives way to a writer leaves its flag up: each waits for the other
# SPDX-License-Identifier: BSD-2-Clause
/_read_try_acquire\(/,/^}/s/^\tstore\(mine, 0, release\);.*$//
