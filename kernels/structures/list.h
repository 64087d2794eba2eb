// SPDX-License-Identifier: BSD-2-Clause
// A sorted linked list of keys, each once, with their values: what all list_*.h share, and the
// sequential program. Every hop is a load that waits for the one before: 16 bytes a node, so that
// four share a cache line, and a hop costs nothing but that load.
#pragma once

#include "lock.h"
#include "nodes.h"
#include "request.h"

// The low bit of a node's own link, where workers share the list: the node is removed, though it
// may still be found; its link does not change any more.
#define LIST_MARK ((uintptr_t)1)

struct list_node { // and behind it the node's lock, where it has one
	_Atomic uintptr_t next;
	uint32_t key, value; // of a node that others can find: unchanging
};

struct list {
	struct list_node *head; // comes before every key; a tail that is no key's ends the list
	const struct lock_class *lock; // of each node; null: none
	const struct lock_team *team;
	struct nodes nodes;
};

enum { LIST_TAIL = UINT32_MAX };

static ALWAYS_INLINE void *list_lock(struct list_node *node)
{
	return node + 1;
}

// A node that nobody else knows yet, by that worker. Null: no memory.
static __attribute__((noinline, unused)) struct list_node *list_make(
	struct list *l, unsigned worker, uint32_t key, uint32_t value)
{
	struct list_node *node = nodes_get(&l->nodes, worker);
	if (!node)
		return NULL;
	if (l->lock)
		memset(list_lock(node), 0, l->lock->size); /* as a lock may expect */
	if (l->lock && l->lock->init(list_lock(node), l->team)) {
		nodes_put(&l->nodes, worker, node);
		return NULL;
	}
	store(&node->next, 0, relaxed); /* relaxed: nobody else knows the node */
	node->key = key;
	node->value = value;
	return node;
}

// A node that nobody can hold any more; context is the list, as reclaim has it.
static inline void list_free(void *context, unsigned worker, void *node)
{
	struct list *l = context;
	if (l->lock)
		l->lock->fini(list_lock(node));
	nodes_put(&l->nodes, worker, node);
}

// Where nobody else changes the list, or a lock orders the changes: relaxed is enough. The node is
// not marked: taking a mark off would make each hop a quarter longer.
static ALWAYS_INLINE struct list_node *list_next(const struct list_node *node)
{
	return (struct list_node *)load(&node->next, relaxed);
}

// The same of a node that may be marked.
static ALWAYS_INLINE struct list_node *list_behind(const struct list_node *node)
{
	return (struct list_node *)(load(&node->next, relaxed) & ~LIST_MARK);
}

static ALWAYS_INLINE void list_set_next(struct list_node *node, struct list_node *next)
{
	store(&node->next, (uintptr_t)next, relaxed);
}

// An empty list. Returns 0 or a positive errno.
static inline int list_init(struct list *l, const struct lock_class *lock,
	const struct lock_team *team, unsigned workers)
{
	l->lock = lock;
	l->team = team;
	l->head = NULL;
	int rc = nodes_init(&l->nodes, sizeof(struct list_node) + (lock ? lock->size : 0), workers);
	if (rc)
		return rc;
	struct list_node *head = list_make(l, 0, 0, 0), *tail = list_make(l, 0, LIST_TAIL, 0);
	if (head && tail) {
		list_set_next(head, tail);
		l->head = head;
		return 0;
	}
	if (head)
		list_free(l, 0, head);
	if (tail)
		list_free(l, 0, tail);
	return ENOMEM;
}

// Nodes made by list_make, in ascending order of their keys: all of an empty list's content.
static inline void list_fill(struct list *l, struct list_node *const *node, unsigned count)
{
	struct list_node *last = l->head, *tail = list_next(last);
	for (unsigned i = 0; i < count; i++) {
		list_set_next(last, node[i]);
		last = node[i];
	}
	list_set_next(last, tail);
}

// All workers at rest; also after a list_init that failed.
static inline void list_fini(struct list *l)
{
	if (!l->nodes.worker)
		return;
	for (struct list_node *node = l->head, *next; node; node = next) {
		next = list_behind(node);
		list_free(l, 0, node);
	}
	l->head = NULL;
	nodes_fini(&l->nodes);
}

// Counts the keys and adds them up, at rest. False: the list is out of order, or holds a key twice,
// or a node that was removed.
static inline bool list_content(const struct list *l, uint64_t *count, uint64_t *sum)
{
	const struct list_node *node = list_next(l->head);
	bool sound = true;
	*count = *sum = 0;
	for (; node->key != (uint32_t)LIST_TAIL; node = list_behind(node)) {
		sound &= node->key < list_behind(node)->key;
		sound &= !(load(&node->next, relaxed) & LIST_MARK); /* relaxed: at rest */
		++*count;
		*sum += node->key;
	}
	return sound;
}

/* The sequential program. */

// The first node whose key is not below this one, and the node before it.
static ALWAYS_INLINE struct list_node *list_seek(
	const struct list *l, uint32_t key, struct list_node **before)
{
	struct list_node *prev = l->head, *node = list_next(prev);
	while (node->key < key) {
		prev = node;
		node = list_next(node);
	}
	*before = prev;
	return node;
}

// What the request asks for at its place, by a worker that alone may change both nodes. Who removes
// a node frees it. True: it took effect.
static ALWAYS_INLINE bool list_change(struct list *l, unsigned worker, struct request *q,
	struct list_node *prev, struct list_node *node)
{
	bool found = node->key == q->key;
	if (q->verb == REQUEST_INSERT) {
		struct list_node *made = found ? NULL : list_make(l, worker, q->key, q->value);
		if (!made)
			return false; /* present, or no memory */
		list_set_next(made, node);
		/* release; pairs with L0: the node's content happens before it is found */
		store(&prev->next, (uintptr_t)made, release);
		return true;
	}
	if (!found)
		return false;
	q->value = node->value;
	if (q->verb == REQUEST_REMOVE) /* release, as above: for the node behind */
		store(&prev->next, (uintptr_t)list_behind(node), release);
	return true;
}

static ALWAYS_INLINE bool list_request(struct list *l, struct request *q)
{
	struct list_node *prev, *node = list_seek(l, q->key, &prev);
	bool done = list_change(l, 0, q, prev, node);
	if (done && q->verb == REQUEST_REMOVE)
		list_free(l, 0, node);
	return done;
}

/* For those who read while others write. */

// As list_seek, over removed nodes too; for a scheme of reclamation that protects all that is
// found. The mark is taken off only where there is one: that keeps the hop to one load.
static ALWAYS_INLINE struct list_node *list_pass(
	const struct list *l, uint32_t key, struct list_node **before)
{
	struct list_node *prev = l->head, *node = prev;
	for (;;) {
		uintptr_t link = load(&node->next, acquire); /* L0: pairs with the release */
		if (__builtin_expect(link & LIST_MARK, 0)) {
			link &= ~LIST_MARK;
			keep_in_register(link); /* else compilers always take it off */
		}
		prev = node;
		node = (struct list_node *)link;
		if (node->key >= key)
			break;
	}
	*before = prev;
	return node;
}

static ALWAYS_INLINE bool list_removed(const struct list_node *node)
{
	return load(&node->next, acquire) & LIST_MARK; /* L0 */
}
