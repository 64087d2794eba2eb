// SPDX-License-Identifier: BSD-2-Clause
// A skip list of keys, each once, with a payload: what all skiplist_*.h share, and the sequential
// program. A link carries the first bits of the key it leads to, so that a walk touches only nodes
// that it goes through, not those at which it turns down: about one for each level.
// Source: W. Pugh, Skip lists: a probabilistic alternative to balanced trees, 1990.
#pragma once

#include "lock.h"
#include "nodes.h"

_Static_assert(sizeof(uintptr_t) == 8, "a link carries bits beside an address");

enum {
	SKIPLIST_LEVELS = 21,         // three slots of reclamation each
	SKIPLIST_CLASSES = 4,         // sizes of nodes
	SKIPLIST_PREFIX_SHIFT = 48,   // bits of a link: an address, and a key's first bits above
	SKIPLIST_PREFIX_MOST = 0xfffe // of a key; the end of a level has one more
};

// The lowest bit of a node's own link, where workers share the list without locks: the node is
// removed at this level.
#define SKIPLIST_MARK ((uintptr_t)1)
#define SKIPLIST_ADDRESS ((uintptr_t)0x0000fffffffffff8)
#define SKIPLIST_END ((uintptr_t)0xffff000000000000)

// What a node's word says in its two lowest bits is up to those who share the list.
#define SKIPLIST_STATE ((uint64_t)3)

struct skiplist_node {
	_Atomic uint64_t word;    // the key, the payload, the state
	_Atomic uintptr_t next[]; // as many as the key's height
				  /* here the node's lock, where it has one */
};

struct skiplist {
	struct skiplist_node *head; // comes before every key; has all levels
	unsigned levels;
	unsigned low;                  // bits of a word below the key
	unsigned shift;                // bits of a key below its prefix
	const struct lock_class *lock; // of each node; null: none
	const struct lock_team *team;
	struct nodes nodes[SKIPLIST_CLASSES];
};

// A key's height is drawn by a hash: 2^-h for h levels, and always the same for the same key.
static ALWAYS_INLINE unsigned skiplist_height(const struct skiplist *l, uint64_t key)
{
	key = (key ^ key >> 33) * 0xff51afd7ed558ccd;
	key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53;
	key ^= key >> 33;
	return 1 + (unsigned)__builtin_ctzll(key | (uint64_t)1 << (l->levels - 1));
}

// Nodes of 16, 32, 64 and 176 bytes: none straddles cache lines without need.
static ALWAYS_INLINE unsigned skiplist_class(unsigned height)
{
	return height == 1 ? 0 : height <= 3 ? 1 : height <= 7 ? 2 : 3;
}

static inline size_t skiplist_class_size(unsigned class)
{
	static const size_t size[SKIPLIST_CLASSES] = {
		16, 32, 64, 8 + SKIPLIST_LEVELS * sizeof(uintptr_t)};
	return size[class];
}

static ALWAYS_INLINE uint64_t skiplist_key(
	const struct skiplist *l, const struct skiplist_node *node)
{
	return load(&node->word, relaxed) >> l->low; /* relaxed: a key never changes */
}

static ALWAYS_INLINE uint64_t skiplist_prefix(const struct skiplist *l, uint64_t key)
{
	uint64_t prefix = key >> l->shift;
	return prefix < SKIPLIST_PREFIX_MOST ? prefix : SKIPLIST_PREFIX_MOST;
}

static ALWAYS_INLINE uintptr_t skiplist_link(
	const struct skiplist *l, const struct skiplist_node *node, uint64_t key)
{
	return (uintptr_t)node | skiplist_prefix(l, key) << SKIPLIST_PREFIX_SHIFT;
}

// Null at the end of a level.
static ALWAYS_INLINE struct skiplist_node *skiplist_node(uintptr_t link)
{
	return (struct skiplist_node *)(link & SKIPLIST_ADDRESS);
}

static ALWAYS_INLINE uint64_t skiplist_link_prefix(uintptr_t link)
{
	return link >> SKIPLIST_PREFIX_SHIFT;
}

// Whether a link leads to this key.
static ALWAYS_INLINE bool skiplist_leads_to(const struct skiplist *l, uintptr_t link, uint64_t key)
{
	return skiplist_link_prefix(link) == skiplist_prefix(l, key) &&
	       skiplist_key(l, skiplist_node(link)) == key;
}

static inline unsigned skiplist_class_of(const struct skiplist *l, const struct skiplist_node *node)
{
	return node == l->head ? SKIPLIST_CLASSES - 1
			       : skiplist_class(skiplist_height(l, skiplist_key(l, node)));
}

