// SPDX-License-Identifier: BSD-2-Clause
// What several kernels need to read their parameters.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel.h"

int input_number(struct input *in, const char *name, double low, double high, double *value)
{
	const char *text = input_text(in, name);
	char *end;
	errno = 0;
	*value = strtod(text, &end);
	if (errno || end == text || *end || !(*value >= low && *value <= high)) {
		snprintf(in->error, sizeof in->error, "'%s' is not a number from %g to %g", text,
			low, high);
		return EINVAL;
	}
	return 0;
}
