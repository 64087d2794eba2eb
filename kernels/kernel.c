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

int input_whole(struct input *in, const char *name, unsigned low, unsigned high, unsigned *value)
{
	double number;
	int rc = input_number(in, name, low, high, &number);
	if (rc)
		return rc;
	*value = (unsigned)number;
	if (*value == number)
		return 0;
	snprintf(in->error, sizeof in->error, "'%s' is not a whole number", input_text(in, name));
	return EINVAL;
}