static inline void *skiplist_lock(const struct skiplist *l, struct skiplist_node *node)
{
	return (char *)node +
	       ((skiplist_class_size(skiplist_class_of(l, node)) + 15) & ~(size_t)15);
}

static inline struct skiplist_node *skiplist_make_of(
	struct skiplist *l, unsigned worker, uint64_t word, unsigned class)
{
	struct skiplist_node *node = nodes_get(&l->nodes[class], worker);
	if (!node)
		return NULL;
	store(&node->word, word, relaxed); /* relaxed: nobody else knows the node */
	if (!l->lock)
		return node;
	void *lock = (char *)node + ((skiplist_class_size(class) + 15) & ~(size_t)15);
	memset(lock, 0, l->lock->size); /* as a lock may expect */
	if (!l->lock->init(lock, l->team))
		return node;
	nodes_put(&l->nodes[class], worker, node);
	return NULL;
}

// A node that nobody else knows yet, without links, by that worker. Null: no memory.
static inline struct skiplist_node *skiplist_make(
	struct skiplist *l, unsigned worker, uint64_t word)
{
	unsigned height = skiplist_height(l, word >> l->low);
	return skiplist_make_of(l, worker, word, skiplist_class(height));
}

// A node that nobody can hold any more; context is the list, as reclaim has it.
static inline void skiplist_free(void *context, unsigned worker, void *node)
{
	struct skiplist *l = context;
	if (l->lock)
		l->lock->fini(skiplist_lock(l, node));
	nodes_put(&l->nodes[skiplist_class_of(l, node)], worker, node);
}

// An empty list for about so many keys of 64 - low bits, most of them up to `most`. Returns 0 or a
// positive errno.
static inline int skiplist_init(struct skiplist *l, unsigned keys, uint64_t most, unsigned low,
	const struct lock_class *lock, const struct lock_team *team, unsigned workers)
{
	l->levels = 2;
	while (l->levels < SKIPLIST_LEVELS && (uint64_t)1 << l->levels < keys)
		l->levels++;
	l->low = low;
	l->shift = 0;
	while (most >> l->shift >= SKIPLIST_PREFIX_MOST)
		l->shift++;
	l->lock = lock;
	l->team = team;
	l->head = NULL;
	int rc = 0;
	for (unsigned i = 0; i < SKIPLIST_CLASSES && !rc; i++) {
		size_t size = skiplist_class_size(i);
		if (lock)
			size = ((size + 15) & ~(size_t)15) + lock->size;
		rc = nodes_init(&l->nodes[i], size, workers);
	}
	if (rc)
		return rc;
	l->head = skiplist_make_of(l, 0, 0, SKIPLIST_CLASSES - 1);
	for (unsigned i = 0; l->head && i < l->levels; i++)
		store(&l->head->next[i], SKIPLIST_END, relaxed); /* relaxed: as in make */
	return l->head ? 0 : ENOMEM;
}

// Nodes made by skiplist_make, in ascending order of their keys: all of an empty list's content.
static inline void skiplist_fill(
	struct skiplist *l, struct skiplist_node *const *node, unsigned count)
{
	struct skiplist_node *last[SKIPLIST_LEVELS];
	for (unsigned i = 0; i < l->levels; i++)
		last[i] = l->head;
	for (unsigned i = 0; i < count; i++) {
		uint64_t key = skiplist_key(l, node[i]);
		unsigned height = skiplist_height(l, key);
		for (unsigned level = 0; level < height; level++) {
			/* relaxed, both: nobody else knows the list */
			store(&node[i]->next[level], SKIPLIST_END, relaxed);
			store(&last[level]->next[level], skiplist_link(l, node[i], key), relaxed);
			last[level] = node[i];
		}
	}
}

// All workers at rest; also after a skiplist_init that failed.
static inline void skiplist_fini(struct skiplist *l)
{
	for (struct skiplist_node *node = l->head, *next; node; node = next) {
		next = skiplist_node(load(&node->next[0], relaxed)); /* relaxed: at rest */
		if (node != l->head)
			skiplist_free(l, 0, node);
	}
	if (l->head)
		skiplist_free(l, 0, l->head);
	l->head = NULL;
	for (unsigned i = 0; i < SKIPLIST_CLASSES; i++)
		if (l->nodes[i].worker)
			nodes_fini(&l->nodes[i]);
}

