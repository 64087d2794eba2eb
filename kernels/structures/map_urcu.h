// SPDX-License-Identifier: BSD-2-Clause
// Userspace RCU's hash table behind the verbs of our maps: cds_lfht, resizing itself, in the
// flavour whose readers cost least (quiescent states). Its documentation's way: a thread is
// registered once and online for a batch; removed nodes are collected until one grace period serves
// for many.
#pragma once

#include <urcu/rculfhash.h>

#include "map_hash.h"
#include "nodes.h"
#include "reclaim_rcu.h"

/* Its name where several flavours are included; the header has it under that of the first. */
extern const struct rcu_flavor_struct urcu_qsbr_flavor;

enum { MAP_URCU_BAG = 1024 };

struct map_urcu_node {
	struct cds_lfht_node link;
	uint64_t key, value;
};

struct map_urcu_worker {
	LINE_ALIGNED unsigned retired;
	struct map_urcu_node *bag[MAP_URCU_BAG];
};

struct map_urcu {
	struct cds_lfht *table;
	struct nodes *nodes;
	unsigned workers;
	struct map_urcu_worker *worker;
};

// Before and after a batch, on the worker's own thread.
static inline void map_urcu_online(void)
{
	urcu_thread_known();
	urcu_qsbr_thread_online();
}

static inline void map_urcu_offline(void)
{
	urcu_qsbr_thread_offline();
}

// Sized for the load, since it grows late and by a thread of its own; by the count of nodes, since
// by the length of chains it grows without end.
static inline int map_urcu_init(
	struct map_urcu *m, size_t keys, struct nodes *nodes, unsigned workers)
{
	m->nodes = nodes;
	m->workers = workers;
	m->worker = aligned_alloc(LINE_PAIR, workers * sizeof *m->worker);
	if (!m->worker)
		return ENOMEM;
	memset(m->worker, 0, workers * sizeof *m->worker);
	m->table = cds_lfht_new_flavor(map_power(keys), 1, 0,
		CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, &urcu_qsbr_flavor, NULL);
	return m->table ? 0 : ENOMEM;
}

static inline void map_urcu_empty(struct map_urcu *m, unsigned worker)
{
	struct map_urcu_worker *w = &m->worker[worker];
	for (unsigned i = 0; i < w->retired; i++)
		nodes_put(m->nodes, worker, w->bag[i]);
	w->retired = 0;
}

// All workers at rest; on a thread that uses map_urcu_online. Also after a map_urcu_init that
// failed.
static inline void map_urcu_fini(struct map_urcu *m)
{
	struct cds_lfht_iter iter;
	struct map_urcu_node *node;
	map_urcu_online();
	if (m->table)
		cds_lfht_for_each_entry(m->table, &iter, node, link)
		{
			cds_lfht_del(m->table, &node->link);
			nodes_put(m->nodes, 0, node); /* the next node is in iter already */
		}
	map_urcu_offline();
	if (m->table && cds_lfht_destroy(m->table, NULL))
		abort(); /* nothing is in it */
	for (unsigned i = 0; m->worker && i < m->workers; i++)
		map_urcu_empty(m, i);
	free(m->worker);
}

static inline int map_urcu_match(struct cds_lfht_node *node, const void *key)
{
	return caa_container_of(node, struct map_urcu_node, link)->key == *(const uint64_t *)key;
}

static ALWAYS_INLINE bool map_urcu_lookup(struct map_urcu *m, uint64_t key, uint64_t *value)
{
	struct cds_lfht_iter iter;
	urcu_qsbr_read_lock();
	cds_lfht_lookup(m->table, map_hash(key), map_urcu_match, &key, &iter);
	struct cds_lfht_node *found = cds_lfht_iter_get_node(&iter);
	if (found)
		*value = caa_container_of(found, struct map_urcu_node, link)->value;
	urcu_qsbr_read_unlock();
	return found;
}

static inline bool map_urcu_insert(
	struct map_urcu *m, unsigned worker, uint64_t key, uint64_t value)
{
	struct map_urcu_node *node = nodes_get(m->nodes, worker);
	if (!node)
		return false;
	cds_lfht_node_init(&node->link);
	node->key = key;
	node->value = value;
	urcu_qsbr_read_lock();
	bool added = cds_lfht_add_unique(m->table, map_hash(key), map_urcu_match, &key,
			     &node->link) == &node->link;
	urcu_qsbr_read_unlock();
	if (!added)
		nodes_put(m->nodes, worker, node);
	return added;
}

static inline bool map_urcu_remove(
	struct map_urcu *m, unsigned worker, uint64_t key, uint64_t *value)
{
	struct cds_lfht_iter iter;
	urcu_qsbr_read_lock();
	cds_lfht_lookup(m->table, map_hash(key), map_urcu_match, &key, &iter);
	struct cds_lfht_node *found = cds_lfht_iter_get_node(&iter);
	bool removed = found && !cds_lfht_del(m->table, found);
	urcu_qsbr_read_unlock();
	if (!removed)
		return false;
	struct map_urcu_worker *w = &m->worker[worker];
	struct map_urcu_node *node = caa_container_of(found, struct map_urcu_node, link);
	*value = node->value; /* nobody else frees it */
	w->bag[w->retired++] = node;
	if (w->retired == MAP_URCU_BAG) {
		urcu_qsbr_synchronize_rcu();
		map_urcu_empty(m, worker);
	}
	return true;
}

// On a thread that uses map_urcu_online, at rest.
static inline void map_urcu_walk(struct map_urcu *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	struct cds_lfht_iter iter;
	struct map_urcu_node *node;
	map_urcu_online();
	cds_lfht_for_each_entry(m->table, &iter, node, link) visit(context, node->key, node->value);
	map_urcu_offline();
}
