# the answer is not a release: the worker may not see what its section wrote (a race)
# SPDX-License-Identifier: BSD-2-Clause
s/store\(&r->waiting, false, release\)/store(\&r->waiting, false, relaxed)/
