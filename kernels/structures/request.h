// SPDX-License-Identifier: BSD-2-Clause
// What is asked of a structure that maps keys to values: one operation, in and out.
#pragma once

#include <stdint.h>

enum request_verb { REQUEST_LOOKUP, REQUEST_INSERT, REQUEST_REMOVE };

struct request {
	enum request_verb verb;
	uint32_t key;   // below 2^30
	uint32_t value; // below 2^30: to insert, or found; a failed operation leaves it as it is
};
