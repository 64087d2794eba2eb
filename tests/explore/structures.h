// SPDX-License-Identifier: BSD-2-Clause
// What structures.c explores: a structure with a scheme of reclamation. Its functions find their
// workers by number, as in the kernels.
#pragma once

#include "kernel.h"

/* Thresholds are small, so that memory is given back within the few operations of a scenario. */

// Whether nodes come from malloc, by which a use after free is seen.
bool explored_nodes_from_malloc(void);
#define NODES_MALLOC explored_nodes_from_malloc()
#define NODES_BATCH 8
#define NODES_CHUNK 0
#define RECLAIM_SLOTS 6
#define RECLAIM_MOVES 2
#define RECLAIM_ROOM 8
#define QSBR_QUIET 1
#define FAA_SLOTS 2
#define MAP_COUNT_STEP 1

#include "structures/reclaim.h"

enum { STRUCTURE_WORKERS_MOST = 3 };
unsigned explored_workers(void); // of the scenario

struct structure {
	const char *name; // its header's, without structures/ and .h
	enum model model;
	unsigned capacity; // most elements; 0: any number
	bool lanes;        // of a bag: what one worker inserted comes in its order
	const struct reclaim_class *reclaim; // null: it takes none
	size_t size;
	// 0 or an errno. The memory is not zeroed.
	int (*init)(void *structure, const struct reclaim_class *reclaim);
	void (*fini)(void *structure);
	// Whose workers go online and offline; null: none.
	struct reclaim *(*domain)(void *structure);
	// One operation, enter and leave included.
	bool (*operate)(void *structure, unsigned worker, struct operation *op);
};
