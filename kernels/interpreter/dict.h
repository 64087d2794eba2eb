// SPDX-License-Identifier: BSD-2-Clause
// A map from objects to objects, as dictionaries, instances, classes and modules have: an index by
// hash (open addressing) into entries in the order of their first insertion.
// Readers need no lock, also beside a writer: they take a value and look again whether it is still
// there (`map_get`). Writers hold the byte lock of the object that the map is in, where there is no
// interpreter lock. A table that was outgrown stays until the map dies, since a reader may look at
// it; its keys, which no one removes from it, stay with it.
// Cost of a lookup by an interned string or a small integer: one probe, mostly.
// Source: the layout of CPython 3.6 (Hettinger 2012); its lock-free lookup: Gross 2021, PEP 703.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/atomic.h"

struct object;
struct interpreter_thread;

struct entry {
	_Atomic(struct object *) key; // set once
	_Atomic(struct object *) value;
	uint64_t hash;
};

struct table {
	struct table *outgrown; // the one before, where readers may still be
	size_t mask;            // of the index
	size_t room;            // entries
	size_t used;            // entries with a key; the writer's
	atomic_uint *index;     // entry + 1; 0: none
	struct entry entry[];
};

struct map {
	_Atomic(struct table *) table; // null: empty
	atomic_size_t count;           // keys with a value
};

// A new reference, or null where there is none: then *missing, or memory is not the question.
// key is borrowed and hashable. owner: the object whose byte lock guards the map.
struct object *map_get(struct interpreter_thread *t, struct object *owner, struct map *m,
	struct object *key, uint64_t hash);
// Takes references of its own. Returns 0 or ENOMEM. Locks owner where that is needed.
int map_set(struct interpreter_thread *t, struct object *owner, struct map *m, struct object *key,
	uint64_t hash, struct object *value);
// Removes key; its value as a new reference, null: there was none.
struct object *map_remove(struct interpreter_thread *t, struct object *owner, struct map *m,
	struct object *key, uint64_t hash);
// The entry at or after *position that has a value: new references. False at the end.
bool map_next(struct interpreter_thread *t, struct object *owner, struct map *m, size_t *position,
	struct object **key, struct object **value);
// Drops everything. Nobody else looks at it.
void map_fini(struct interpreter_thread *t, struct map *m);
