// SPDX-License-Identifier: BSD-2-Clause
// A sorted list that is walked without locks: only a change locks the nodes it changes, and then
// looks whether they are still what the walk found. A removed node is marked before it is unlinked.
// Lookups are wait-free (with hazard pointers they begin anew at a removed node).
// Source: S. Heller et al., A lazy concurrent list-based set algorithm, 2005.
#pragma once

#include "list.h"
#include "reclaim.h"

// With hazard pointers: slots 0 and 1 hold the two nodes. A link without a mark says that its node
// was linked, and so was the one behind, when protect read the link again.
static __attribute__((noinline, unused)) struct list_node *list_lazy_validated(
	const struct list *l, struct reclaim_worker *me, uint32_t key, struct list_node **before)
{
	const struct reclaim_class *scheme = me->domain->class;
	struct list_node *prev = l->head;
	unsigned slot = 0;
	for (;;) {
		uintptr_t link = scheme->protect(me, slot, &prev->next);
		if (link & LIST_MARK) { /* its remover holds locks, and will be done soon */
			prev = l->head;
			continue;
		}
		struct list_node *node = (struct list_node *)link;
		if (node->key >= key) {
			*before = prev;
			return node;
		}
		prev = node;
		slot ^= 1;
	}
}

// Not inlined: one text for all locks.
static __attribute__((noinline, unused)) struct list_node *list_lazy_seek(
	const struct list *l, struct reclaim_worker *me, uint32_t key, struct list_node **before)
{
	if (me->domain->class->validates)
		return list_lazy_validated(l, me, key, before);
	return list_pass(l, key, before);
}

// Both are linked, in this order, and stay so: prev is locked.
static ALWAYS_INLINE bool list_lazy_valid(
	const struct list_node *prev, const struct list_node *node)
{
	/* relaxed: written by those who hold prev's lock; a mark would make it differ */
	return load(&prev->next, relaxed) == (uintptr_t)node;
}

// The change itself. False: the place is not what the walk found. Sets *done to its success.
static ALWAYS_INLINE bool list_lazy_change(const struct lock_class *lock, struct list *l,
	struct reclaim_worker *me, struct lock_node own[2], struct request *q,
	struct list_node *prev, struct list_node *node, bool *done)
{
	bool remove = q->verb == REQUEST_REMOVE, valid;
	lock->acquire(list_lock(prev), &own[0]);
	if (remove) /* of two nodes the one with the smaller key is locked first */
		lock->acquire(list_lock(node), &own[1]);
	valid = list_lazy_valid(prev, node);
	if (valid && remove) /* L1: release; pairs with L0: removed from here on */
		store(&node->next, (uintptr_t)list_next(node) | LIST_MARK, release);
	if (valid)
		*done = list_change(l, me->index, q, prev, node);
	if (remove)
		lock->release(list_lock(node), &own[1]);
	lock->release(list_lock(prev), &own[0]);
	return valid;
}

// One operation, between the scheme's enter and leave.
static ALWAYS_INLINE bool list_lazy_request(const struct lock_class *lock, struct list *l,
	struct reclaim_worker *me, struct lock_node own[2], struct request *q)
{
	for (;;) {
		struct list_node *prev, *node = list_lazy_seek(l, me, q->key, &prev);
		bool found = node->key == q->key, removed = found && list_removed(node), done;
		if (q->verb == REQUEST_LOOKUP) {
			if (found && !removed)
				q->value = node->value;
			return found && !removed;
		}
		/* What can be seen without a lock needs none. A removed node of this key is
		 * unlinked in a moment. */
		if (q->verb == REQUEST_INSERT ? found && !removed : !found || removed)
			return false;
		if (!removed && list_lazy_change(lock, l, me, own, q, prev, node, &done)) {
			if (done && q->verb == REQUEST_REMOVE)
				reclaim_retire(me, node);
			return done;
		}
		cpu_relax();
	}
}
