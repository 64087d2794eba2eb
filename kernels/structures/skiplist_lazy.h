// SPDX-License-Identifier: BSD-2-Clause
// A skip list that is walked without locks: a change locks the nodes before its place on each of
// the node's levels, looks whether they still are, and then links or unlinks. Lookups are wait-free
// (with hazard pointers they begin anew at a removed node).
// Source: M. Herlihy, Y. Lev, V. Luchangco & N. Shavit, A simple optimistic skiplist algorithm,
// 2007.
#pragma once

#include "reclaim.h"
#include "skiplist.h"

// States. A node is in the list from LINKED until REMOVED; REMOVED is set under its lock.
enum { SKIPLIST_LINKED = 1, SKIPLIST_REMOVED = 2 };

// Locks that a change holds at once: of nodes before its place, and of the node it removes.
enum { SKIPLIST_LOCKS = SKIPLIST_LEVELS + 1 };

struct skiplist_lazy_place {
	struct skiplist_node *before[SKIPLIST_LEVELS];
	uintptr_t link[SKIPLIST_LEVELS]; // of before: to the first node not below the key
	struct skiplist_node *node;      // of the key; null: none
	int top;                         // the highest level on which it was met
};

static ALWAYS_INLINE bool skiplist_lazy_is(struct skiplist_node *node, unsigned state)
{
	return load(&node->word, acquire) & state; /* Z0: acquire; pairs with Z1 */
}

// Z1: release; pairs with Z0. A plain store: only one worker at a time may change the state.
static ALWAYS_INLINE void skiplist_lazy_set(struct skiplist_node *node, unsigned state)
{
	store(&node->word, load(&node->word, relaxed) | state, release);
}

// Not inlined, nor is lookup: one text for all locks.
// With hazard pointers: two slots a level. A node that is not removed was linked on all levels it
// can be come by, and so was the one behind, when protect read the link again.
static __attribute__((noinline, unused)) bool skiplist_lazy_seek_validated(const struct skiplist *l,
	struct reclaim_worker *me, uint64_t key, struct skiplist_lazy_place *place)
{
	const struct reclaim_class *scheme = me->domain->class;
	const uint64_t prefix = skiplist_prefix(l, key);
	struct skiplist_node *node = l->head;
	unsigned slot = 0;
	place->node = NULL;
	for (int level = (int)l->levels - 1; level >= 0;) {
		uintptr_t link =
			scheme->protect(me, 2 * (unsigned)level + slot, &node->next[level]);
		if (node != l->head && skiplist_lazy_is(node, SKIPLIST_REMOVED))
			return false;
		if (skiplist_is_below(l, link, key, prefix)) {
			node = skiplist_node(link);
			slot ^= 1;
			continue;
		}
		if (!place->node && skiplist_leads_to(l, link, key)) {
			place->node = skiplist_node(link);
			place->top = level;
		}
		place->before[level] = node;
		place->link[level--] = link;
	}
	return true;
}

static __attribute__((noinline, unused)) void skiplist_lazy_seek(const struct skiplist *l,
	struct reclaim_worker *me, uint64_t key, struct skiplist_lazy_place *place)
{
	if (me->domain->class->validates) {
		while (!skiplist_lazy_seek_validated(l, me, key, place))
			cpu_relax();
		return;
	}
	const uint64_t prefix = skiplist_prefix(l, key);
	struct skiplist_node *node = l->head;
	place->node = NULL;
	for (int level = (int)l->levels - 1; level >= 0;) {
		uintptr_t link = load(&node->next[level], acquire); /* Z2: pairs with Z3 */
		bool right = skiplist_is_below(l, link, key, prefix);
		if (!right && !place->node && skiplist_leads_to(l, link, key)) {
			place->node = skiplist_node(link);
			place->top = level;
		}
		place->before[level] = node;
		place->link[level] = link;
		node = right ? skiplist_node(link) : node;
		level -= !right;
	}
}

static ALWAYS_INLINE bool skiplist_lazy_present(struct skiplist_node *node)
{
	return (load(&node->word, acquire) & SKIPLIST_STATE) == SKIPLIST_LINKED; /* Z0 */
}

static __attribute__((noinline, unused)) bool skiplist_lazy_lookup(
	const struct skiplist *l, struct reclaim_worker *me, uint64_t key, uint64_t *word)
{
	struct skiplist_lazy_place place;
	if (me->domain->class->validates) {
		skiplist_lazy_seek(l, me, key, &place);
		if (!place.node || !skiplist_lazy_present(place.node))
			return false;
		*word = load(&place.node->word, relaxed); /* relaxed: read before, by present */
		return true;
	}
	const uint64_t prefix = skiplist_prefix(l, key);
	struct skiplist_node *node = l->head;
	for (int level = (int)l->levels - 1; level >= 0;) {
		uintptr_t link = load(&node->next[level], acquire); /* Z2 */
		uint64_t seen = skiplist_link_prefix(link);
		bool right = seen < prefix;
		if (__builtin_expect(seen == prefix, 0)) {
			uint64_t found = load(&skiplist_node(link)->word, acquire); /* Z0 */
			if (found >> l->low == key) {
				*word = found;
				return (found & SKIPLIST_STATE) == SKIPLIST_LINKED;
			}
			right = found >> l->low < key;
		}
		node = right ? skiplist_node(link) : node;
		level -= !right;
	}
	return false;
}

