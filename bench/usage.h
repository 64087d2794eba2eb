// SPDX-License-Identifier: BSD-2-Clause
// What the system did to a worker while it was measured: the evidence for "disturbed".
#pragma once

#include <stdint.h>

// Counters of the calling thread since it started.
struct usage {
	uint64_t cpu_ns;      // CPU time
	uint64_t wait_ns;     // time it could have run but others ran on its PU
	uint64_t voluntary;   // context switches because it slept
	uint64_t involuntary; // context switches because others were to run
	uint64_t page_faults;
};
// fd: the calling thread's file of schedstat_open; -1: wait_ns stays 0.
void usage_read(struct usage *u, int fd);
// The calling thread's schedstat file, -1 where the kernel has none. The caller closes it.
int schedstat_open(void);

// The same of all threads of this process together; wait_ns and page_faults stay 0.
void usage_read_process(struct usage *u);

// Time the hypervisor has stolen so far from the PUs whose numbers the first `count` calls of
// pu(i) give, in ns; the system counts it in steps of 10 ms. 0 where it does not say.
uint64_t stolen_ns(unsigned count, unsigned (*pu)(const void *, unsigned), const void *arg);
