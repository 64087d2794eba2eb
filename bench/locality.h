// SPDX-License-Identifier: BSD-2-Clause
// The workers of a team as locks see them: which of them share a cache, a NUMA node, a package.
#pragma once

#include "lock.h"
#include "machine.h"

struct locality {
	struct lock_team team;
	unsigned *groups; // storage of the team's levels
};

// For workers 0 .. workers-1 on the PUs that `order` lists (see placement_order; worker i on the
// (i mod m->allowed_pus)-th), or anywhere if not pinned. A level is kept only where it tells
// workers apart and puts some together. Returns 0 or -ENOMEM. The caller owns it.
int locality_init(struct locality *l, const struct machine *m, const unsigned *order,
	unsigned workers, bool pinned);
void locality_fini(struct locality *l);
