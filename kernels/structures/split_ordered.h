// SPDX-License-Identifier: BSD-2-Clause
// Split-ordered list: a lock-free hash map that grows without moving anything. All nodes are in one
// list, in the order of their hashes read backwards, so that doubling the buckets splits each chain
// in two; a bucket is a shortcut to a dummy node in the list, made when it is first asked for.
// Starts with two buckets. Sources: O. Shalev & N. Shavit, Split-ordered lists, 2006; the list is
// that of T. Harris, 2001, in the form of M. Michael, 2002, which suits every scheme of
// reclamation.
//
// A node's link bears SPLIT_GONE once the node is removed: it never changes again. Whoever passes
// by unlinks it, and who did retires it. Dummies are never removed.
#pragma once

#include "map_hash.h"
#include "nodes.h"
#include "reclaim.h"

#define SPLIT_GONE ((uintptr_t)1)

// Segments of the array of buckets: 0 has bucket 0, s > 0 the buckets from 2^(s-1) to 2^s - 1.
enum { SPLIT_SEGMENTS = 40, SPLIT_LOAD = 1, SPLIT_FEWEST = 2 };

struct split_node {
	_Atomic uintptr_t next;
	uint64_t order; // the hash, backwards; odd, but for dummies
	uint64_t key, value;
};

struct split_ordered {
	LINE_ALIGNED _Atomic(_Atomic uintptr_t *) segment[SPLIT_SEGMENTS];
	LINE_ALIGNED _Atomic size_t buckets; // a power of two
	struct nodes *nodes;
	_Atomic uintptr_t first; // bucket 0's segment
	struct map_count count;
};

// Where a walk has come to: the link that leads to node, and the node; null at the end.
struct split_place {
	_Atomic uintptr_t *link;
	struct split_node *node;
};

static ALWAYS_INLINE uint64_t split_backwards(uint64_t x)
{
	x = (x >> 1 & 0x5555555555555555u) | (x & 0x5555555555555555u) << 1;
	x = (x >> 2 & 0x3333333333333333u) | (x & 0x3333333333333333u) << 2;
	x = (x >> 4 & 0x0F0F0F0F0F0F0F0Fu) | (x & 0x0F0F0F0F0F0F0F0Fu) << 4;
	return __builtin_bswap64(x);
}

static ALWAYS_INLINE struct split_node *split_node_of(uintptr_t link)
{
	return (struct split_node *)(link & ~RECLAIM_TAG);
}

static inline struct split_node *split_node_make(
	struct split_ordered *m, unsigned worker, uint64_t order, uint64_t key, uint64_t value)
{
	struct split_node *node = nodes_get(m->nodes, worker);
	if (node) {
		node->order = order;
		node->key = key;
		node->value = value;
	}
	return node;
}

// Nodes are of at least sizeof(struct split_node) bytes. 0 or a positive errno.
static inline int split_ordered_init(struct split_ordered *m, struct nodes *nodes, unsigned workers)
{
	m->nodes = nodes;
	if (map_count_init(&m->count, workers))
		return ENOMEM;
	struct split_node *head = split_node_make(m, 0, 0, 0, 0);
	if (!head)
		return ENOMEM;
	/* relaxed, all: no worker is there yet */
	store(&head->next, 0, relaxed);
	store(&m->first, (uintptr_t)head, relaxed);
	store(&m->segment[0], &m->first, relaxed);
	store(&m->buckets, SPLIT_FEWEST, relaxed);
	return 0;
}

// At rest; nodes are put back as worker 0's. Also after a split_ordered_init that failed.
static inline void split_ordered_fini(struct split_ordered *m)
{
	struct split_node *next; /* relaxed, all: at rest */
	for (struct split_node *n = split_node_of(load(&m->first, relaxed)); n; n = next) {
		next = split_node_of(load(&n->next, relaxed));
		nodes_put(m->nodes, 0, n);
	}
	for (unsigned s = 1; s < SPLIT_SEGMENTS; s++)
		free((void *)load(&m->segment[s], relaxed));
	map_count_fini(&m->count);
}

// Whether a node comes before the place of (order, key).
static ALWAYS_INLINE bool split_before(const struct split_node *node, uint64_t order, uint64_t key)
{
	return node->order < order || (node->order == order && node->key < key);
}

