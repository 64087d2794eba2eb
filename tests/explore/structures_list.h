// SPDX-License-Identifier: BSD-2-Clause
// The structures that structures.c explores.
#pragma once

#include "structures.h"
#include "structures/faa_queue.h"
#include "locks/mutex.h"
#include "structures/list_lazy.h"
#include "structures/list_lockfree.h"
#include "structures/ms_queue.h"
#include "structures/rcu_map.h"
#include "structures/reclaim_epoch.h"
#include "structures/reclaim_hazard.h"
#include "structures/reclaim_qsbr.h"
#include "structures/relaxed_queue.h"
#include "structures/skiplist_lockfree.h"
#include "structures/split_ordered.h"
#include "structures/stack_elimination.h"
#include "structures/stack_tagged.h"
#include "structures/stack_treiber.h"
#include "structures/ticket_ring.h"

/* A cell: the smallest structure, for the schemes themselves. */

struct cell_node {
	uint64_t value;
};

struct cell {
	struct reclaim reclaim;
	struct nodes nodes;
	_Atomic uintptr_t link;
};

static int cell_begin(void *structure, const struct reclaim_class *class)
{
	struct cell *c = structure;
	atomic_init(&c->link, 0);
	if (nodes_init(&c->nodes, sizeof(struct cell_node), explored_workers()))
		return ENOMEM;
	return reclaim_init(&c->reclaim, class, explored_workers(), nodes_reclaimed, &c->nodes);
}

static struct reclaim *cell_domain(void *structure)
{
	return &((struct cell *)structure)->reclaim;
}

static void cell_end(void *structure)
{
	struct cell *c = structure;
	struct cell_node *last = (struct cell_node *)load(&c->link, relaxed);
	if (last)
		nodes_put(&c->nodes, 0, last);
	reclaim_fini(&c->reclaim);
	nodes_fini(&c->nodes);
}

static bool cell_operate(void *structure, unsigned worker, struct operation *op)
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

/* Queues. */

#define RECLAIMED_QUEUE(NAME)                                                                      \
	static int NAME##_begin(void *q, const struct reclaim_class *class)                        \
	{                                                                                          \
		return NAME##_init(q, class, explored_workers());                                  \
	}                                                                                          \
	static void NAME##_end(void *q)                                                            \
	{                                                                                          \
		NAME##_fini(q);                                                                    \
	}                                                                                          \
	static struct reclaim *NAME##_domain(void *q)                                              \
	{                                                                                          \
		return &((struct NAME *)q)->reclaim;                                               \
	}                                                                                          \
	static bool NAME##_operate(void *structure, unsigned worker, struct operation *op)         \
	{                                                                                          \
		struct NAME *q = structure;                                                        \
		const struct reclaim_class *class = q->reclaim.class;                              \
		return op->verb == VERB_INSERT ? NAME##_enqueue(q, class, worker, op->value)       \
					       : NAME##_dequeue(q, class, worker, &op->value);     \
	}
RECLAIMED_QUEUE(ms_queue)
RECLAIMED_QUEUE(faa_queue)

static int ticket_ring_begin(void *q, const struct reclaim_class *class)
{
	(void)class;
	return ticket_ring_init(q, 2);
}

static void ticket_ring_end(void *q)
{
	ticket_ring_fini(q);
}

static bool ticket_ring_operate(void *q, unsigned worker, struct operation *op)
{
	(void)worker;
	return op->verb == VERB_INSERT ? ticket_ring_enqueue(q, op->value)
				       : ticket_ring_dequeue(q, &op->value);
}

static int relaxed_queue_begin(void *q, const struct reclaim_class *class)
{
	(void)class;
	return relaxed_queue_init(q, explored_workers(), 1);
}

static void relaxed_queue_end(void *q)
{
	relaxed_queue_fini(q);
}

static bool relaxed_queue_operate(void *q, unsigned worker, struct operation *op)
{
	return op->verb == VERB_INSERT ? relaxed_queue_enqueue(q, worker, op->value)
				       : relaxed_queue_dequeue(q, worker, &op->value);
}

