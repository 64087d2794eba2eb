# No worker ever says that it holds nothing
s/if \(load\(&me->announced, relaxed\) != now\)/if (false)/