// Whether all of a level is in order, without removed nodes, and part of the level below.
static inline bool skiplist_level_is_sound(const struct skiplist *l, unsigned level)
{
	/* relaxed, all: at rest */
	uintptr_t link = load(&l->head->next[level], relaxed);
	uintptr_t below = level ? load(&l->head->next[level - 1], relaxed) : 0;
	for (uint64_t last = 0, first = 1; link != SKIPLIST_END; first = 0) {
		struct skiplist_node *node = skiplist_node(link);
		uint64_t key = skiplist_key(l, node);
		if (link != skiplist_link(l, node, key) || (!first && key <= last))
			return false;
		while (level && below != SKIPLIST_END && below != link)
			below = load(&skiplist_node(below)->next[level - 1], relaxed);
		if ((level && below != link) || skiplist_height(l, key) <= level)
			return false;
		last = key;
		link = load(&node->next[level], relaxed);
	}
	return true;
}

// Counts the keys and adds them up, at rest. False: a level is out of order or no part of the one
// below it, or holds a node that was removed.
static inline bool skiplist_content(const struct skiplist *l, uint64_t *count, uint64_t *sum)
{
	const struct skiplist_node *node = l->head;
	*count = *sum = 0;
	for (unsigned level = 0; level < l->levels; level++)
		if (!skiplist_level_is_sound(l, level))
			return false;
	while ((node = skiplist_node(load(&node->next[0], relaxed)))) { /* relaxed: at rest */
		++*count;
		*sum += skiplist_key(l, node);
	}
	return true;
}

/* The sequential program, and what is walked under a lock: relaxed, since nobody else is there. */

// Whether the walk goes on to the right. The end's prefix is no key's.
static ALWAYS_INLINE bool skiplist_is_below(
	const struct skiplist *l, uintptr_t link, uint64_t key, uint64_t prefix)
{
	uint64_t seen = skiplist_link_prefix(link);
	if (__builtin_expect(seen == prefix, 0))
		return skiplist_key(l, skiplist_node(link)) < key;
	return seen < prefix;
}

// The node of that key, or null; and the last node below the key on each level.
static ALWAYS_INLINE struct skiplist_node *skiplist_seek(
	const struct skiplist *l, uint64_t key, struct skiplist_node **before)
{
	const uint64_t prefix = skiplist_prefix(l, key);
	struct skiplist_node *node = l->head;
	uintptr_t link = SKIPLIST_END;
	for (int level = (int)l->levels - 1; level >= 0;) {
		link = load(&node->next[level], relaxed);
		before[level] = node;
		bool right = skiplist_is_below(l, link, key, prefix);
		node = right ? skiplist_node(link) : node;
		level -= !right;
	}
	return skiplist_leads_to(l, link, key) ? skiplist_node(link) : NULL;
}

// The word of that key.
static ALWAYS_INLINE bool skiplist_lookup(const struct skiplist *l, uint64_t key, uint64_t *word)
{
	const uint64_t prefix = skiplist_prefix(l, key);
	struct skiplist_node *node = l->head;
	for (int level = (int)l->levels - 1; level >= 0;) {
		uintptr_t link = load(&node->next[level], relaxed);
		uint64_t seen = skiplist_link_prefix(link);
		bool right = seen < prefix;
		if (__builtin_expect(seen == prefix, 0)) {
			uint64_t found = load(&skiplist_node(link)->word, relaxed);
			if (found >> l->low == key) {
				*word = found;
				return true;
			}
			right = found >> l->low < key;
		}
		node = right ? skiplist_node(link) : node;
		level -= !right;
	}
	return false;
}

static inline bool skiplist_insert(struct skiplist *l, unsigned worker, uint64_t word)
{
	struct skiplist_node *before[SKIPLIST_LEVELS];
	uint64_t key = word >> l->low;
	if (skiplist_seek(l, key, before))
		return false;
	struct skiplist_node *made = skiplist_make(l, worker, word);
	if (!made)
		return false; /* no memory */
	unsigned height = skiplist_height(l, key);
	for (unsigned i = 0; i < height; i++) {
		store(&made->next[i], load(&before[i]->next[i], relaxed), relaxed);
		store(&before[i]->next[i], skiplist_link(l, made, key), relaxed);
	}
	return true;
}

static inline bool skiplist_remove(
	struct skiplist *l, unsigned worker, uint64_t key, uint64_t *word)
{
	struct skiplist_node *before[SKIPLIST_LEVELS];
	struct skiplist_node *node = skiplist_seek(l, key, before);
	if (!node)
		return false;
	unsigned height = skiplist_height(l, key);
	for (unsigned i = 0; i < height; i++)
		store(&before[i]->next[i], load(&node->next[i], relaxed), relaxed);
	*word = load(&node->word, relaxed);
	skiplist_free(l, worker, node);
	return true;
}
