// SPDX-License-Identifier: BSD-2-Clause
// A heap of 64-bit keys, the smallest first, equal ones in any order; four children a node, side by
// side in half a cache line. Sequential. Source: D. Johnson, Priority queues with update and
// finding minimum spanning trees, 1975.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEAP_ARITY = 4,
	HEAP_ALIGN = HEAP_ARITY * sizeof(uint64_t),
	HEAP_SKIP = HEAP_ARITY - 1, // places before the root, so that children are aligned
	HEAP_LEAST = 61
};

struct heap {
	uint64_t *key; // the root; HEAP_SKIP places into what was allocated. Null: nothing was
	size_t count, room;
};

// Room for so many keys. False: no memory.
static inline bool heap_reserve(struct heap *h, size_t room)
{
	size_t bytes = (room + HEAP_SKIP + HEAP_ARITY) / HEAP_ARITY * HEAP_ALIGN;
	uint64_t *memory = aligned_alloc(HEAP_ALIGN, bytes);
	if (!memory)
		return false;
	if (h->count)
		memcpy(memory + HEAP_SKIP, h->key, h->count * sizeof *h->key);
	if (h->key)
		free(h->key - HEAP_SKIP);
	h->key = memory + HEAP_SKIP;
	h->room = room;
	/* cppcheck-suppress memleak ; key has it, HEAP_SKIP further on */
	return true;
}

static inline void heap_fini(struct heap *h)
{
	if (h->key)
		free(h->key - HEAP_SKIP);
	*h = (struct heap){0};
}

// False: no memory.
static inline bool heap_push(struct heap *h, uint64_t key)
{
	if (h->count == h->room && !heap_reserve(h, h->room ? 2 * h->room : HEAP_LEAST))
		return false;
	size_t hole = h->count++;
	while (hole) {
		size_t parent = (hole - 1) / HEAP_ARITY;
		if (h->key[parent] <= key)
			break;
		h->key[hole] = h->key[parent];
		hole = parent;
	}
	h->key[hole] = key;
	return true;
}

// The smallest of a node's children; of four without a branch that could be mispredicted.
static inline size_t heap_least_child(const struct heap *h, size_t first)
{
	const uint64_t *k = h->key + first;
	if (first + HEAP_ARITY <= h->count) {
		size_t left = k[1] < k[0], right = 2 + (k[3] < k[2]);
		return first + (k[right] < k[left] ? right : left);
	}
	size_t least = first;
	for (size_t i = first + 1; i < h->count; i++)
		least = h->key[i] < h->key[least] ? i : least;
	return least;
}

// False: it is empty.
static inline bool heap_pop(struct heap *h, uint64_t *key)
{
	if (!h->count)
		return false;
	*key = h->key[0];
	uint64_t last = h->key[--h->count];
	size_t hole = 0;
	for (size_t first = 1; first < h->count; first = hole * HEAP_ARITY + 1) {
		size_t least = heap_least_child(h, first);
		if (last <= h->key[least])
			break;
		h->key[hole] = h->key[least];
		hole = least;
	}
	h->key[hole] = last;
	return true;
}

// Counts the keys and adds them up. False: one comes before its parent.
static inline bool heap_content(const struct heap *h, uint64_t *count, uint64_t *sum)
{
	bool sound = true;
	for (size_t i = 0; i < h->count; i++) {
		sound &= i == 0 || h->key[(i - 1) / HEAP_ARITY] <= h->key[i];
		*sum += h->key[i];
	}
	*count += h->count;
	return sound;
}
