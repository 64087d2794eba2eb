// SPDX-License-Identifier: BSD-2-Clause
// Native work: what an extension of an interpreter computes, without the interpreter. Nothing is
// shared and nothing is kept; a round is one multiplication that waits for the one before, 3 to 5
// cycles. Also build/libnative.so, which real interpreters load.
#pragma once

#include <stdint.h>

// The result hangs on every round, so that none can be left out. Any thread may call it.
uint64_t native_rounds(uint64_t rounds);
