# a reader that gives way to a writer leaves its flag up: each waits for the other
/_read_try_acquire\(/,/^}/s/^\tstore\(mine, 0, release\);.*$//
