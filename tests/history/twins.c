// SPDX-License-Identifier: BSD-2-Clause
// None waits between the two steps that should be one: that they fail in moments is the recorder's
// doing.
#include <pthread.h>
#include <string.h>

#include "twins.h"

enum { ROOM = 4096, KEYS = 8, NONE = 0, WORKERS_MOST = 8 };

struct node {
	_Atomic uint32_t next; // index; NONE: none
	_Atomic uint32_t value;
};

struct shelf {
	pthread_mutex_t mutex;
	bool broken;
	_Atomic uint32_t values; // in use of `value`, or behind the last
	_Atomic uint32_t first;
	_Atomic uint32_t value[ROOM];
	_Atomic uint64_t top; // count << 32 | index
	struct node node[ROOM];
};

struct own {
	uint32_t free; // nodes, linked by next
	uint32_t fresh;
	unsigned calls, seen_at[KEYS];
	uint32_t seen[KEYS];
	uint32_t value[ROOM / 4], values;
};

// Accesses under the mutex, and those that are racy on purpose.
static uint32_t get(_Atomic uint32_t *p)
{
	return load(p, seq_cst);
}

static void set(_Atomic uint32_t *p, uint32_t value)
{
	store(p, value, seq_cst);
}

static int create(struct run *r)
{
	struct shelf *s = r->state;
	s->broken = STRATEGY_IS(r->variant, "broken");
	return pthread_mutex_init(&s->mutex, NULL);
}

static void destroy(struct run *r)
{
	struct shelf *s = r->state;
	pthread_mutex_destroy(&s->mutex);
}

/* Treiber's stack whose nodes are used again at once. Mended: the top bears a count (IBM 1983). */

// The last but one that came back: the last would be put back on what it lay on.
static uint32_t node_get(struct shelf *s, struct worker *w)
{
	struct own *own = w->own;
	uint32_t youngest = own->free;
	uint32_t node = youngest ? get(&s->node[youngest].next) : NONE;
	if (node == NONE)
		return 1 + w->index * (ROOM / WORKERS_MOST - 1) + own->fresh++;
	set(&s->node[youngest].next, get(&s->node[node].next));
	return node;
}

static uint64_t top_of(const struct shelf *s, uint64_t old, uint32_t node)
{
	return (s->broken ? 0 : (old >> 32) + 1) << 32 | node;
}

static void stack_push(struct shelf *s, struct worker *w, uint32_t value)
{
	uint32_t node = node_get(s, w);
	uint64_t old = load(&s->top, seq_cst);
	set(&s->node[node].value, value);
	do
		set(&s->node[node].next, (uint32_t)old);
	while (!compare_exchange(&s->top, &old, top_of(s, old, node), seq_cst, seq_cst));
}

static bool stack_pop(struct shelf *s, struct worker *w, uint64_t *value)
{
	struct own *own = w->own;
	uint64_t old = load(&s->top, seq_cst);
	uint32_t next;
	do {
		if ((uint32_t)old == NONE)
			return false;
		next = get(&s->node[(uint32_t)old].next);
	} while (!compare_exchange(&s->top, &old, top_of(s, old, next), seq_cst, seq_cst));
	*value = get(&s->node[(uint32_t)old].value);
	set(&s->node[(uint32_t)old].next, own->free);
	own->free = (uint32_t)old;
	return true;
}

static bool aba_stack(void *state, struct worker *w, struct operation *op)
{
	if (op->verb == VERB_REMOVE)
		return stack_pop(state, w, &op->value);
	stack_push(state, w, (uint32_t)op->value);
	return true;
}

/* A stack that gives the oldest. */

static bool fifo_stack(void *state, struct worker *w, struct operation *op)
{
	struct shelf *s = state;
	(void)w;
	pthread_mutex_lock(&s->mutex);
	uint32_t values = get(&s->values), at = s->broken ? 0 : values - 1;
	bool ok = op->verb == VERB_REMOVE ? values > 0 : values < ROOM;
	if (ok && op->verb == VERB_REMOVE) {
		op->value = get(&s->value[at]);
		memmove(&s->value[at], &s->value[at + 1], (values - 1 - at) * sizeof *s->value);
		set(&s->values, values - 1);
	} else if (ok) {
		set(&s->value[values], (uint32_t)op->value);
		set(&s->values, values + 1);
	}
	pthread_mutex_unlock(&s->mutex);
	return ok;
}

