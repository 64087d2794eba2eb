// SPDX-License-Identifier: BSD-2-Clause
// What a person came for, in words: does it run N times faster on N cores? Plain text, at most
// 100 columns, the answer in the last line and on top of each kernel's block.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "error.h"
#include "result.h"
#include "table.h"

// yes: the lower end of the speedup's interval reaches this share of the cores used.
#define VERDICT_YES_AT 0.9

// Writes the verdict on the main placement (compact where it was measured) at one worker for each
// allowed core, or else the largest count measured below that. Correct variants come first,
// fastest on top, then racy and failed ones; every failed point is named, of any placement.
// colour: with terminal escapes. Returns 0, -ENOMEM, or -EIO where out has an error.
int verdict_print(
	FILE *out, const struct result *r, const struct table *t, double yes_at, bool colour);