/* Stacks. */

static int stack_treiber_begin(void *s, const struct reclaim_class *class)
{
	return stack_treiber_init(s, class, explored_workers());
}

static void stack_treiber_end(void *s)
{
	stack_treiber_fini(s);
}

static struct reclaim *stack_treiber_domain(void *s)
{
	return &((struct stack_treiber *)s)->reclaim;
}

static bool stack_treiber_operate(void *structure, unsigned worker, struct operation *op)
{
	struct stack_treiber *s = structure;
	return op->verb == VERB_INSERT ? stack_treiber_push(s, worker, op->value)
				       : stack_treiber_pop(s, worker, &op->value, s->reclaim.class);
}

#define STABLE_STACK(NAME)                                                                         \
	static int NAME##_begin(void *s, const struct reclaim_class *class)                        \
	{                                                                                          \
		(void)class;                                                                       \
		return NAME##_init(s, explored_workers());                                         \
	}                                                                                          \
	static void NAME##_end(void *s)                                                            \
	{                                                                                          \
		NAME##_fini(s);                                                                    \
	}                                                                                          \
	static bool NAME##_operate(void *s, unsigned worker, struct operation *op)                 \
	{                                                                                          \
		return op->verb == VERB_INSERT ? NAME##_push(s, worker, op->value)                 \
					       : NAME##_pop(s, worker, &op->value);                \
	}
STABLE_STACK(stack_tagged)
STABLE_STACK(stack_elimination)

/* Maps and sets. */

struct explored_map {
	struct reclaim reclaim;
	struct nodes nodes;
	union {
		struct split_ordered split_ordered;
		struct rcu_map rcu_map;
	};
};

static int map_begin(struct explored_map *m, const struct reclaim_class *class, size_t node)
{
	if (nodes_init(&m->nodes, node, explored_workers()))
		return ENOMEM;
	return reclaim_init(&m->reclaim, class, explored_workers(), nodes_reclaimed, &m->nodes);
}

static void map_end(struct explored_map *m)
{
	reclaim_fini(&m->reclaim);
	nodes_fini(&m->nodes);
}

static struct reclaim *map_domain(void *structure)
{
	return &((struct explored_map *)structure)->reclaim;
}

static int split_ordered_begin(void *structure, const struct reclaim_class *class)
{
	struct explored_map *m = structure;
	memset(&m->split_ordered, 0, sizeof m->split_ordered);
	return map_begin(m, class, sizeof(struct split_node))
		       ? ENOMEM
		       : split_ordered_init(&m->split_ordered, &m->nodes, explored_workers());
}

static void split_ordered_end(void *structure)
{
	struct explored_map *m = structure;
	split_ordered_fini(&m->split_ordered);
	map_end(m);
}

static bool split_ordered_operate(void *structure, unsigned worker, struct operation *op)
{
	struct explored_map *e = structure;
	struct split_ordered *m = &e->split_ordered;
	const struct reclaim_class *class = e->reclaim.class;
	struct reclaim_worker *me = &e->reclaim.worker[worker];
	class->enter(me);
	bool done = op->verb == VERB_INSERT ? split_ordered_insert(class, m, me, op->key, op->value)
		    : op->verb == VERB_REMOVE
			    ? split_ordered_remove(class, m, me, op->key, &op->value)
			    : split_ordered_lookup(class, m, me, op->key, &op->value);
	class->leave(me);
	return done;
}

static int rcu_map_begin(void *structure, const struct reclaim_class *class)
{
	struct explored_map *m = structure;
	return map_begin(m, class, sizeof(struct rcu_node))
		       ? ENOMEM
		       : rcu_map_init(&m->rcu_map, 1, &m->nodes);
}

static void rcu_map_end(void *structure)
{
	struct explored_map *m = structure;
	rcu_map_fini(&m->rcu_map);
	map_end(m);
}