// Locks the nodes before the place, from the right to the left as all do (neighbouring levels often
// share one), up to the first that is not what the walk found. Returns how many levels are locked.
static ALWAYS_INLINE unsigned skiplist_lazy_lock(const struct lock_class *lock,
	const struct skiplist *l, struct lock_node *own, const struct skiplist_lazy_place *place,
	unsigned height, bool *valid)
{
	*valid = true;
	unsigned level = 0;
	for (; level < height && *valid; level++) {
		struct skiplist_node *before = place->before[level];
		if (level == 0 || before != place->before[level - 1])
			lock->acquire(skiplist_lock(l, before), &own[level]);
		/* relaxed: links are written under this lock */
		*valid = load(&before->next[level], relaxed) == place->link[level] &&
			 (before == l->head || !skiplist_lazy_is(before, SKIPLIST_REMOVED));
	}
	return level;
}

static ALWAYS_INLINE void skiplist_lazy_unlock(const struct lock_class *lock,
	const struct skiplist *l, struct lock_node *own, const struct skiplist_lazy_place *place,
	unsigned levels)
{
	for (unsigned level = levels; level-- > 0;)
		if (level == 0 || place->before[level] != place->before[level - 1])
			lock->release(skiplist_lock(l, place->before[level]), &own[level]);
}

// All of these between the scheme's enter and leave; own: SKIPLIST_LOCKS lock nodes.
static ALWAYS_INLINE bool skiplist_lazy_insert(const struct lock_class *lock, struct skiplist *l,
	struct reclaim_worker *me, struct lock_node *own, uint64_t word)
{
	const uint64_t key = word >> l->low;
	const unsigned height = skiplist_height(l, key);
	for (;; cpu_relax()) {
		struct skiplist_lazy_place place;
		skiplist_lazy_seek(l, me, key, &place);
		if (place.node) { /* one that is on its way in or out will be soon */
			if (skiplist_lazy_present(place.node))
				return false;
			continue;
		}
		bool valid;
		unsigned levels = skiplist_lazy_lock(lock, l, own, &place, height, &valid);
		struct skiplist_node *made = valid ? skiplist_make(l, me->index, word) : NULL;
		for (unsigned i = 0; made && i < height; i++)
			store(&made->next[i], place.link[i], relaxed); /* Z3 publishes it */
		for (unsigned i = 0; made && i < height; i++)
			/* Z3: release; pairs with Z2 */
			store(&place.before[i]->next[i], skiplist_link(l, made, key), release);
		if (made)
			skiplist_lazy_set(made, SKIPLIST_LINKED);
		skiplist_lazy_unlock(lock, l, own, &place, levels);
		if (valid)
			return made;
	}
}

// Locks the node and marks it removed: from here on it belongs to this worker. False: somebody
// else was faster.
static ALWAYS_INLINE bool skiplist_lazy_claim(const struct lock_class *lock,
	const struct skiplist *l, struct lock_node *own, struct skiplist_node *node)
{
	lock->acquire(skiplist_lock(l, node), own);
	if (!skiplist_lazy_is(node, SKIPLIST_REMOVED)) {
		skiplist_lazy_set(node, SKIPLIST_REMOVED);
		return true;
	}
	lock->release(skiplist_lock(l, node), own);
	return false;
}

static ALWAYS_INLINE bool skiplist_lazy_remove(const struct lock_class *lock, struct skiplist *l,
	struct reclaim_worker *me, struct lock_node *own, uint64_t key, uint64_t *word)
{
	const unsigned height = skiplist_height(l, key);
	struct skiplist_lazy_place place;
	skiplist_lazy_seek(l, me, key, &place);
	struct skiplist_node *node = place.node;
	/* One that was not met on its highest level was not wholly in when the walk was there. */
	if (!node || place.top != (int)height - 1 || !skiplist_lazy_present(node) ||
		!skiplist_lazy_claim(lock, l, &own[SKIPLIST_LEVELS], node))
		return false;
	for (bool done = false; !done;) {
		unsigned levels = skiplist_lazy_lock(lock, l, own, &place, height, &done);
		for (unsigned i = 0; i < height; i++)
			done &= skiplist_node(place.link[i]) == node;
		for (unsigned i = height; done && i-- > 0;)
			/* Z3: from the top: whoever comes by a level finds those below */
			store(&place.before[i]->next[i], load(&node->next[i], relaxed), release);
		skiplist_lazy_unlock(lock, l, own, &place, levels);
		if (!done)
			skiplist_lazy_seek(l, me, key, &place);
	}
	*word = load(&node->word, relaxed) & ~SKIPLIST_STATE; /* relaxed: its lock is held */
	lock->release(skiplist_lock(l, node), &own[SKIPLIST_LEVELS]);
	reclaim_retire(me, node);
	return true;
}
