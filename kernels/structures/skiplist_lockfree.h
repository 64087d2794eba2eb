// SPDX-License-Identifier: BSD-2-Clause
// A skip list without locks. A node is in the list from when it is linked on level 0 until its link
// there is marked; a removal marks the node's links from the top down, and any walk for a change
// unlinks what it finds marked. Lock-free; linearizable, the removal of the smallest key too.
// Sources: K. Fraser, Practical lock-freedom, 2004; M. Herlihy & N. Shavit, The art of
// multiprocessor programming, 2008; H. Sundell & P. Tsigas, Fast and lock-free concurrent priority
// queues, 2003.
//
// What makes it safe to free nodes:
// 1. Nobody follows a marked link. A node whose link on a level is not marked is linked there (it
//    was linked from the bottom up, and only marked nodes are unlinked), and so is the one behind.
//    Without this rule a worker could come to a removed node on an upper level, and go down from
//    there to one that was freed since.
// 2. On each level keys ascend strictly, counting marked nodes: nothing is linked in front of a
// node
//    of the same key. So a walk to a key meets every node of that key that is linked.
// 3. A node has two owners: who inserts it, until all its levels are linked or it is found removed,
//    and who removes it. The last of them walks to its key once more, which by 2 unlinks it from
//    every level for good, and retires it.
#pragma once

#include "reclaim.h"
#include "skiplist.h"

// States: how many of the two owners are gone.
enum { SKIPLIST_TWO_OWNERS, SKIPLIST_ONE_OWNER };

// Around a key, on each level: the last node below it and that node's link, unmarked.
struct skiplist_place {
	struct skiplist_node *before[SKIPLIST_LEVELS];
	uintptr_t link[SKIPLIST_LEVELS];
};

// Unlinks what is marked behind `before`, whose link was `link`. False: it is not there any more.
static ALWAYS_INLINE bool skiplist_lockfree_unlink(
	struct skiplist_node *before, unsigned level, uintptr_t link, uintptr_t behind)
{
	/* S0: release; pairs with protect. Fails where before is marked too. */
	return compare_exchange(
		&before->next[level], &link, behind & ~SKIPLIST_MARK, release, relaxed);
}

// Walks one level from *from. Of its three slots one holds the node, one the node before it, and
// one what it links to; the first node is held by the level above. False: begin anew.
static ALWAYS_INLINE bool skiplist_lockfree_level(const struct reclaim_class *scheme,
	const struct skiplist *l, struct reclaim_worker *me, unsigned level, uint64_t key,
	uint64_t prefix, struct skiplist_node **from, uintptr_t *to)
{
	struct skiplist_node *node = *from;
	unsigned slot = 0;
	uintptr_t link = scheme->protect(me, 3 * level, &node->next[level]);
	if (__builtin_expect(link & SKIPLIST_MARK, 0))
		return false;
	for (;;) {
		struct skiplist_node *next = skiplist_node(link);
		uint64_t seen = skiplist_link_prefix(link), found = 0;
		if (__builtin_expect(seen == prefix, 0)) {
			found = skiplist_key(l, next);
			if (found > key)
				break;
		} else if (seen > prefix) {
			break;
		}
		unsigned free_slot = slot == 2 ? 0 : slot + 1;
		uintptr_t behind = scheme->protect(me, 3 * level + free_slot, &next->next[level]);
		if (__builtin_expect(behind & SKIPLIST_MARK, 0)) {
			if (!skiplist_lockfree_unlink(node, level, link, behind))
				return false;
			link = scheme->protect(me, 3 * level + slot, &node->next[level]);
			if (link & SKIPLIST_MARK)
				return false;
			continue;
		}
		if (seen == prefix && found == key)
			break;
		node = next;
		link = behind;
		slot = free_slot;
	}
	*from = node;
	*to = link;
	return true;
}

