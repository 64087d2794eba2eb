# the answer goes out before the section has run: the worker goes on without the effect
# SPDX-License-Identifier: BSD-2-Clause
s/^(\t+)r->section\(r->state, r->argument\);/\1store(\&r->request, answer, release);\n\1r->section(r->state, r->argument);/
/^\treturn true;$/,$!s/^\tstore\(&r->request, answer, release\);.*$/\tif (request != DELEGATION_EXECUTE)\n\t\tstore(\&r->request, answer, release);/
