// SPDX-License-Identifier: BSD-2-Clause
// A sorted list without locks: a removal marks the node's own link, so that nothing can be linked
// behind it, and then unlinks it; whoever meets a marked node on the way unlinks it. Lookups pass
// over marked nodes and are wait-free, but with hazard pointers unlink as changes do (lock-free).
// Source: T. Harris, A pragmatic implementation of non-blocking linked-lists, 2001; M. Michael,
// High performance dynamic lock-free hash tables and list-based sets, 2002.
#pragma once

#include "list.h"
#include "reclaim.h"

// The first node whose key is not below this one, and the node before it; neither was marked.
// Slots 0, 1, 2 hold in turn prev, node, and what node links to. A link without a mark says that
// its node was linked, and so was the one behind, when protect read the link again.
static ALWAYS_INLINE struct list_node *list_lockfree_seek(const struct reclaim_class *scheme,
	const struct list *l, struct reclaim_worker *me, uint32_t key, struct list_node **before)
{
again:;
	struct list_node *prev = l->head;
	unsigned slot = 0; /* node's */
	struct list_node *node = (struct list_node *)scheme->protect(me, 0, &prev->next);
	for (;;) {
		unsigned behind = slot == 2 ? 0 : slot + 1;
		uintptr_t link = scheme->protect(me, behind, &node->next);
		if (__builtin_expect(link & LIST_MARK, 0)) {
			uintptr_t seen = (uintptr_t)node;
			/* F0: release; pairs with L0. Fails if prev was marked, too. */
			if (!compare_exchange(
				    &prev->next, &seen, link & ~LIST_MARK, release, relaxed))
				goto again;
			scheme->retire(me, node);
			link = scheme->protect(me, slot, &prev->next);
			if (link & LIST_MARK)
				goto again;
			node = (struct list_node *)link;
			continue;
		}
		if (node->key >= key)
			break;
		prev = node;
		node = (struct list_node *)link;
		slot = behind;
	}
	*before = prev;
	return node;
}

static ALWAYS_INLINE bool list_lockfree_lookup(const struct reclaim_class *scheme,
	const struct list *l, struct reclaim_worker *me, struct request *q)
{
	struct list_node *prev, *node;
	if (scheme->validates)
		node = list_lockfree_seek(scheme, l, me, q->key, &prev);
	else
		node = list_pass(l, q->key, &prev);
	if (node->key != q->key || list_removed(node))
		return false;
	q->value = node->value;
	return true;
}

static ALWAYS_INLINE bool list_lockfree_insert(const struct reclaim_class *scheme, struct list *l,
	struct reclaim_worker *me, const struct request *q)
{
	struct list_node *made = NULL;
	for (;;) {
		struct list_node *prev, *node = list_lockfree_seek(scheme, l, me, q->key, &prev);
		uintptr_t seen = (uintptr_t)node;
		if (node->key == q->key) {
			if (made) /* never linked */
				list_free(l, me->index, made);
			return false;
		}
		if (!made)
			made = list_make(l, me->index, q->key, q->value);
		if (!made)
			return false; /* no memory */
		list_set_next(made, node);
		/* F1: release; pairs with L0: the node's content happens before it is found */
		if (compare_exchange(&prev->next, &seen, (uintptr_t)made, release, relaxed))
			return true;
	}
}

static ALWAYS_INLINE bool list_lockfree_remove(const struct reclaim_class *scheme, struct list *l,
	struct reclaim_worker *me, struct request *q)
{
	for (;;) {
		struct list_node *prev, *node = list_lockfree_seek(scheme, l, me, q->key, &prev);
		uintptr_t seen = (uintptr_t)node;
		if (node->key != q->key)
			return false;
		uintptr_t link = load(&node->next, relaxed); /* relaxed: F2 reads it again */
		/* F2: acquire and release; pairs with L0: removed, by this worker, from here on */
		if (link & LIST_MARK ||
			!compare_exchange(&node->next, &link, link | LIST_MARK, acq_rel, relaxed))
			continue;
		q->value = node->value;
		/* F3: release, as F0; where it fails somebody else unlinks it, at the latest here
		 */
		if (compare_exchange(&prev->next, &seen, link, release, relaxed))
			scheme->retire(me, node);
		else
			list_lockfree_seek(scheme, l, me, q->key, &prev);
		return true;
	}
}

// One operation, between the scheme's enter and leave.
static ALWAYS_INLINE bool list_lockfree_request(const struct reclaim_class *scheme, struct list *l,
	struct reclaim_worker *me, struct request *q)
{
	switch (q->verb) {
	case REQUEST_INSERT:
		return list_lockfree_insert(scheme, l, me, q);
	case REQUEST_REMOVE:
		return list_lockfree_remove(scheme, l, me, q);
	default:
		return list_lockfree_lookup(scheme, l, me, q);
	}
}
