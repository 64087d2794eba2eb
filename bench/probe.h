// SPDX-License-Identifier: BSD-2-Clause
// The line-transfer probe: how long a cache line takes from one worker to its neighbour and
// back. On virtual machines this changes by a factor of six when the hypervisor moves the
// virtual CPUs, and every contended result with it; on bare metal it checks the topology.
#pragma once

#include "team.h"

struct probe;

// For up to `workers` workers. Null when out of memory. The caller owns it.
struct probe *probe_create(unsigned workers);
void probe_destroy(struct probe *p);

// Called by all `count` workers of a team at the same time: ping-pong between neighbours
// (0-1, 2-3, ... and then 1-2, 3-4, ...), all pairs at once. After the next barrier
// probe_line_ns gives the median round trip over the pairs in ns, 0 where no pair finished.
void probe_neighbours(struct probe *p, unsigned index, unsigned count, struct barrier *b);
double probe_line_ns(const struct probe *p, unsigned count);
