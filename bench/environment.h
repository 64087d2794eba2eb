// SPDX-License-Identifier: BSD-2-Clause
// What every result says of where it comes from: machine, system, compiler, libraries, command.
#pragma once

#include <jansson.h>

#include "machine.h"

extern const char lockscale_version[];

// A new object; the caller owns it. argv: the full command line.
json_t *environment(const struct machine *m, int argc, char **argv);
// How this program was built: "gcc 12.2.0, -O2 ..., commit ...".
const char *environment_build(void);
