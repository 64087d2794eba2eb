// SPDX-License-Identifier: BSD-2-Clause
// Small structures that are broken on purpose, each in one way in which real ones have been; each
// with its mended twin, which differs in that alone.
#pragma once

#include "kernel.h"

struct twin {
	struct kernel kernel; // its variants: "broken" and "mended"
	struct variant variant[2];
	const char *wrong; // what an explanation of its failure says
	bool long_story;   // it takes many operations to see that something is wrong
};

// All of them; *count is how many.
const struct twin *twins_all(size_t *count);