// Finds a key's place, and unlinks each removed node of that key. True: the key is present, and the
// link of level 0 leads to it.
static ALWAYS_INLINE bool skiplist_lockfree_seek(const struct reclaim_class *scheme,
	const struct skiplist *l, struct reclaim_worker *me, uint64_t key,
	struct skiplist_place *place)
{
	const uint64_t prefix = skiplist_prefix(l, key);
again:;
	struct skiplist_node *node = l->head;
	for (unsigned level = l->levels; level-- > 0;) {
		if (!skiplist_lockfree_level(
			    scheme, l, me, level, key, prefix, &node, &place->link[level]))
			goto again;
		place->before[level] = node;
	}
	/* cppcheck-suppress uninitvar ; there is a level 0 */
	return skiplist_leads_to(l, place->link[0], key);
}

// One owner less. The last one frees the node: rule 3.
static ALWAYS_INLINE void skiplist_lockfree_disown(const struct reclaim_class *scheme,
	struct skiplist *l, struct reclaim_worker *me, struct skiplist_node *node, uint64_t key)
{
	struct skiplist_place place;
	/* S1: acquire and release; pairs with the other owner's: its links, or its marks */
	uint64_t word = fetch_add(&node->word, 1, acq_rel);
	if ((word & SKIPLIST_STATE) != SKIPLIST_ONE_OWNER)
		return;
	skiplist_lockfree_seek(scheme, l, me, key, &place);
	scheme->retire(me, node);
}

static ALWAYS_INLINE bool skiplist_lockfree_lookup(const struct reclaim_class *scheme,
	const struct skiplist *l, struct reclaim_worker *me, uint64_t key, uint64_t *word)
{
	const uint64_t prefix = skiplist_prefix(l, key);
	struct skiplist_node *node = l->head;
	unsigned slot = 0; /* of two: node's is the other one */
	for (int level = (int)l->levels - 1; level >= 0;) {
		uintptr_t link = scheme->protect(me, slot, &node->next[level]);
		if (__builtin_expect(link & SKIPLIST_MARK, 0))
			goto unlink;
		uint64_t seen = skiplist_link_prefix(link);
		struct skiplist_node *next = skiplist_node(link);
		bool right = seen < prefix;
		if (__builtin_expect(seen == prefix, 0)) {
			uint64_t found = load(&next->word, relaxed); /* as skiplist_key */
			if (found >> l->low == key) {
				/* acquire; pairs with S3. A removed one may hide a new one. */
				if (load(&next->next[0], acquire) & SKIPLIST_MARK)
					goto unlink;
				*word = found;
				return true;
			}
			right = found >> l->low < key;
		}
		node = right ? next : node;
		slot ^= right;
		level -= !right;
	}
	return false;
unlink:;
	struct skiplist_place place;
	if (!skiplist_lockfree_seek(scheme, l, me, key, &place))
		return false;
	*word = load(&skiplist_node(place.link[0])->word, relaxed);
	return true;
}

// Links a node on a level above 0. False: it was removed meanwhile.
static ALWAYS_INLINE bool skiplist_lockfree_raise(const struct reclaim_class *scheme,
	struct skiplist *l, struct reclaim_worker *me, struct skiplist_node *made, uint64_t key,
	unsigned level, struct skiplist_place *place)
{
	for (;;) {
		uintptr_t own = load(&made->next[level], relaxed), link = place->link[level];
		if (own & SKIPLIST_MARK)
			return false;
		if (!skiplist_leads_to(l, link, key)) { /* rule 2 */
			/* relaxed: only a removal changes it beside, to a mark */
			if (own != link &&
				!compare_exchange(&made->next[level], &own, link, relaxed, relaxed))
				return false;
			/* S2: release, as S0: the node happens before it is found */
			if (compare_exchange(&place->before[level]->next[level], &link,
				    skiplist_link(l, made, key), release, relaxed))
				return true;
		}
		if (!skiplist_lockfree_seek(scheme, l, me, key, place) ||
			skiplist_node(place->link[0]) != made)
			return false;
	}
}