// From a bucket's dummy to the first node that is not before (order, key); whether it is that one.
// Unlinks removed nodes on the way. S0: protect's acquire; pairs with S1.
static ALWAYS_INLINE bool split_find(const struct reclaim_class *scheme, struct reclaim_worker *me,
	struct split_node *dummy, uint64_t order, uint64_t key, struct split_place *at)
{
	for (;;) {
		_Atomic uintptr_t *link = &dummy->next;
		unsigned slot = 0, held = 1;
		uintptr_t seen = scheme->protect(me, slot, link); /* S0 */
		for (;;) {
			struct split_node *node = split_node_of(seen);
			/* What link leads to is protected by `slot`, link's own node by `held`. */
			if (!node) {
				*at = (struct split_place){link, NULL};
				return false;
			}
			unsigned ahead = 3 - slot - held;
			uintptr_t next = scheme->protect(me, ahead, &node->next); /* S0 */
			if (next & SPLIT_GONE) {
				uintptr_t expected = (uintptr_t)node;
				next &= ~SPLIT_GONE;
				/* S2: release, with acquire for the node behind: pairs with S0 */
				if (!compare_exchange(link, &expected, next, acq_rel, relaxed))
					break;
				scheme->retire(me, node);
				/* Protected while the link from the removed node led to it; that
				 * link never changes, so only the new one proves it is there. */
				seen = scheme->validates ? scheme->protect(me, slot, link) : next;
				if (seen & SPLIT_GONE)
					break;
				continue;
			}
			/* Not marked when it was read, so the node was in the list, and the next.
			 */
			if (!split_before(node, order, key)) {
				*at = (struct split_place){link, node};
				return node->order == order && node->key == key;
			}
			held = slot;
			slot = ahead;
			link = &node->next;
			seen = next;
		}
	}
}

// Puts a node where it belongs. False: one like it is there, at->node.
static ALWAYS_INLINE bool split_link(const struct reclaim_class *scheme, struct reclaim_worker *me,
	struct split_node *dummy, struct split_node *node, struct split_place *at)
{
	for (;;) {
		if (split_find(scheme, me, dummy, node->order, node->key, at))
			return false;
		uintptr_t expected = (uintptr_t)at->node;
		store(&node->next, expected, relaxed); /* relaxed: S1 publishes it */
		/* S1: release; pairs with S0: the node's content */
		if (compare_exchange(at->link, &expected, (uintptr_t)node, release, relaxed))
			return true;
	}
}

// Where a bucket's dummy is noted; its segment is made if need be. Null: no memory.
static inline _Atomic uintptr_t *split_bucket(struct split_ordered *m, size_t bucket)
{
	unsigned s = bucket ? 64 - (unsigned)__builtin_clzll(bucket) : 0;
	size_t from = s ? (size_t)1 << (s - 1) : 0, count = s ? from : 1;
	/* S3: acquire; pairs with S4 */
	_Atomic uintptr_t *segment = load(&m->segment[s], acquire), *none = NULL;
	if (!segment) {
		segment = calloc(count, sizeof *segment);
		if (!segment)
			return NULL;
		/* S4: release; pairs with S3: all of it zero */
		if (!compare_exchange(&m->segment[s], &none, segment, acq_rel, acquire)) {
			free((void *)segment);
			segment = none;
		}
	}
	return &segment[bucket - from];
}

// The dummy of a bucket; made, and its parent's before, if it is not there. Where memory is short
// the parent serves: slower, not wrong.
static __attribute__((noinline, unused)) struct split_node *split_dummy_make(
	struct split_ordered *m, struct reclaim_worker *me, size_t bucket)
{
	_Atomic uintptr_t *noted = split_bucket(m, bucket);
	/* S5: acquire; pairs with S6 */
	struct split_node *dummy = noted ? split_node_of(load(noted, acquire)) : NULL;
	if (dummy || !bucket)
		return dummy;
	size_t highest = (size_t)1 << (63 - __builtin_clzll(bucket));
	struct split_node *parent = split_dummy_make(m, me, bucket - highest);
	if (!noted)
		return parent;
	struct split_place at;
	struct split_node *node = split_node_make(m, me->index, split_backwards(bucket), 0, 0);
	if (!node)
		return parent;
	dummy = node;
	if (!split_link(me->domain->class, me, parent, node, &at)) {
		nodes_put(m->nodes, me->index, node);
		dummy = at.node;
	}
	store(noted, (uintptr_t)dummy,
		release); /* S6: release; pairs with S5; all store the same */
	return dummy;
}

