// SPDX-License-Identifier: BSD-2-Clause
// Sorted structures do what a plain array does, in every variant and with every scheme of
// reclamation; and a few threads on very few keys lose nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { HANG_S = 250, WORKERS_MOST = 4, PARAMS_MOST = 8 };

static const char *const schemes[] = {"epoch", "hazard", "qsbr"};

struct setting {
	const char *name, *value;
};

// One variant with its state, and workers that this test drives itself.
struct subject {
	struct input input;
	const char *values[PARAMS_MOST];
	struct worker *workers[WORKERS_MOST];
	uint64_t done[WORKERS_MOST];
	struct lock_team team;
	struct run run;
};

static void *zeroed(size_t size)
{
	size = (size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	void *memory = aligned_alloc(LINE_PAIR, size);
	assert_non_null(memory);
	return memset(memory, 0, size);
}

static void make(struct subject *s, const struct kernel *k, const struct variant *v,
	const struct setting *set, size_t count, unsigned workers)
{
	*s = (struct subject){.input = {.params = k->params, .values = s->values},
		.team = {.workers = workers, .spare_pu = -1}};
	for (size_t i = 0; k->params[i].name; i++) {
		s->values[i] = k->params[i].value;
		for (size_t j = 0; j < count; j++)
			if (strcmp(set[j].name, k->params[i].name) == 0)
				s->values[i] = set[j].value;
	}
	if (k->prepare(&s->input))
		fail_msg("%s: %s", k->name, s->input.error);
	s->run = (struct run){.kernel = k,
		.variant = v,
		.input = &s->input,
		.workers = s->workers,
		.count = workers,
		.team = &s->team,
		.state = zeroed(k->state_size)};
	for (unsigned i = 0; i < workers; i++) {
		struct worker *w = s->workers[i] = zeroed(sizeof *w);
		*w = (struct worker){
			.index = i, .count = workers, .own = zeroed(k->own_size), .lock = v->lock};
		w->node[0].worker = w->node[1].worker = i;
	}
	assert_int_equal(k->create(&s->run), 0);
}

static void unmake(struct subject *s)
{
	const struct lock_class *lock = s->run.variant->lock;
	s->run.kernel->destroy(&s->run);
	for (unsigned i = 0; i < s->run.count; i++) {
		for (unsigned j = 0; lock && lock->retire && j < 2; j++)
			lock->retire(&s->workers[i]->node[j]);
		free(s->workers[i]->own);
		free(s->workers[i]);
	}
	free(s->run.state);
	s->run.kernel->unprepare(&s->input);
}

static bool broken_on_purpose(const struct variant *v)
{
	return v->lock && strncmp(v->lock->name, "twin", 4) == 0;
}

static uint64_t draw(uint64_t *random)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return *random >> 33;
}

// All variants of a kernel, with one scheme where there is a lock, with each where there is none.
static void for_each_variant(const char *kernel,
	void (*test)(const struct kernel *k, const struct variant *v, const char *scheme))
{
	const struct kernel *k = catalog_kernel(kernel);
	assert_non_null(k);
	for (size_t i = 0; i < k->variant_count; i++) {
		const struct variant *v = &k->variants[i];
		bool common = !v->lock || strcmp(v->lock->name, "mutex") == 0;
		for (size_t j = 0; j < (common ? COUNT(schemes) : 1) && !broken_on_purpose(v); j++)
			test(k, v, schemes[j]);
	}
}

static unsigned workers_of(const struct variant *v, unsigned most)
{
	return STRATEGY_IS(v, "sequential") ? 1 : most;
}

/* Maps. */

enum { MAP_KEYS = 48, MAP_OPERATIONS = 30000 };

static void same_as_a_table(const struct kernel *k, const struct variant *v, const char *scheme)
{
	const struct setting set[] = {{"keys", "24"}, {"mix", "0/50/50"}, {"reclamation", scheme}};
	struct subject s;
	uint64_t value[MAP_KEYS] = {0}, random = 1;
	make(&s, k, v, set, COUNT(set), workers_of(v, 2));
	assert_int_equal(v->model, MODEL_MAP);
	for (unsigned key = 1; key < MAP_KEYS; key++) {
		struct operation op = {VERB_LOOKUP, key, 0};
		if (v->operate(s.run.state, s.workers[0], &op))
			value[key] = op.value;
		if (value[key] && value[key] != key)
			fail_msg("%s: a first key with another's value", v->strategy);
	}
	for (unsigned i = 1; i < MAP_OPERATIONS; i++) {
		uint64_t key = 1 + draw(&random) % (MAP_KEYS - 1);
		struct operation op = {(enum verb)(draw(&random) % 3), key, i};
		bool done = v->operate(s.run.state, s.workers[draw(&random) % s.run.count], &op);
		bool expected = op.verb == VERB_INSERT ? !value[key] : value[key] != 0;
		if (done != expected || (done && op.verb != VERB_INSERT && op.value != value[key]))
			fail_msg("%s/%s/%s, %s: operation %u", k->name, v->strategy,
				v->lock ? v->lock->name : "-", scheme, i);
		if (done && op.verb != VERB_LOOKUP)
			value[key] = op.verb == VERB_INSERT ? i : 0;
	}
	unmake(&s);
}

static void every_set_does_what_a_table_does(void **state)
{
	(void)state;
	for_each_variant("set", same_as_a_table);
}

