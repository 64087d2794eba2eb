// SPDX-License-Identifier: BSD-2-Clause
// Maps: see dict.h.
#include "dict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

enum { INDEX_LEAST = 8 };

static struct table *table_create(size_t index)
{
	size_t room = index - index / 4;
	struct table *x = calloc(1, sizeof *x + room * sizeof *x->entry + index * sizeof *x->index);
	if (!x)
		return NULL;
	x->mask = index - 1;
	x->room = room;
	x->index = (atomic_uint *)&x->entry[room];
	return x;
}

static size_t probe_first(const struct table *x, uint64_t hash)
{
	return (size_t)(hash ^ hash >> 32) & x->mask;
}

static bool same_key(
	struct interpreter_thread *t, struct entry *e, struct object *key, uint64_t hash)
{
	/* relaxed: set before the index that led here */
	struct object *k = load(&e->key, relaxed);
	return k == key || (e->hash == hash && object_equal(t, k, key));
}

// The entry of a key, null: there is none. *slot: where in the index it is or would be.
static struct entry *table_find(struct interpreter_thread *t, struct table *x, struct object *key,
	uint64_t hash, size_t *slot)
{
	for (size_t i = probe_first(x, hash);; i = (i + 1) & x->mask) {
		*slot = i;
		unsigned at = load(&x->index[i], acquire); /* A0: acquire; pairs with A1 */
		if (!at)
			return NULL;
		if (same_key(t, &x->entry[at - 1], key, hash))
			return &x->entry[at - 1];
	}
}

static void map_lock(struct interpreter_thread *t, struct object *owner)
{
	if (free_threaded(t))
		byte_lock_acquire(&owner->count.lock);
}

static void map_unlock(struct interpreter_thread *t, struct object *owner)
{
	if (free_threaded(t))
		byte_lock_release(&owner->count.lock);
}

// A reference to what a slot held while the table was the map's, or null: ask under the lock.
// Under an interpreter lock it succeeds at once.
static struct object *entry_try(
	struct interpreter_thread *t, struct map *m, struct table *x, struct entry *e)
{
	struct object *value = load(&e->value, acquire); /* B0: acquire; pairs with B1 */
	if (!value || !object_try_take(t, value))
		return NULL;
	/* B2, C2: acquire: not before the taking. It was in the map after that, so it is what we
	 * hold; relaxed would do for the second */
	if (load(&e->value, acquire) == value && load(&m->table, acquire) == x)
		return value;
	object_drop(t, value);
	return NULL;
}

struct object *map_get(struct interpreter_thread *t, struct object *owner, struct map *m,
	struct object *key, uint64_t hash)
{
	struct table *x = load(&m->table, acquire); /* C0: acquire; pairs with C1 */
	if (!x)
		return NULL;
	size_t slot;
	struct entry *e = table_find(t, x, key, hash, &slot);
	if (!e)
		return NULL;
	struct object *value = entry_try(t, m, x, e);
	if (value || !free_threaded(t))
		return value;
	map_lock(t, owner);
	x = load(&m->table, relaxed); /* relaxed, both: under the lock */
	e = table_find(t, x, key, hash, &slot);
	value = e ? load(&e->value, relaxed) : NULL;
	if (value)
		object_share(t, value);
	map_unlock(t, owner);
	return value;
}

// Under the lock. The new table has what has a value, in the same order.
static struct table *map_grow(struct interpreter_thread *t, struct map *m, struct table *old)
{
	/* relaxed, all: nobody else writes, and the new table is published below */
	size_t count = load(&m->count, relaxed), index = INDEX_LEAST;
	while (index - index / 4 < count + count / 2 + 1)
		index *= 2;
	struct table *x = table_create(index);
	if (!x)
		return NULL;
	for (size_t i = 0; old && i < old->used; i++) {
		struct entry *from = &old->entry[i], *to = &x->entry[x->used];
		struct object *value = load(&from->value, relaxed);
		if (!value)
			continue;
		size_t slot = probe_first(x, from->hash);
		while (load(&x->index[slot], relaxed))
			slot = (slot + 1) & x->mask;
		atomic_init(&to->key, object_taken(t, load(&from->key, relaxed)));
		atomic_init(&to->value, value);
		to->hash = from->hash;
		store(&x->index[slot], (unsigned)++x->used, relaxed);
	}
	x->outgrown = old;
	store(&m->table, x, release); /* C1: release; pairs with C0 */
	return x;
}

