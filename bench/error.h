// SPDX-License-Identifier: BSD-2-Clause
// An error message on its way to the command that prints it. A function that can fail for a
// reason the user must read takes a struct error, fills it and returns a negative errno;
// only main and the commands print and exit.
#pragma once

#include <stdarg.h>
#include <stdio.h>

struct error {
	char text[512];
};

// Writes the message and returns -code, so that a caller can `return error_set(e, EINVAL, ...)`.
// e may be null (the message is dropped). Thread-safe for different e.
__attribute__((format(printf, 3, 4))) static inline int error_set(
	struct error *e, int code, const char *format, ...)
{
	if (e) {
		va_list args;
		va_start(args, format);
		vsnprintf(e->text, sizeof e->text, format, args);
		va_end(args);
	}
	return -code;
}