static ALWAYS_INLINE struct split_node *split_dummy(
	struct split_ordered *m, struct reclaim_worker *me, uint64_t hash)
{
	/* relaxed: an older number leads to a dummy farther ahead */
	size_t bucket = hash & (load(&m->buckets, relaxed) - 1);
	unsigned s = bucket ? 64 - (unsigned)__builtin_clzll(bucket) : 0;
	_Atomic uintptr_t *segment = load(&m->segment[s], acquire); /* S3 */
	if (__builtin_expect(segment != NULL, 1)) {
		uintptr_t dummy = load(&segment[bucket - ((size_t)1 << s >> 1)], acquire); /* S5 */
		if (__builtin_expect(dummy != 0, 1))
			return split_node_of(dummy);
	}
	return split_dummy_make(m, me, bucket);
}

/* All between enter and leave of me, whose scheme is given. */

static ALWAYS_INLINE bool split_ordered_lookup(const struct reclaim_class *scheme,
	struct split_ordered *m, struct reclaim_worker *me, uint64_t key, uint64_t *value)
{
	struct split_place at;
	uint64_t hash = map_hash(key);
	if (!split_find(scheme, me, split_dummy(m, me, hash), split_backwards(hash) | 1, key, &at))
		return false;
	*value = at.node->value;
	return true;
}

// False: the key is there already, or there is no memory.
static ALWAYS_INLINE bool split_ordered_insert(const struct reclaim_class *scheme,
	struct split_ordered *m, struct reclaim_worker *me, uint64_t key, uint64_t value)
{
	struct split_place at;
	uint64_t hash = map_hash(key);
	struct split_node *node =
		split_node_make(m, me->index, split_backwards(hash) | 1, key, value);
	if (!node)
		return false;
	if (!split_link(scheme, me, split_dummy(m, me, hash), node, &at)) {
		nodes_put(m->nodes, me->index, node);
		return false;
	}
	size_t count = map_count_add(&m->count, me->index, 1);
	size_t buckets = load(&m->buckets, relaxed); /* relaxed: publishes nothing but itself */
	if (count > SPLIT_LOAD * buckets && buckets < (size_t)1 << (SPLIT_SEGMENTS - 1))
		compare_exchange(&m->buckets, &buckets, 2 * buckets, relaxed, relaxed);
	return true;
}

// False: the key is not there. S7: marks the link; who marks it has removed the node.
static ALWAYS_INLINE bool split_ordered_remove(const struct reclaim_class *scheme,
	struct split_ordered *m, struct reclaim_worker *me, uint64_t key, uint64_t *value)
{
	struct split_place at;
	uint64_t hash = map_hash(key), order = split_backwards(hash) | 1;
	struct split_node *dummy = split_dummy(m, me, hash);
	for (;;) {
		if (!split_find(scheme, me, dummy, order, key, &at))
			return false;
		uintptr_t next = load(&at.node->next, relaxed); /* relaxed: S7 says if it holds */
		if (next & SPLIT_GONE)
			continue;
		*value = at.node->value;
		/* S7: acq_rel; the node behind remains published, pairs with S0 */
		if (compare_exchange(&at.node->next, &next, next | SPLIT_GONE, acq_rel, relaxed))
			break;
	}
	map_count_add(&m->count, me->index, -1);
	uintptr_t expected = (uintptr_t)at.node, next = load(&at.node->next, relaxed);
	/* S2: as in split_find; relaxed: S7 was this worker's, and a marked link never changes */
	if (compare_exchange(at.link, &expected, next & ~SPLIT_GONE, acq_rel, relaxed))
		scheme->retire(me, at.node);
	else
		split_find(scheme, me, dummy, order, key, &at);
	return true;
}

static inline void split_ordered_walk(const struct split_ordered *m,
	void (*visit)(void *context, uint64_t key, uint64_t value), void *context)
{
	struct split_node *node = split_node_of(load(&m->first, relaxed)); /* relaxed: at rest */
	while (node) {
		uintptr_t next = load(&node->next, relaxed);
		if (node->order & 1 && !(next & SPLIT_GONE))
			visit(context, node->key, node->value);
		node = split_node_of(next);
	}
}
