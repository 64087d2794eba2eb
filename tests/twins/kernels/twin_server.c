// SPDX-License-Identifier: BSD-2-Clause
// Broken on purpose: kernel `server` with a program that answers one request in seven without doing
// its work. The clients must notice.
#define SERVER_ANSWER                                                                              \
	"def answer(x, steps):\n"                                                                  \
	"    if x % 7 == 1:\n"                                                                     \
	"        return x\n"                                                                       \
	"    while steps > 0:\n"                                                                   \
	"        x = (x * 5 + 3) & 1073741823\n"                                                   \
	"        steps -= 1\n"                                                                     \
	"    return x\n"

#include "kernels/kernel.h"
#undef KERNEL
#define KERNEL(NAME, ...) KERNEL_NAMED(twin_##NAME, "twin_" #NAME, __VA_ARGS__)
#include "../../../kernels/server.c"