/* A map whose keys share a word that says which are present. An insertion reads it too early. */

static bool lossy_map(void *state, struct worker *w, struct operation *op)
{
	struct shelf *s = state;
	(void)w;
	uint32_t bit = 1u << op->key, early = get(&s->values);
	pthread_mutex_lock(&s->mutex);
	uint32_t now = get(&s->values), there = s->broken ? early & ~bit : now & ~bit;
	bool is_present = now & bit, ok = is_present;
	if (op->verb == VERB_INSERT) {
		ok = !is_present;
		if (ok) {
			set(&s->value[op->key], (uint32_t)op->value);
			set(&s->values, there | bit);
		}
	} else if (is_present) {
		op->value = get(&s->value[op->key]);
		if (op->verb == VERB_REMOVE)
			set(&s->values, now & ~bit);
	}
	pthread_mutex_unlock(&s->mutex);
	return ok;
}

/* A map whose workers remember for some time what they found. */

static bool stale_map(void *state, struct worker *w, struct operation *op)
{
	enum { REMEMBERED = 4 };
	struct shelf *s = state;
	struct own *own = w->own;
	own->calls++;
	if (s->broken && op->verb == VERB_LOOKUP && own->seen[op->key] &&
		own->calls - own->seen_at[op->key] < REMEMBERED) {
		op->value = own->seen[op->key];
		return true;
	}
	pthread_mutex_lock(&s->mutex);
	uint32_t found = get(&s->value[op->key]);
	bool ok = op->verb == VERB_INSERT ? !found : found;
	if (op->verb != VERB_LOOKUP && ok)
		set(&s->value[op->key], op->verb == VERB_INSERT ? (uint32_t)op->value : 0);
	pthread_mutex_unlock(&s->mutex);
	if (op->verb != VERB_INSERT)
		op->value = found;
	own->seen[op->key] = op->verb == VERB_LOOKUP ? found : 0;
	own->seen_at[op->key] = own->calls;
	return ok;
}

/* A queue whose removals take the first value in two steps. */

static bool double_queue(void *state, struct worker *w, struct operation *op)
{
	struct shelf *s = state;
	(void)w;
	bool ok = true;
	if (op->verb == VERB_INSERT) {
		pthread_mutex_lock(&s->mutex);
		uint32_t behind = get(&s->values);
		set(&s->value[behind % ROOM], (uint32_t)op->value);
		set(&s->values, behind + 1);
		pthread_mutex_unlock(&s->mutex);
		return true;
	}
	uint32_t first = get(&s->first);
	do {
		ok = first < get(&s->values);
		op->value = get(&s->value[first % ROOM]);
		if (ok && s->broken)
			set(&s->first, first + 1);
	} while (ok && !s->broken &&
		 !compare_exchange(&s->first, &first, first + 1, seq_cst, seq_cst));
	return ok;
}

/* A queue that calls itself empty where another is at work. */

static bool hasty_queue(void *state, struct worker *w, struct operation *op)
{
	struct shelf *s = state;
	(void)w;
	if (s->broken && op->verb == VERB_REMOVE) {
		if (pthread_mutex_trylock(&s->mutex) != 0)
			return false;
	} else
		pthread_mutex_lock(&s->mutex);
	uint32_t first = get(&s->first), behind = get(&s->values);
	bool ok = op->verb == VERB_INSERT || first < behind;
	if (op->verb == VERB_INSERT) {
		set(&s->value[behind % ROOM], (uint32_t)op->value);
		set(&s->values, behind + 1);
	} else if (ok) {
		op->value = get(&s->value[first % ROOM]);
		set(&s->first, first + 1);
	}
	pthread_mutex_unlock(&s->mutex);
	return ok;
}

/* A bounded queue whose removals count a place as free before they have taken the value: too late
 * for one who finds it full. Broken: the count of free places is one short while one is removed. */