static bool rcu_map_operate(void *structure, unsigned worker, struct operation *op)
{
	struct explored_map *e = structure;
	struct rcu_map *m = &e->rcu_map;
	const struct reclaim_class *class = e->reclaim.class;
	struct reclaim_worker *me = &e->reclaim.worker[worker];
	class->enter(me);
	bool done = op->verb == VERB_INSERT   ? rcu_map_insert(m, worker, op->key, op->value)
		    : op->verb == VERB_REMOVE ? rcu_map_remove(m, me, op->key, &op->value)
					      : rcu_map_lookup(class, m, me, op->key, &op->value);
	class->leave(me);
	return done;
}

struct explored_list {
	struct reclaim reclaim;
	struct list list;
};

static const struct lock_team list_team = {.workers = STRUCTURE_WORKERS_MOST, .spare_pu = -1};

static int list_begin(
	void *structure, const struct reclaim_class *class, const struct lock_class *lock)
{
	struct explored_list *l = structure;
	int rc = list_init(&l->list, lock, &list_team, explored_workers());
	return rc ? rc : reclaim_init(&l->reclaim, class, explored_workers(), list_free, &l->list);
}

static int list_lockfree_begin(void *structure, const struct reclaim_class *class)
{
	return list_begin(structure, class, NULL);
}

static int list_lazy_begin(void *structure, const struct reclaim_class *class)
{
	return list_begin(structure, class, &mutex_class);
}

static void list_end(void *structure)
{
	struct explored_list *l = structure;
	reclaim_fini(&l->reclaim);
	list_fini(&l->list);
}

static struct reclaim *list_domain(void *structure)
{
	return &((struct explored_list *)structure)->reclaim;
}

static struct request request_of(const struct operation *op)
{
	return (struct request){
		(enum request_verb)op->verb, (uint32_t)op->key, (uint32_t)op->value};
}

static bool list_lockfree_operate(void *structure, unsigned worker, struct operation *op)
{
	struct explored_list *l = structure;
	struct reclaim_worker *me = &l->reclaim.worker[worker];
	struct request q = request_of(op);
	l->reclaim.class->enter(me);
	bool done = list_lockfree_request(l->reclaim.class, &l->list, me, &q);
	l->reclaim.class->leave(me);
	op->value = q.value;
	return done;
}

static bool list_lazy_operate(void *structure, unsigned worker, struct operation *op)
{
	struct explored_list *l = structure;
	struct reclaim_worker *me = &l->reclaim.worker[worker];
	struct request q = request_of(op);
	struct lock_node own[2] = {{.worker = worker}, {.worker = worker}};
	l->reclaim.class->enter(me);
	bool done = list_lazy_request(&mutex_class, &l->list, me, own, &q);
	l->reclaim.class->leave(me);
	op->value = q.value;
	return done;
}

/* The skip list: as a map, and as a queue that gives the smallest key first. */

struct explored_skiplist {
	struct reclaim reclaim;
	struct skiplist list;
};

enum { SKIPLIST_LOW = 16 }; // bits of a word below the key: the value, and two of state

static int skiplist_begin(void *structure, const struct reclaim_class *class)
{
	struct explored_skiplist *l = structure;
	int rc = skiplist_init(&l->list, 4, 8, SKIPLIST_LOW, NULL, &list_team, explored_workers());
	return rc ? rc
		  : reclaim_init(&l->reclaim, class, explored_workers(), skiplist_free, &l->list);
}

static void skiplist_end(void *structure)
{
	struct explored_skiplist *l = structure;
	reclaim_fini(&l->reclaim);
	skiplist_fini(&l->list);
}

static struct reclaim *skiplist_domain(void *structure)
{
	return &((struct explored_skiplist *)structure)->reclaim;
}