static void table_free(struct interpreter_thread *t, struct table *x)
{
	for (size_t i = 0; i < x->used; i++)
		object_drop(t, load(&x->entry[i].key, relaxed)); /* relaxed: nobody else has it */
	free(x);
}

// Under the lock. *was: what is to be dropped after it.
static int map_store(struct interpreter_thread *t, struct map *m, struct object *key, uint64_t hash,
	struct object *value, struct object **was)
{
	struct table *x = load(&m->table, relaxed); /* relaxed, all: under the lock */
	size_t slot, count = load(&m->count, relaxed);
	struct entry *e = x ? table_find(t, x, key, hash, &slot) : NULL;
	object_take(t, value);
	if (e) {
		*was = load(&e->value, relaxed);
		store(&e->value, value, release); /* B1: release; pairs with B0 */
		if (!*was)
			store(&m->count, count + 1, relaxed);
		return 0;
	}
	if (!x || x->used == x->room) {
		struct table *old = x;
		x = map_grow(t, m, old);
		if (!x) {
			*was = value;
			return ENOMEM;
		}
		if (old && !free_threaded(t)) {
			x->outgrown = NULL;
			table_free(t, old);
		}
		table_find(t, x, key, hash, &slot);
	}
	e = &x->entry[x->used];
	e->hash = hash;
	/* relaxed: published by the index */
	store(&e->key, object_taken(t, key), relaxed);
	store(&e->value, value, relaxed);
	store(&m->count, count + 1, relaxed);
	store(&x->index[slot], (unsigned)++x->used, release); /* A1: release; pairs with A0 */
	return 0;
}

int map_set(struct interpreter_thread *t, struct object *owner, struct map *m, struct object *key,
	uint64_t hash, struct object *value)
{
	struct object *was = NULL;
	map_lock(t, owner);
	int rc = map_store(t, m, key, hash, value, &was);
	map_unlock(t, owner);
	if (was)
		object_drop(t, was);
	return rc;
}

struct object *map_remove(struct interpreter_thread *t, struct object *owner, struct map *m,
	struct object *key, uint64_t hash)
{
	struct object *was = NULL;
	map_lock(t, owner);
	struct table *x = load(&m->table, relaxed); /* relaxed, all: under the lock */
	size_t slot;
	struct entry *e = x ? table_find(t, x, key, hash, &slot) : NULL;
	if (e && (was = load(&e->value, relaxed))) {
		store(&e->value, NULL, relaxed); /* relaxed: a reader that sees it reads nothing */
		store(&m->count, load(&m->count, relaxed) - 1, relaxed);
	}
	map_unlock(t, owner);
	return was;
}

bool map_next(struct interpreter_thread *t, struct object *owner, struct map *m, size_t *position,
	struct object **key, struct object **value)
{
	bool found = false;
	map_lock(t, owner);
	struct table *x = load(&m->table, relaxed); /* relaxed, all: under the lock */
	for (; x && *position < x->used && !found; ++*position) {
		struct entry *e = &x->entry[*position];
		*value = load(&e->value, relaxed);
		if (!*value)
			continue;
		found = true;
		*key = object_taken(t, load(&e->key, relaxed));
		object_share(t, *value);
	}
	map_unlock(t, owner);
	return found;
}

void map_fini(struct interpreter_thread *t, struct map *m)
{
	struct table *x = load(&m->table, relaxed), *next; /* relaxed, all: nobody else has it */
	store(&m->table, NULL, relaxed);
	for (size_t i = 0; x && i < x->used; i++) {
		struct object *value = load(&x->entry[i].value, relaxed);
		if (value)
			object_drop(t, value);
	}
	for (; x; x = next) {
		next = x->outgrown;
		table_free(t, x);
	}
}
