# the writer's last store is not a release: the next writer may not see its writes (a race)
# SPDX-License-Identifier: BSD-2-Clause
s/relaxed\) \+ 1, release\)/relaxed) + 1, relaxed)/