static ALWAYS_INLINE bool skiplist_lockfree_insert(const struct reclaim_class *scheme,
	struct skiplist *l, struct reclaim_worker *me, uint64_t word)
{
	struct skiplist_node *made = NULL;
	struct skiplist_place place;
	uint64_t key = word >> l->low;
	unsigned height = skiplist_height(l, key);
	uintptr_t seen;
	do {
		if (skiplist_lockfree_seek(scheme, l, me, key, &place)) {
			if (made) /* never linked */
				skiplist_free(l, me->index, made);
			return false;
		}
		if (!made)
			made = skiplist_make(l, me->index,
				word | (height > 1 ? SKIPLIST_TWO_OWNERS : SKIPLIST_ONE_OWNER));
		if (!made)
			return false; /* no memory */
		for (unsigned i = 0; i < height; i++)
			store(&made->next[i], place.link[i], relaxed); /* S2 publishes it */
		seen = place.link[0];
		/* S2: release, as above */
	} while (!compare_exchange(
		&place.before[0]->next[0], &seen, skiplist_link(l, made, key), release, relaxed));
	for (unsigned level = 1; level < height; level++)
		if (!skiplist_lockfree_raise(scheme, l, me, made, key, level, &place))
			break;
	if (height > 1)
		skiplist_lockfree_disown(scheme, l, me, made, key);
	return true;
}

// Marks the links of a node that the caller holds, from the top down. True: it was this worker that
// removed the node.
static ALWAYS_INLINE bool skiplist_lockfree_mark(struct skiplist_node *node, unsigned height)
{
	for (unsigned level = height; level-- > 0;) {
		uintptr_t link = load(&node->next[level], relaxed); /* relaxed: read again below */
		do
			if (link & SKIPLIST_MARK)
				break;
		/* S3: acquire and release: the marks above come before, for whoever sees it */
		while (!compare_exchange_weak(
			&node->next[level], &link, link | SKIPLIST_MARK, acq_rel, relaxed));
		if (level == 0)
			return !(link & SKIPLIST_MARK);
	}
	return false;
}

static ALWAYS_INLINE bool skiplist_lockfree_remove(const struct reclaim_class *scheme,
	struct skiplist *l, struct reclaim_worker *me, uint64_t key, uint64_t *word)
{
	struct skiplist_place place;
	if (!skiplist_lockfree_seek(scheme, l, me, key, &place))
		return false;
	struct skiplist_node *node = skiplist_node(place.link[0]);
	if (!skiplist_lockfree_mark(node, skiplist_height(l, key)))
		return false; /* somebody else removed it just now */
	*word = load(&node->word, relaxed) & ~SKIPLIST_STATE; /* relaxed: held; as skiplist_key */
	skiplist_lockfree_disown(scheme, l, me, node, key);
	return true;
}

// The smallest key. A removed node is never passed, but unlinked: so the one that is taken was the
// first when the head's link was read, and that is when it takes effect.
static ALWAYS_INLINE bool skiplist_lockfree_remove_first(const struct reclaim_class *scheme,
	struct skiplist *l, struct reclaim_worker *me, uint64_t *word)
{
	for (;;) {
		uintptr_t link = scheme->protect(me, 0, &l->head->next[0]);
		struct skiplist_node *node = skiplist_node(link);
		if (!node)
			return false;
		uintptr_t behind = load(&node->next[0], acquire); /* acquire; pairs with S3 */
		uint64_t key = skiplist_key(l, node);
		if (behind & SKIPLIST_MARK) {
			skiplist_lockfree_unlink(l->head, 0, link, behind);
			continue;
		}
		if (!skiplist_lockfree_mark(node, skiplist_height(l, key)))
			continue;
		*word = load(&node->word, relaxed) & ~SKIPLIST_STATE; /* as above */
		skiplist_lockfree_disown(scheme, l, me, node, key);
		return true;
	}
}
