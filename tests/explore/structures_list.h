// SPDX-License-Identifier: BSD-2-Clause
// The structures that structures.c explores.
#pragma once

#include "structures.h"
#include "structures/nodes.h"
#include "structures/reclaim_epoch.h"
#include "structures/reclaim_hazard.h"
#include "structures/reclaim_qsbr.h"

#define FOR_EACH_RECLAIM(X, ...) X(epoch, __VA_ARGS__) X(hazard, __VA_ARGS__) X(qsbr, __VA_ARGS__)

/* A cell: the smallest structure, for the schemes themselves. */

struct cell_node {
	uint64_t value;
};

struct cell {
	struct reclaim reclaim;
	struct nodes nodes;
	_Atomic uintptr_t link;
};

static inline int cell_init(void *structure, const struct reclaim_class *class)
{
	struct cell *c = structure;
	atomic_init(&c->link, 0);
	if (nodes_init(&c->nodes, sizeof(struct cell_node), STRUCTURE_WORKERS))
		return ENOMEM;
	return reclaim_init(&c->reclaim, class, STRUCTURE_WORKERS, nodes_reclaimed, &c->nodes);
}

static inline struct reclaim *cell_domain(void *structure)
{
	return &((struct cell *)structure)->reclaim;
}

static inline void cell_fini(void *structure)
{
	struct cell *c = structure;
	struct cell_node *last = (struct cell_node *)load(&c->link, relaxed);
	if (last)
		nodes_put(&c->nodes, 0, last);
	reclaim_fini(&c->reclaim);
	nodes_fini(&c->nodes);
}

static inline bool cell_operate(void *structure, unsigned worker, struct operation *op)
{
	struct cell *c = structure;
	struct reclaim_worker *me = &c->reclaim.worker[worker];
	const struct reclaim_class *class = c->reclaim.class;
	struct cell_node *node = NULL;
	class->enter(me);
	if (op->verb == VERB_INSERT) {
		node = nodes_get(&c->nodes, worker);
		node->value = op->value;
		op->value = 0;
		node = (struct cell_node *)exchange(&c->link, (uintptr_t)node, acq_rel);
		if (node) {
			op->value = node->value;
			class->retire(me, node);
		}
	} else {
		node = (struct cell_node *)class->protect(me, 0, &c->link);
		load(&c->link, relaxed); /* others may move between finding and reading */
		op->value = node ? node->value : 0;
	}
	class->leave(me);
	return true;
}

#define RECLAIMED(SCHEME, NAME, MODEL, TYPE, PREFIX)                                               \
	{.name = NAME "/" #SCHEME,                                                                 \
		.model = MODEL,                                                                    \
		.reclaim = &SCHEME##_reclaim,                                                      \
		.size = sizeof(TYPE),                                                              \
		.init = PREFIX##_init,                                                             \
		.fini = PREFIX##_fini,                                                             \
		.domain = PREFIX##_domain,                                                         \
		.operate = PREFIX##_operate},

static const struct structure structures[] = {
	FOR_EACH_RECLAIM(RECLAIMED, "cell", MODEL_NONE, struct cell, cell)};
