// SPDX-License-Identifier: BSD-2-Clause
// Every variant of hashmap does what a map does: each operation's result, one worker, against a
// plain array; from a handful of keys to more than a cache holds, so that maps grow on the way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"

enum { HANG_S = 250, PARAMS = 8, WORKERS = 2, ABSENT = 0 };

static const struct kernel *kernel;

static int set_up(void **state)
{
	(void)state;
	kernel = catalog_kernel("hashmap");
	return kernel ? 0 : -1;
}

// One point without its threads: this thread is every worker in turn.
struct bench {
	struct input input;
	const char *values[PARAMS];
	struct lock_team team;
	struct worker *workers[WORKERS];
	struct run run;
	unsigned range;  // of the keys
	uint64_t *plain; // the value of each, or ABSENT
};

static void *zeroed(size_t size)
{
	size = (size + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1);
	void *p = aligned_alloc(LINE_PAIR, size);
	assert_non_null(p);
	return memset(p, 0, size);
}

static void start(struct bench *p, const struct variant *v, const char *keys,
	const char *reclamation, unsigned count)
{
	*p = (struct bench){.team = {.workers = count, .spare_pu = -1}};
	p->input = (struct input){.params = kernel->params, .values = p->values};
	for (size_t i = 0; kernel->params[i].name; i++) {
		const char *name = kernel->params[i].name;
		p->values[i] = !strcmp(name, "keys")          ? keys
			       : !strcmp(name, "reclamation") ? reclamation
							      : kernel->params[i].value;
	}
	assert_int_equal(kernel->prepare(&p->input), 0);
	for (unsigned i = 0; i < count; i++) {
		p->workers[i] = zeroed(sizeof *p->workers[i]);
		p->workers[i]->index = i;
		p->workers[i]->count = count;
		p->workers[i]->own = zeroed(kernel->own_size);
		p->workers[i]->lock = v->lock;
		p->workers[i]->node[0].worker = p->workers[i]->node[1].worker = i;
	}
	p->run = (struct run){.kernel = kernel,
		.variant = v,
		.input = &p->input,
		.workers = p->workers,
		.count = count,
		.team = &p->team,
		.state = zeroed(kernel->state_size)};
	assert_int_equal(kernel->create(&p->run), 0);
}

static void end(struct bench *p)
{
	const uint64_t done[WORKERS] = {0};
	const struct lock_class *lock = p->run.variant->lock;
	assert_int_equal(kernel->check(&p->run, done), 0);
	kernel->destroy(&p->run);
	kernel->unprepare(&p->input);
	for (unsigned i = 0; i < p->run.count; i++) {
		for (unsigned j = 0; lock && lock->retire && j < 2; j++)
			lock->retire(&p->workers[i]->node[j]);
		free(p->workers[i]->own);
		free(p->workers[i]);
	}
	free(p->run.state);
	free(p->plain);
}

static bool operate(struct bench *p, enum verb verb, unsigned key, uint64_t *value)
{
	static unsigned turn;
	struct operation op = {verb, key, *value};
	struct worker *w = p->workers[turn++ % p->run.count];
	bool done = p->run.variant->operate(p->run.state, w, &op);
	*value = op.value;
	return done;
}

// What a fresh map holds: of the keys below range some, each with itself as its value.
static void learn(struct bench *p, unsigned range)
{
	p->range = range;
	p->plain = calloc(range, sizeof *p->plain);
	assert_non_null(p->plain);
	for (unsigned key = 1; key < range; key++) {
		uint64_t value = 0;
		if (operate(p, VERB_LOOKUP, key, &value)) {
			assert_int_equal(value, key);
			p->plain[key] = value;
		}
	}
}

static void expect(struct bench *p, enum verb verb, unsigned key, uint64_t value)
{
	uint64_t before = p->plain[key], got = value;
	bool done = operate(p, verb, key, &got);
	bool should = verb == VERB_INSERT ? before == ABSENT : before != ABSENT;
	if (done != should || (done && got != (verb == VERB_INSERT ? value : before)))
		fail_msg("%s/%s: verb %d of key %u: %d, value %lu; there was %lu",
			p->run.variant->strategy,
			p->run.variant->lock ? p->run.variant->lock->name : "", verb, key, done,
			(unsigned long)got, (unsigned long)before);
	if (done && verb != VERB_LOOKUP)
		p->plain[key] = verb == VERB_INSERT ? value : ABSENT;
}