static void every_skip_list_does_what_a_table_does(void **state)
{
	(void)state;
	for_each_variant("skiplist", same_as_a_table);
}

/* Priority queues. */

enum { QUEUE_MOST = 512, QUEUE_OPERATIONS = 20000 };

static const struct setting empty_at_first = {"items", "0"};

// The place of the smallest of some keys, or of any that is wanted.
static unsigned place_of(const uint64_t *key, unsigned count, uint64_t wanted)
{
	unsigned at = 0;
	for (unsigned i = 1; i < count; i++)
		at = wanted ? (key[i] == wanted ? i : at) : (key[i] < key[at] ? i : at);
	return at;
}

// Distinct keys go in; the smallest comes out, or any of a bag's.
static void same_as_an_array(const struct kernel *k, const struct variant *v, const char *scheme)
{
	const struct setting set[] = {empty_at_first, {"reclamation", scheme}};
	struct subject s;
	uint64_t key[QUEUE_MOST], random = 2;
	unsigned count = 0, put = 0;
	make(&s, k, v, set, COUNT(set), workers_of(v, 2));
	for (unsigned i = 0; i < QUEUE_OPERATIONS || count; i++) {
		struct worker *w = s.workers[draw(&random) % s.run.count];
		bool insert = i < QUEUE_OPERATIONS && count < QUEUE_MOST &&
			      draw(&random) % 16 < (i / 1024 % 2 ? 6 : 10);
		uint64_t made = 1 + (++put * (uint64_t)7919) % ((1 << 30) - 35);
		struct operation op = {VERB_REMOVE, 0, 0};
		if (insert)
			op = (struct operation){VERB_INSERT, made, made};
		bool done = v->operate(s.run.state, w, &op);
		if (done != (insert || count))
			fail_msg("%s/%s, %s: operation %u", k->name, v->strategy, scheme, i);
		if (insert)
			key[count++] = made;
		if (insert || !done)
			continue;
		unsigned at = place_of(key, count, v->model == MODEL_BAG ? op.value : 0);
		if (key[at] != op.value || op.key != op.value)
			fail_msg("%s/%s, %s: removal %u gave a wrong key", k->name, v->strategy,
				scheme, i);
		key[at] = key[--count];
	}
	struct operation nothing = {VERB_REMOVE, 0, 0};
	assert_false(v->operate(s.run.state, s.workers[0], &nothing));
	unmake(&s);
}

static void every_priority_queue_gives_its_smallest_key_and_a_bag_each(void **state)
{
	(void)state;
	for_each_variant("pqueue", same_as_an_array);
}

/* Threads. */

struct thread {
	struct subject *s;
	unsigned index;
	uint64_t until;
};

static void *batches(void *argument)
{
	struct thread *t = argument;
	const struct run *r = &t->s->run;
	do
		t->s->done[t->index] += r->variant->batch(r->state, r->workers[t->index], 32);
	while (clock_ns() < t->until);
	return NULL;
}

static void run_threads(struct subject *s, unsigned ms)
{
	struct thread thread[WORKERS_MOST];
	pthread_t id[WORKERS_MOST];
	for (unsigned i = 0; i < s->run.count; i++) {
		thread[i] = (struct thread){s, i, clock_ns() + ms * (uint64_t)1000000};
		assert_int_equal(pthread_create(&id[i], NULL, batches, &thread[i]), 0);
	}
	for (unsigned i = 0; i < s->run.count; i++)
		pthread_join(id[i], NULL);
}

// Locks that sleep or yield suffice: threads outnumber PUs here.
static bool patient(const struct variant *v)
{
	return !v->lock || strcmp(v->lock->name, "mutex") == 0;
}

static void few_keys(const struct kernel *k, const struct variant *v, const char *scheme)
{
	static const char *const keys[] = {"4", "40"};
	if (!patient(v))
		return;
	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct setting set[] = {{"keys", keys[i]}, {"items", keys[i]},
			{"mix", "10/45/45"}, {"reclamation", scheme}};
		struct subject s;
		make(&s, k, v, set, COUNT(set), workers_of(v, WORKERS_MOST));
		run_threads(&s, 100);
		if (k->check(&s.run, s.done) != 0)
			fail_msg("%s/%s, %s, %s keys: operations were lost", k->name, v->strategy,
				scheme, keys[i]);
		unmake(&s);
	}
}

static void threads_on_few_keys_of_a_set_lose_nothing(void **state)
{
	(void)state;
	for_each_variant("set", few_keys);
}

static void threads_on_few_keys_of_a_skip_list_lose_nothing(void **state)
{
	(void)state;
	for_each_variant("skiplist", few_keys);
}

static void threads_on_few_items_of_a_priority_queue_lose_nothing(void **state)
{
	(void)state;
	for_each_variant("pqueue", few_keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_does_what_a_table_does),
		cmocka_unit_test(every_skip_list_does_what_a_table_does),
		cmocka_unit_test(every_priority_queue_gives_its_smallest_key_and_a_bag_each),
		cmocka_unit_test(threads_on_few_keys_of_a_set_lose_nothing),
		cmocka_unit_test(threads_on_few_items_of_a_priority_queue_lose_nothing),
		cmocka_unit_test(threads_on_few_keys_of_a_skip_list_lose_nothing),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
