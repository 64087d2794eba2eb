# the combiner says done before it has run the section: the worker goes on without the effect
# SPDX-License-Identifier: BSD-2-Clause
/r->section\(r->state, r->argument\);/d
s/^(\t+)store\(&r->waiting, false, release\);.*$/\1void (*section)(void *, void *) = r->section;\n\1void *state = r->state, *argument = r->argument;\n\1store(\&r->waiting, false, release);\n\1section(state, argument);/
