// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's maps behind the verbs of ours: ck_ht with keys and values in the table, ck_hs
// with nodes that ck_epoch frees. Both are for one writer and many readers: writers take a mutex.
#pragma once

#include <pthread.h>
#include <ck_epoch.h>
#include <ck_hs.h>
#include <ck_ht.h>

#include "map_hash.h"
#include "nodes.h"

/* Memory of the tables. What readers may still use is kept until the end: tables grow by doubling,
 * so that all the outgrown ones together are no larger than the last. */

struct map_ck_block {
	_Alignas(max_align_t) struct map_ck_block *next;
};

static struct map_ck_block *map_ck_kept; // by writers, under the mutex of the one map there is

static inline void *map_ck_malloc(size_t size)
{
	struct map_ck_block *b = malloc(sizeof *b + size);
	return b ? b + 1 : NULL;
}

static inline void map_ck_free(void *p, size_t size, bool readers)
{
	(void)size;
	if (!p)
		return;
	struct map_ck_block *b = (struct map_ck_block *)p - 1;
	if (!readers) {
		free(b);
		return;
	}
	b->next = map_ck_kept;
	map_ck_kept = b;
}

static inline void map_ck_free_kept(void)
{
	for (struct map_ck_block *next; map_ck_kept; map_ck_kept = next) {
		next = map_ck_kept->next;
		free(map_ck_kept);
	}
}

static struct ck_malloc map_ck_memory = {.malloc = map_ck_malloc, .free = map_ck_free};

/* ck_ht. Its keys are neither 0 nor ~0. */

enum { MAP_CK_FEWEST = 64 };

struct map_ck_ht {
	ck_ht_t table;
	LINE_ALIGNED pthread_mutex_t writer;
};

static inline void map_ck_ht_hash(ck_ht_hash_t *h, const void *key, size_t size, uint64_t seed)
{
	uintptr_t k;
	(void)size;
	(void)seed;
	memcpy(&k, key, sizeof k);
	h->value = map_hash(k);
}

static inline int map_ck_ht_init(struct map_ck_ht *m)
{
	pthread_mutex_init(&m->writer, NULL);
	return ck_ht_init(&m->table, CK_HT_MODE_DIRECT | CK_HT_WORKLOAD_DELETE, map_ck_ht_hash,
		       &map_ck_memory, MAP_CK_FEWEST, 0)
		       ? 0
		       : ENOMEM;
}

// Also after a map_ck_ht_init that failed.
static inline void map_ck_ht_fini(struct map_ck_ht *m)
{
	if (m->table.map)
		ck_ht_destroy(&m->table);
	map_ck_free_kept();
}

static ALWAYS_INLINE bool map_ck_ht_lookup(struct map_ck_ht *m, uint64_t key, uint64_t *value)
{
	ck_ht_entry_t e;
	ck_ht_hash_t h = {map_hash(key + 1)};
	ck_ht_entry_key_set_direct(&e, key + 1);
	bool found = ck_ht_get_spmc(&m->table, h, &e);
	if (found)
		*value = ck_ht_entry_value_direct(&e);
	return found;
}

static inline bool map_ck_ht_insert(struct map_ck_ht *m, uint64_t key, uint64_t value)
{
	ck_ht_entry_t e;
	ck_ht_hash_t h = {map_hash(key + 1)};
	uint64_t seen;
	if (map_ck_ht_lookup(m, key, &seen)) /* needs no mutex */
		return false;
	ck_ht_entry_set_direct(&e, h, key + 1, value);
	pthread_mutex_lock(&m->writer);
	bool done = ck_ht_put_spmc(&m->table, h, &e);
	pthread_mutex_unlock(&m->writer);
	return done;
}

static inline bool map_ck_ht_remove(struct map_ck_ht *m, uint64_t key, uint64_t *value)
{
	ck_ht_entry_t e;
	ck_ht_hash_t h = {map_hash(key + 1)};
	ck_ht_entry_key_set_direct(&e, key + 1);
	pthread_mutex_lock(&m->writer);
	bool done = ck_ht_remove_spmc(&m->table, h, &e);
	pthread_mutex_unlock(&m->writer);
	if (done)
		*value = ck_ht_entry_value_direct(&e);
	return done;
}

static inline void map_ck_ht_walk(struct map_ck_ht *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	ck_ht_iterator_t i = CK_HT_ITERATOR_INITIALIZER;
	ck_ht_entry_t *e;
	while (ck_ht_next(&m->table, &i, &e))
		visit(context, ck_ht_entry_key_direct(e) - 1, ck_ht_entry_value_direct(e));
}

/* ck_hs. */

struct map_ck_node {
	ck_epoch_entry_t retired;
	uint64_t key, value;
};

struct map_ck_worker {
	LINE_ALIGNED ck_epoch_record_t record;
};

struct map_ck_hs {
	ck_hs_t table;
	struct nodes *nodes;
	unsigned workers;
	struct map_ck_worker *worker;
	LINE_ALIGNED ck_epoch_t epoch;
	LINE_ALIGNED pthread_mutex_t writer;
};

