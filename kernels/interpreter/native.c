// SPDX-License-Identifier: BSD-2-Clause
#include "native.h"

uint64_t native_rounds(uint64_t rounds)
{
	uint64_t x = 1;
	while (rounds-- > 0)
		x = x * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX generator */
	return x;
}