static void compare(struct bench *p, unsigned operations)
{
	uint64_t random = 88172645463325252u;
	for (unsigned i = 0; i < operations; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		expect(p, (enum verb)(random % 3), 1 + (unsigned)(random >> 33) % (p->range - 1),
			1 + (random >> 8 & 0xffff));
	}
}

// All keys in, twice; all out, twice; all in again.
static void fill_and_empty(struct bench *p)
{
	static const enum verb order[] = {
		VERB_INSERT, VERB_INSERT, VERB_LOOKUP, VERB_REMOVE, VERB_REMOVE, VERB_INSERT};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (unsigned key = 1; key < p->range; key++)
			expect(p, order[i], key, key + i + 1);
}

static unsigned workers_of(const struct variant *v)
{
	return STRATEGY_IS(v, "sequential") ? 1 : WORKERS;
}

// Of the locks one is enough where the map is what is looked at.
static bool chosen(const struct variant *v, bool all_locks)
{
	return v->operate && (all_locks || !v->lock || !strcmp(v->lock->name, "ttas"));
}

static void each_variant(const char *keys, unsigned range, const char *reclamation, bool all_locks,
	unsigned operations)
{
	for (size_t i = 0; i < kernel->variant_count; i++) {
		const struct variant *v = &kernel->variants[i];
		struct bench p;
		if (!chosen(v, all_locks))
			continue;
		start(&p, v, keys, reclamation, workers_of(v));
		learn(&p, range);
		compare(&p, operations);
		fill_and_empty(&p);
		end(&p);
	}
}

static void every_variant_has_a_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < kernel->variant_count; i++) {
		assert_int_equal(kernel->variants[i].model, MODEL_MAP);
		assert_non_null(kernel->variants[i].operate);
	}
}

static void a_map_of_four_keys_is_a_map(void **state)
{
	(void)state;
	each_variant("4", 5, "epoch", true, 5000);
}

static void a_map_of_a_thousand_keys_is_a_map_under_each_scheme(void **state)
{
	(void)state;
	each_variant("1000", 1112, "epoch", false, 15000);
	each_variant("1000", 1112, "hazard", false, 15000);
	each_variant("1000", 1112, "qsbr", false, 15000);
}

static void a_large_map_is_a_map(void **state)
{
	(void)state;
#ifdef CHECKING // slow: large enough to grow several times
	each_variant("20000", 22223, "epoch", false, 15000);
#else
	each_variant("200000", 222223, "epoch", false, 15000);
#endif
}

// A check that cannot fail proves nothing: what it compares is changed behind its back.
static void a_lost_key_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < kernel->variant_count; i++) {
		const struct variant *v = &kernel->variants[i];
		const uint64_t done[WORKERS] = {0};
		struct bench p;
		if (!chosen(v, false))
			continue;
		start(&p, v, "1000", "epoch", workers_of(v));
		struct worker *w = p.workers[0];
		void *own = w->own, *other = zeroed(kernel->own_size);
		struct operation op = {.verb = VERB_REMOVE};
		w->own = other; /* a removal that nobody counts */
		do
			op.key++;
		while (!v->operate(p.run.state, w, &op));
		w->own = own;
		assert_true(kernel->check(&p.run, done) > 0);
		op.verb = VERB_INSERT;
		w->own = other;
		assert_true(v->operate(p.run.state, w, &op));
		w->own = own;
		free(other);
		end(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_variant_has_a_model),
		cmocka_unit_test(a_map_of_four_keys_is_a_map),
		cmocka_unit_test(a_map_of_a_thousand_keys_is_a_map_under_each_scheme),
		cmocka_unit_test(a_large_map_is_a_map),
		cmocka_unit_test(a_lost_key_is_reported),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