static bool skiplist_do(
	struct explored_skiplist *l, unsigned worker, struct operation *op, bool first)
{
	const struct reclaim_class *class = l->reclaim.class;
	struct reclaim_worker *me = &l->reclaim.worker[worker];
	uint64_t word = op->key << SKIPLIST_LOW | op->value << 2;
	class->enter(me);
	bool done = op->verb == VERB_INSERT ? skiplist_lockfree_insert(class, &l->list, me, word)
		    : op->verb == VERB_LOOKUP
			    ? skiplist_lockfree_lookup(class, &l->list, me, op->key, &word)
		    : first ? skiplist_lockfree_remove_first(class, &l->list, me, &word)
			    : skiplist_lockfree_remove(class, &l->list, me, op->key, &word);
	class->leave(me);
	if (done) {
		op->key = word >> SKIPLIST_LOW;
		op->value = word >> 2 & ((1 << (SKIPLIST_LOW - 2)) - 1);
	}
	return done;
}

static bool skiplist_operate(void *structure, unsigned worker, struct operation *op)
{
	return skiplist_do(structure, worker, op, false);
}

static bool skiplist_first_operate(void *structure, unsigned worker, struct operation *op)
{
	return skiplist_do(structure, worker, op, true);
}

/* The table. */

#define RECLAIMED(SCHEME, NAME, MODEL, TYPE, PREFIX)                                               \
	{                                                                                          \
		.name = NAME "/" #SCHEME, .model = MODEL, .reclaim = &SCHEME##_reclaim,            \
		.size = sizeof(TYPE), .init = PREFIX##_begin, .fini = PREFIX##_end,                \
		.domain = PREFIX##_domain, .operate = PREFIX##_operate                             \
	}
#define EXPLORED(NAME, MODEL, ...)                                                                 \
	{                                                                                          \
		.name = #NAME, .model = MODEL, .size = sizeof(struct NAME), .init = NAME##_begin,  \
		.fini = NAME##_end, .operate = NAME##_operate, __VA_ARGS__                         \
	}
#define RECLAIMED_BY_ALL(...)                                                                      \
	RECLAIMED(epoch, __VA_ARGS__), RECLAIMED(hazard, __VA_ARGS__), RECLAIMED(qsbr, __VA_ARGS__)

#define skiplist_first_begin skiplist_begin
#define skiplist_first_end skiplist_end
#define skiplist_first_domain skiplist_domain
#define list_lockfree_end list_end
#define list_lazy_end list_end
#define list_lockfree_domain list_domain
#define list_lazy_domain list_domain
#define split_ordered_domain map_domain
#define rcu_map_domain map_domain

static const struct structure structures[] = {
	RECLAIMED_BY_ALL("cell", MODEL_NONE, struct cell, cell),
	RECLAIMED_BY_ALL("ms_queue", MODEL_QUEUE, struct ms_queue, ms_queue),
	RECLAIMED_BY_ALL("faa_queue", MODEL_QUEUE, struct faa_queue, faa_queue),
	EXPLORED(ticket_ring, MODEL_QUEUE, .capacity = 2),
	EXPLORED(relaxed_queue, MODEL_BAG, .lanes = true),
	RECLAIMED_BY_ALL("stack_treiber", MODEL_STACK, struct stack_treiber, stack_treiber),
	EXPLORED(stack_tagged, MODEL_STACK),
	EXPLORED(stack_elimination, MODEL_STACK),
	RECLAIMED_BY_ALL("list_lockfree", MODEL_MAP, struct explored_list, list_lockfree),
	RECLAIMED_BY_ALL("list_lazy", MODEL_MAP, struct explored_list, list_lazy),
	RECLAIMED_BY_ALL("skiplist_lockfree", MODEL_MAP, struct explored_skiplist, skiplist),
	RECLAIMED_BY_ALL("skiplist_lockfree-first", MODEL_PRIORITY_QUEUE, struct explored_skiplist,
		skiplist_first),
	RECLAIMED_BY_ALL("split_ordered", MODEL_MAP, struct explored_map, split_ordered),
	RECLAIMED_BY_ALL("rcu_map", MODEL_MAP, struct explored_map, rcu_map),
};