static bool narrow_queue(void *state, struct worker *w, struct operation *op)
{
	enum { PLACES = 4 };
	struct shelf *s = state;
	pthread_mutex_lock(&s->mutex);
	uint32_t first = get(&s->first), behind = get(&s->values), late = (uint32_t)s->top;
	bool ok = op->verb == VERB_INSERT ? behind - first + late < PLACES : first < behind;
	if (ok && op->verb == VERB_INSERT) {
		set(&s->value[behind % PLACES], (uint32_t)op->value);
		set(&s->values, behind + 1);
	} else if (ok) {
		op->value = get(&s->value[first % PLACES]);
		set(&s->first, first + 1);
	}
	if (s->broken)
		s->top = op->verb == VERB_REMOVE && ok && w->index == 1;
	pthread_mutex_unlock(&s->mutex);
	return ok;
}

/* A priority queue in which a worker takes its own smallest, if it has one. */

static unsigned smallest(const uint32_t *value, unsigned values)
{
	unsigned at = 0;
	for (unsigned i = 1; i < values; i++)
		if (value[i] < value[at])
			at = i;
	return at;
}

static bool selfish_queue(void *state, struct worker *w, struct operation *op)
{
	struct shelf *s = state;
	struct own *own = w->own;
	bool ok = true;
	pthread_mutex_lock(&s->mutex);
	uint32_t values = get(&s->values);
	if (op->verb == VERB_INSERT && s->broken && own->values < 2)
		own->value[own->values++] = (uint32_t)op->key;
	else if (op->verb == VERB_INSERT) {
		set(&s->value[values], (uint32_t)op->key);
		set(&s->values, values + 1);
	} else if (own->values) {
		unsigned at = smallest(own->value, own->values);
		op->key = own->value[at];
		own->value[at] = own->value[--own->values];
	} else if ((ok = values > 0)) {
		unsigned at = smallest((uint32_t *)s->value, values);
		op->key = get(&s->value[at]);
		set(&s->value[at], get(&s->value[values - 1]));
		set(&s->values, values - 1);
	}
	pthread_mutex_unlock(&s->mutex);
	return ok;
}

/* A bag that puts a value into a place that was free a moment ago. */

static bool losing_bag(void *state, struct worker *w, struct operation *op)
{
	enum { PLACES = 512 };
	struct shelf *s = state;
	(void)w;
	for (unsigned i = 0; i < PLACES; i++) {
		uint32_t there = get(&s->value[i]);
		if (op->verb == VERB_INSERT ? there : !there)
			continue;
		if (op->verb == VERB_REMOVE) {
			op->value = there;
			if (compare_exchange(&s->value[i], &there, 0, seq_cst, seq_cst))
				return true;
			continue;
		}
		if (s->broken)
			set(&s->value[i], (uint32_t)op->value);
		if (s->broken || compare_exchange(&s->value[i], &there, (uint32_t)op->value,
					 seq_cst, seq_cst))
			return true;
	}
	return false;
}

#define TWIN(NAME, MODEL, OPERATE, WRONG, ...)                                                     \
	{                                                                                          \
		.kernel = {.name = NAME,                                                           \
			.state_size = sizeof(struct shelf),                                        \
			.own_size = sizeof(struct own),                                            \
			.create = create,                                                          \
			.destroy = destroy},                                                       \
		.variant = {{.strategy = "broken", .model = MODEL, .operate = OPERATE},            \
			{.strategy = "mended", .model = MODEL, .operate = OPERATE}},               \
		.wrong = WRONG, __VA_ARGS__                                                        \
	}

const struct twin *twins_all(size_t *count)
{
	static const struct twin all[] = {
		TWIN("aba-stack", MODEL_STACK, aba_stack, ""),
		TWIN("fifo-stack", MODEL_STACK, fifo_stack, "had been inserted after it"),
		TWIN("lossy-map", MODEL_MAP, lossy_map, ""),
		TWIN("stale-map", MODEL_MAP, stale_map, "found"),
		TWIN("double-queue", MODEL_QUEUE, double_queue, ""),
		TWIN("hasty-queue", MODEL_QUEUE, hasty_queue, "found nothing while"),
		TWIN("narrow-queue", MODEL_QUEUE, narrow_queue, "no order", .long_story = true),
		TWIN("selfish-queue", MODEL_PRIORITY_QUEUE, selfish_queue, ""),
		TWIN("losing-bag", MODEL_BAG, losing_bag, "found nothing while"),
	};
	*count = sizeof all / sizeof *all;
	return all;
}
