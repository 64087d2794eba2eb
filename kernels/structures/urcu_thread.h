// SPDX-License-Identifier: BSD-2-Clause
// liburcu wants to know its threads, each once and each until it ends; several structures may use
// the library from the same thread.
#pragma once

// Makes the calling thread known to the library, in both flavours, until the thread ends: outside
// any reader's section, and offline as far as quiescent states are concerned. Costs a look at a
// thread-local flag after the first call. Ends the program where there is no memory for that.
void urcu_thread_known(void);