static inline unsigned long map_ck_hs_hash(const void *node, unsigned long seed)
{
	(void)seed;
	return map_hash(((const struct map_ck_node *)node)->key);
}

static inline bool map_ck_hs_same(const void *a, const void *b)
{
	return ((const struct map_ck_node *)a)->key == ((const struct map_ck_node *)b)->key;
}

static inline int map_ck_hs_init(struct map_ck_hs *m, struct nodes *nodes, unsigned workers)
{
	m->nodes = nodes;
	m->workers = workers;
	pthread_mutex_init(&m->writer, NULL);
	ck_epoch_init(&m->epoch);
	m->worker = aligned_alloc(LINE_PAIR, workers * sizeof *m->worker);
	if (!m->worker)
		return ENOMEM;
	for (unsigned i = 0; i < workers; i++)
		ck_epoch_register(&m->epoch, &m->worker[i].record, NULL);
	return ck_hs_init(&m->table, CK_HS_MODE_SPMC | CK_HS_MODE_OBJECT | CK_HS_MODE_DELETE,
		       map_ck_hs_hash, map_ck_hs_same, &map_ck_memory, MAP_CK_FEWEST, 0)
		       ? 0
		       : ENOMEM;
}

// Before and after a batch: one section of ck_epoch serves for all of it.
static ALWAYS_INLINE void map_ck_hs_online(struct map_ck_hs *m, unsigned worker)
{
	ck_epoch_begin(&m->worker[worker].record, NULL);
}

static inline void map_ck_hs_put_back(struct map_ck_hs *m, unsigned worker, ck_stack_t *free_nodes)
{
	ck_stack_entry_t *e;
	while ((e = ck_stack_pop_npsc(free_nodes)))
		nodes_put(m->nodes, worker,
			(char *)e - offsetof(struct map_ck_node, retired.stack_entry));
}

static inline void map_ck_hs_offline(struct map_ck_hs *m, unsigned worker)
{
	ck_epoch_record_t *record = &m->worker[worker].record;
	ck_stack_t free_nodes = CK_STACK_INITIALIZER;
	ck_epoch_end(record, NULL);
	if (record->n_pending) {
		ck_epoch_poll_deferred(record, &free_nodes);
		map_ck_hs_put_back(m, worker, &free_nodes);
	}
}

static ALWAYS_INLINE struct map_ck_node *map_ck_hs_find(struct map_ck_hs *m, uint64_t key)
{
	struct map_ck_node like = {.key = key};
	return ck_hs_get(&m->table, map_hash(key), &like);
}

static ALWAYS_INLINE bool map_ck_hs_lookup(struct map_ck_hs *m, uint64_t key, uint64_t *value)
{
	struct map_ck_node *found = map_ck_hs_find(m, key);
	if (found)
		*value = found->value;
	return found;
}

static inline bool map_ck_hs_insert(
	struct map_ck_hs *m, unsigned worker, uint64_t key, uint64_t value)
{
	if (map_ck_hs_find(m, key)) /* needs no mutex */
		return false;
	struct map_ck_node *node = nodes_get(m->nodes, worker);
	if (!node)
		return false;
	node->key = key;
	node->value = value;
	pthread_mutex_lock(&m->writer);
	bool done = ck_hs_put(&m->table, map_hash(key), node);
	pthread_mutex_unlock(&m->writer);
	if (!done)
		nodes_put(m->nodes, worker, node);
	return done;
}

static inline bool map_ck_hs_remove(
	struct map_ck_hs *m, unsigned worker, uint64_t key, uint64_t *value)
{
	struct map_ck_node like = {.key = key};
	pthread_mutex_lock(&m->writer);
	struct map_ck_node *node = ck_hs_remove(&m->table, map_hash(key), &like);
	pthread_mutex_unlock(&m->writer);
	if (!node)
		return false;
	*value = node->value;
	ck_epoch_call(&m->worker[worker].record, &node->retired, NULL);
	return true;
}

static inline void map_ck_hs_walk(struct map_ck_hs *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	ck_hs_iterator_t i = CK_HS_ITERATOR_INITIALIZER;
	void *node;
	while (ck_hs_next(&m->table, &i, &node))
		visit(context, ((struct map_ck_node *)node)->key,
			((struct map_ck_node *)node)->value);
}

// All workers at rest. Also after a map_ck_hs_init that failed.
static inline void map_ck_hs_fini(struct map_ck_hs *m)
{
	ck_hs_iterator_t i = CK_HS_ITERATOR_INITIALIZER;
	void *node;
	while (m->table.map && ck_hs_next(&m->table, &i, &node))
		nodes_put(m->nodes, 0, node);
	if (m->table.map)
		ck_hs_destroy(&m->table);
	for (unsigned w = 0; m->worker && w < m->workers; w++)
		for (unsigned e = 0; e < CK_EPOCH_LENGTH; e++)
			map_ck_hs_put_back(m, 0, &m->worker[w].record.pending[e]);
	free(m->worker);
	map_ck_free_kept();
}
