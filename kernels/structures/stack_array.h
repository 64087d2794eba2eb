// SPDX-License-Identifier: BSD-2-Clause
// A stack in an array that doubles when it is full: for one worker, or under a lock. A push and a
// pop touch one element and the count. No order of memory: the lock's, or none.
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "atomic.h"

struct stack_array {
	uint64_t *value;
	size_t count, room;
};

static inline int stack_array_init(struct stack_array *s, size_t room)
{
	s->count = 0;
	s->room = room ? room : 1;
	s->value = malloc(s->room * sizeof *s->value);
	return s->value ? 0 : ENOMEM;
}

// Also after a stack_array_init that failed.
static inline void stack_array_fini(struct stack_array *s)
{
	free(s->value);
	s->value = NULL;
}

static __attribute__((noinline, unused)) bool stack_array_grow(struct stack_array *s)
{
	uint64_t *more = realloc(s->value, 2 * s->room * sizeof *more);
	if (!more)
		return false;
	s->value = more;
	s->room *= 2;
	return true;
}

// False: no memory.
static ALWAYS_INLINE bool stack_array_push(struct stack_array *s, uint64_t value)
{
	if (s->count == s->room && !stack_array_grow(s))
		return false;
	s->value[s->count++] = value;
	return true;
}

// False: empty.
static ALWAYS_INLINE bool stack_array_pop(struct stack_array *s, uint64_t *value)
{
	if (!s->count)
		return false;
	*value = s->value[--s->count];
	return true;
}
