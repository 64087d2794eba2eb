# an attempt that met a reader does not pass the turn on: all later writers wait for ever
# SPDX-License-Identifier: BSD-2-Clause
/_try_acquire\(/,/^}/s/^\tstore\(&l->serving, ticket \+ 1, release\);.*$//
