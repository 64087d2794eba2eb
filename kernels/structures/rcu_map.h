// SPDX-License-Identifier: BSD-2-Clause
// A hash map whose readers neither write nor wait: they walk a bucket's chain of nodes while
// writers change it. Writers of a bucket exclude each other by one bit in its head; a removed node
// is retired. The number of buckets is fixed: sized for the load. Read-copy-update (McKenney &
// Slingwine, 1998); the bit in the head after Linux' hlist_bl.
// Nodes' links bear RCU_MAP_GONE once their node is unlinked, for schemes that validate: what such
// a link leads to may be free.
#pragma once

#include "map_hash.h"
#include "nodes.h"
#include "reclaim.h"

#define RCU_MAP_LOCKED ((uintptr_t)1) // of a head
#define RCU_MAP_GONE ((uintptr_t)2)   // of a node's link

struct rcu_node {
	_Atomic uintptr_t next;
	uint64_t key, value; // written before the node is published
};

struct rcu_map {
	_Atomic uintptr_t *head;
	size_t mask; // buckets less one: a power of two
	struct nodes *nodes;
};

static inline int rcu_map_init(struct rcu_map *m, size_t keys, struct nodes *nodes)
{
	m->mask = map_power(keys) - 1;
	m->nodes = nodes;
	size_t bytes = (m->mask + 1) * sizeof *m->head;
	m->head = aligned_alloc(LINE_PAIR, (bytes + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1));
	if (!m->head)
		return ENOMEM;
	for (size_t i = 0; i <= m->mask; i++)
		store(&m->head[i], 0, relaxed); /* relaxed: no worker is there yet */
	return 0;
}

static ALWAYS_INLINE struct rcu_node *rcu_map_node(uintptr_t link)
{
	return (struct rcu_node *)(link & ~RECLAIM_TAG);
}

// Nodes are put back as worker 0's; at rest. Also after an rcu_map_init that failed.
static inline void rcu_map_fini(struct rcu_map *m)
{
	for (size_t i = 0; m->head && i <= m->mask; i++)
		for (uintptr_t link = load(&m->head[i], relaxed), next; rcu_map_node(link);
			link = next) {
			next = load(&rcu_map_node(link)->next, relaxed); /* relaxed, both: rest */
			nodes_put(m->nodes, 0, rcu_map_node(link));
		}
	free(m->head);
	m->head = NULL;
}

static ALWAYS_INLINE _Atomic uintptr_t *rcu_map_head(struct rcu_map *m, uint64_t key)
{
	return &m->head[map_hash(key) & m->mask];
}

// Between enter and leave. R0: protect's acquire; pairs with R2, R4.
static ALWAYS_INLINE bool rcu_map_lookup(const struct reclaim_class *scheme, struct rcu_map *m,
	struct reclaim_worker *me, uint64_t key, uint64_t *value)
{
	_Atomic uintptr_t *head = rcu_map_head(m, key), *link = head;
	for (unsigned slot = 0;; slot ^= 1) {
		uintptr_t seen = scheme->protect(me, slot, link); /* R0 */
		if (scheme->validates && link != head && seen & RCU_MAP_GONE) {
			link = head;
			continue;
		}
		struct rcu_node *node = rcu_map_node(seen);
		if (!node)
			return false;
		if (node->key == key) {
			*value = node->value;
			return true;
		}
		link = &node->next;
	}
}

static ALWAYS_INLINE uintptr_t rcu_map_lock(_Atomic uintptr_t *head)
{
	for (;;) {
		uintptr_t seen = load(head, relaxed); /* relaxed: R1 says whether it holds */
		/* R1: acquire; pairs with R2, R4: the chain as the last writer left it */
		if (!(seen & RCU_MAP_LOCKED) &&
			compare_exchange_weak(head, &seen, seen | RCU_MAP_LOCKED, acquire, relaxed))
			return seen;
		cpu_relax();
	}
}

// Under the bucket's lock, whose head's first node is given: the link to the key's node or the end.
static inline _Atomic uintptr_t *rcu_map_find(
	_Atomic uintptr_t *head, uintptr_t first, uint64_t key, struct rcu_node **found)
{
	_Atomic uintptr_t *link = head;
	struct rcu_node *node = rcu_map_node(first);
	while (node && node->key != key) {
		link = &node->next;
		node = rcu_map_node(load(link, relaxed)); /* relaxed: R1 ordered it */
	}
	*found = node;
	return link;
}

// False: the key is there already, or there is no memory.
static __attribute__((noinline, unused)) bool rcu_map_insert(
	struct rcu_map *m, unsigned worker, uint64_t key, uint64_t value)
{
	struct rcu_node *node = nodes_get(m->nodes, worker), *found;
	if (!node)
		return false;
	_Atomic uintptr_t *head = rcu_map_head(m, key);
	uintptr_t first = rcu_map_lock(head);
	rcu_map_find(head, first, key, &found);
	if (!found) {
		node->key = key;
		node->value = value;
		store(&node->next, first, relaxed); /* relaxed: R2 publishes it */
		first = (uintptr_t)node;
	}
	store(head, first, release); /* R2: release; pairs with R0, R1 */
	if (found)
		nodes_put(m->nodes, worker, node);
	return !found;
}

// False: the key is not there. Between enter and leave.
static __attribute__((noinline, unused)) bool rcu_map_remove(
	struct rcu_map *m, struct reclaim_worker *me, uint64_t key, uint64_t *value)
{
	struct rcu_node *found;
	_Atomic uintptr_t *head = rcu_map_head(m, key);
	uintptr_t first = rcu_map_lock(head);
	_Atomic uintptr_t *link = rcu_map_find(head, first, key, &found);
	if (found) {
		uintptr_t next = load(&found->next, relaxed); /* relaxed: R1 ordered it */
		/* R3: seq_cst, as R4: before the scheme looks who holds a node that was found
		 * through this one; and before it is unlinked */
		store(&found->next, next | RCU_MAP_GONE, seq_cst);
		if (link == head)
			first = next;
		else
			store(link, next, seq_cst); /* R4: pairs with R0 */
		*value = found->value;
	}
	store(head, first, seq_cst); /* R4: also unlocks; pairs with R0, R1 */
	if (found)
		me->domain->class->retire(me, found);
	return found;
}

static inline void rcu_map_walk(const struct rcu_map *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	for (size_t i = 0; i <= m->mask; i++) /* relaxed: at rest */
		for (struct rcu_node *node = rcu_map_node(load(&m->head[i], relaxed)); node;
			node = rcu_map_node(load(&node->next, relaxed)))
			visit(context, node->key, node->value);
}
