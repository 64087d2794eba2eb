# the turn is passed on without release: the next writer may not see the last writes (a race)
# SPDX-License-Identifier: BSD-2-Clause
/_release\(/,/^}/s/store\(&l->serving, ticket \+ 1, release\)/store(\&l->serving, ticket + 1, relaxed)/
/_release\(/,/^}/s/(fetch_sub\(&l->readers_in, .*), release\)/\1, relaxed)/
