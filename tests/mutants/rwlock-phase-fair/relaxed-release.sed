# the turn is passed on without release: the next writer may not see the last writes (a race)
/_release\(/,/^}/s/store\(&l->serving, ticket \+ 1, release\)/store(\&l->serving, ticket + 1, relaxed)/
/_release\(/,/^}/s/(fetch_sub\(&l->readers_in, .*), release\)/\1, relaxed)/
