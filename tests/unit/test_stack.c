// SPDX-License-Identifier: BSD-2-Clause
// The stack, the cache and the generators of random numbers by themselves: each stack gives back
// the youngest, whatever its strategy; an exchange aside hands over once; the exact cache evicts in
// the order of use, the approximate one never holds a key twice; the generators are those of their
// authors.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "structures/lru_clock.h"
#include "structures/lru_list.h"
#include "structures/stack_elimination.h"
#include "xoshiro.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { HANG_S = 250, PARAMS_MOST = 32 };

/* A kernel's state for one worker, without a team. */

struct setting {
	const char *name, *value;
};

struct bench {
	struct input input;
	const char *values[PARAMS_MOST];
	struct worker worker;
	struct worker *workers[1];
	struct lock_team team;
	struct run run;
};

static void *zeroed(size_t size)
{
	size = (size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	return memset(aligned_alloc(LINE_PAIR, size), 0, size);
}

static struct bench *bench_create(
	const struct kernel *k, const struct variant *v, const struct setting *set, size_t count)
{
	struct bench *b = zeroed(sizeof *b);
	b->input.params = k->params;
	b->input.values = b->values;
	for (size_t i = 0; k->params && k->params[i].name; i++) {
		b->values[i] = k->params[i].value;
		for (size_t j = 0; j < count; j++)
			if (strcmp(set[j].name, k->params[i].name) == 0)
				b->values[i] = set[j].value;
	}
	if (k->prepare && k->prepare(&b->input) != 0)
		fail_msg("%s: %s", k->name, b->input.error);
	b->worker.count = 1;
	b->worker.own = zeroed(k->own_size);
	b->worker.lock = v->lock;
	b->workers[0] = &b->worker;
	b->team = (struct lock_team){.workers = 1, .spare_pu = -1};
	b->run = (struct run){.kernel = k,
		.variant = v,
		.input = &b->input,
		.workers = b->workers,
		.count = 1,
		.team = &b->team,
		.state = zeroed(k->state_size)};
	assert_int_equal(k->create(&b->run), 0);
	return b;
}

static void bench_destroy(struct bench *b)
{
	const struct kernel *k = b->run.kernel;
	k->destroy(&b->run);
	for (size_t i = 0; b->worker.lock && b->worker.lock->retire && i < 2; i++)
		b->worker.lock->retire(&b->worker.node[i]);
	if (k->unprepare)
		k->unprepare(&b->input);
	free(b->run.state);
	free(b->worker.own);
	free(b);
}

/* The stack. */

static bool push(struct bench *b, uint64_t value)
{
	struct operation op = {.verb = VERB_INSERT, .value = value};
	return b->run.variant->operate(b->run.state, &b->worker, &op);
}

// 0: empty.
static uint64_t pop(struct bench *b)
{
	struct operation op = {.verb = VERB_REMOVE};
	return b->run.variant->operate(b->run.state, &b->worker, &op) ? op.value : 0;
}

static bool broken_on_purpose(const struct variant *v)
{
	return v->lock && strncmp(v->lock->name, "twin", 4) == 0;
}

static void follow_a_model(const struct kernel *k, const struct variant *v, const char *reclamation)
{
	const struct setting set[] = {{"items", "3"}, {"reclamation", reclamation}};
	struct bench *b = bench_create(k, v, set, COUNT(set));
	uint64_t model[2000] = {1, 2, 3}, random = 1;
	size_t count = 3;
	for (uint64_t value = 10; value < 2000; value++) {
		/* more and more of them, then fewer */
		if (splitmix_next(&random) % 5 < (value < 1000 ? 3 : 2)) {
			assert_true(push(b, value));
			model[count++] = value;
		} else {
			uint64_t expected = count ? model[--count] : 0;
			if (pop(b) != expected)
				fail_msg("%s/%s: not the youngest", v->strategy,
					v->lock ? v->lock->name : reclamation);
		}
	}
	while (count)
		assert_int_equal(pop(b), model[--count]);
	assert_int_equal(pop(b), 0);
	assert_int_equal(pop(b), 0);
	bench_destroy(b);
}

static void every_stack_gives_back_the_youngest(void **state)
{
	(void)state;
	const struct kernel *k = catalog_kernel("stack");
	for (size_t i = 0; i < k->variant_count; i++) {
		assert_int_equal(k->variants[i].model, MODEL_STACK);
		if (!broken_on_purpose(&k->variants[i]))
			follow_a_model(k, &k->variants[i], "epoch");
	}
	follow_a_model(k, catalog_variant(k, "lock-free", ""), "hazard");
	follow_a_model(k, catalog_variant(k, "lock-free", ""), "qsbr");
}

static void a_stack_that_lost_or_changed_a_value_is_reported(void **state)
{
	(void)state;
	const struct kernel *k = catalog_kernel("stack");
	for (size_t i = 0; i < k->variant_count; i++) {
		const struct variant *v = &k->variants[i];
		if (v->lock && strcmp(v->lock->name, "ttas") != 0)
			continue;
		struct bench *b = bench_create(k, v, NULL, 0);
		uint64_t done = v->batch(b->run.state, &b->worker, 1001);
		assert_int_equal(done, 1001);
		assert_int_equal(k->check(&b->run, &done), 0);
		uint64_t youngest = pop(b);
		assert_int_equal(k->check(&b->run, &done), 1);
		assert_true(push(b, youngest + 1));
		assert_int_equal(k->check(&b->run, &done), 1);
		assert_int_equal(pop(b), youngest + 1);
		assert_true(push(b, youngest));
		assert_int_equal(k->check(&b->run, &done), 0);
		done++;
		assert_int_equal(k->check(&b->run, &done), 1);
		bench_destroy(b);
	}
}

static void pops_of_an_empty_stack_have_failed_and_do_not_count(void **state)
{
	(void)state;
	const struct setting set[] = {{"items", "0"}, {"burst", "3"}};
	const struct kernel *k = catalog_kernel("stack");
	const struct variant *v = catalog_variant(k, "lock-free", "");
	struct bench *b = bench_create(k, v, set, COUNT(set));
	assert_int_equal(v->batch(b->run.state, &b->worker, 3), 3); /* pushes */
	assert_int_equal(pop(b), ((uint64_t)1 << 40) + 2);
	assert_int_equal(pop(b), ((uint64_t)1 << 40) + 1);
	assert_int_equal(v->batch(b->run.state, &b->worker, 3), 1); /* pops */
	assert_int_equal(b->worker.failed, 2);
	bench_destroy(b);
}

/* Exchanges aside. */

enum { EXCHANGES = 2000 };

struct exchange {
	struct stack_elimination stack;
	unsigned taken[EXCHANGES + 1]; // by number
};

static void *give_all(void *arg)
{
	struct exchange *e = arg;
	for (uint64_t number = 1; number <= EXCHANGES; number++)
		while (!stack_elimination_give(&e->stack, &e->stack.worker[0], number))
			;
	return NULL;
}

static void *take_all(void *arg)
{
	struct exchange *e = arg;
	for (unsigned i = 0; i < EXCHANGES; i++) {
		uint64_t number;
		while (!(number = stack_elimination_take(&e->stack, &e->stack.worker[1])))
			;
		e->taken[number <= EXCHANGES ? number : 0]++;
	}
	return NULL;
}

static void an_exchange_hands_over_exactly_once(void **state)
{
	(void)state;
	struct exchange *e = zeroed(sizeof *e);
	pthread_t giver, taker;
	assert_int_equal(stack_elimination_init(&e->stack, 2), 0);
	assert_int_equal(pthread_create(&giver, NULL, give_all, e), 0);
	assert_int_equal(pthread_create(&taker, NULL, take_all, e), 0);
	pthread_join(giver, NULL);
	pthread_join(taker, NULL);
	assert_int_equal(e->taken[0], 0);
	for (unsigned i = 1; i <= EXCHANGES; i++)
		assert_int_equal(e->taken[i], 1);
	stack_elimination_fini(&e->stack);
	free(e);
}

static void whoever_waits_in_vain_leaves_nothing_behind(void **state)
{
	(void)state;
	struct stack_elimination *s = zeroed(sizeof *s);
	assert_int_equal(stack_elimination_init(s, 1), 0);
	assert_false(stack_elimination_give(s, &s->worker[0], 1));
	assert_int_equal(stack_elimination_take(s, &s->worker[0]), 0);
	assert_int_equal(stack_elimination_take(s, &s->worker[0]), 0);
	assert_false(stack_elimination_give(s, &s->worker[0], 2));
	assert_int_equal(load(&s->slot[0].word, relaxed), STACK_SLOT_EMPTY);
	stack_elimination_fini(s);
	free(s);
}

/* Caches. */

static void the_exact_cache_evicts_in_the_order_of_use(void **state)
{
	(void)state;
	enum { KEYS = 50, GETS = 20000 };
	static const uint32_t capacities[] = {1, 2, 7, 49, 50};
	for (size_t i = 0; i < COUNT(capacities); i++) {
		struct lru_list l;
		uint64_t used[KEYS] = {0}, random = 1, value; /* when last; 0: not there */
		uint32_t count = 0;
		assert_int_equal(lru_list_init(&l, capacities[i]), 0);
		for (uint64_t now = 1; now <= GETS; now++) {
			uint32_t key = splitmix_next(&random) % KEYS, oldest = KEYS;
			bool hit = lru_list_lookup(&l, key, &value);
			assert_int_equal(hit, used[key] != 0);
			if (hit) {
				assert_int_equal(value, key + 1000);
			} else {
				lru_list_insert(&l, key, key + 1000);
				for (uint32_t k = 0; k < KEYS; k++)
					if (used[k] && (oldest == KEYS || used[k] < used[oldest]))
						oldest = k;
				if (count == capacities[i])
					used[oldest] = 0;
				else
					count++;
			}
			used[key] = now;
		}
		assert_int_equal(l.count, capacities[i]);
		lru_list_fini(&l);
	}
}

static bool clock_get(struct lru_clock *c, uint32_t key)
{
	uint32_t value;
	if (!lru_clock_lookup(c, key, &value)) {
		lru_clock_insert(c, key, key * 3);
		return false;
	}
	assert_int_equal(value, key * 3);
	return true;
}

static void what_was_used_gets_a_second_chance(void **state)
{
	(void)state;
	struct lru_clock c;
	assert_int_equal(lru_clock_init(&c, LRU_CLOCK_WAYS), 0);
	for (uint32_t key = 1; key <= LRU_CLOCK_WAYS; key++)
		assert_false(clock_get(&c, key));
	assert_true(clock_get(&c, 1));
	assert_true(clock_get(&c, 3));
	for (uint32_t key = 100; key < 104; key++)
		assert_false(clock_get(&c, key)); /* evict 2, 4, 5, 6 */
	assert_true(clock_get(&c, 1));
	assert_true(clock_get(&c, 3));
	assert_true(clock_get(&c, 7));
	assert_false(clock_get(&c, 2));
	lru_clock_fini(&c);
}

// Of gets where half ask for a tenth of the keys; cache a quarter of all.
static void the_approximate_cache_hits_nearly_as_often_as_the_exact_one(void **state)
{
	(void)state;
	enum { KEYS = 8000, CAPACITY = 2000, GETS = 200000 };
	struct lru_clock c;
	struct lru_list l;
	uint64_t random = 1, value;
	unsigned exact = 0, approximate = 0;
	assert_int_equal(lru_clock_init(&c, CAPACITY), 0);
	assert_int_equal(lru_list_init(&l, CAPACITY), 0);
	for (unsigned i = 0; i < GETS; i++) {
		uint32_t range = splitmix_next(&random) % 2 ? KEYS / 10 : KEYS;
		uint32_t key = splitmix_next(&random) % range;
		approximate += clock_get(&c, key);
		if (lru_list_lookup(&l, key, &value))
			exact++;
		else
			lru_list_insert(&l, key, 0);
	}
	if (approximate < exact * 0.9)
		fail_msg("%u hits where the exact cache has %u", approximate, exact);
	lru_clock_fini(&c);
	lru_list_fini(&l);
}

static int twice(const struct lru_clock *c)
{
	int found = 0;
	for (uint32_t i = 0; i < c->sets; i++)
		for (unsigned a = 0; a < LRU_CLOCK_WAYS; a++)
			for (unsigned b = 0; b < a; b++) {
				uint64_t x = load(&c->set[i].entry[a], relaxed);
				uint64_t y = load(&c->set[i].entry[b], relaxed);
				found += x && y && (x & LRU_CLOCK_KEY) == (y & LRU_CLOCK_KEY);
			}
	return found;
}

// As lru_clock_insert, without its look at the other places.
static bool careless_insert(struct lru_clock *c, uint32_t key, uint32_t value)
{
	struct lru_clock_set *set = lru_clock_set_of(c, key);
	unsigned mine = lru_clock_claim(set, key);
	if (mine == LRU_CLOCK_WAYS)
		return false;
	store(&set->entry[mine], (uint64_t)value << 32 | LRU_CLOCK_WHOLE | key, release);
	return true;
}

static void who_finds_the_key_claimed_or_there_withdraws(void **state)
{
	(void)state;
	struct lru_clock c;
	assert_int_equal(lru_clock_init(&c, LRU_CLOCK_WAYS), 0);
	unsigned way = lru_clock_claim(&c.set[0], 5);
	assert_true(way < LRU_CLOCK_WAYS);
	assert_false(lru_clock_insert(&c, 5, 15));
	assert_int_equal(twice(&c), 0);
	store(&c.set[0].entry[way], (uint64_t)15 << 32 | LRU_CLOCK_WHOLE | 5, release);
	assert_false(lru_clock_insert(&c, 5, 15));
	assert_int_equal(twice(&c), 0);
	assert_true(clock_get(&c, 5));
	assert_true(careless_insert(&c, 5, 15));
	assert_int_equal(twice(&c), 1);
	lru_clock_fini(&c);
}

/* Two threads insert the same keys at the same time, in step with each other. */

enum { ROUNDS = 20000 };

struct inserting {
	struct lru_clock cache;
	bool (*insert)(struct lru_clock *c, uint32_t key, uint32_t value);
	_Atomic unsigned arrived;
};

static void *insert_in_step(void *arg)
{
	struct inserting *in = arg;
	for (uint32_t key = 0; key < ROUNDS; key++) {
		fetch_add(&in->arrived, 1, seq_cst);
		for (unsigned i = 1; load(&in->arrived, seq_cst) < 2 * (key + 1); i++)
			if (i % 1024 == 0)
				sched_yield();
		uint32_t value;
		if (!lru_clock_lookup(&in->cache, key, &value))
			in->insert(&in->cache, key, key * 3);
	}
	return NULL;
}

static int insert_by_two(bool (*insert)(struct lru_clock *c, uint32_t key, uint32_t value))
{
	struct inserting *in = zeroed(sizeof *in);
	pthread_t thread[2];
	in->insert = insert;
	assert_int_equal(lru_clock_init(&in->cache, ROUNDS * LRU_CLOCK_WAYS), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, insert_in_step, in), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	int found = twice(&in->cache);
	lru_clock_fini(&in->cache);
	free(in);
	return found;
}

static void a_key_is_in_the_cache_once_though_two_insert_it(void **state)
{
	(void)state;
	assert_int_equal(insert_by_two(lru_clock_insert), 0);
}

// What the test above is worth.
static void without_a_look_at_the_others_a_key_is_there_twice(void **state)
{
	(void)state;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip();
	int found = 0;
	for (unsigned i = 0; i < 100 && !found; i++)
		found = insert_by_two(careless_insert);
	assert_true(found > 0);
}

/* Random numbers. */

static void the_generators_are_those_of_their_authors(void **state)
{
	(void)state;
	/* The first numbers of the authors' programs. */
	static const uint64_t splitmix[] = {UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
	static const uint64_t xoshiro[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240),
		UINT64_C(1216172134540287360), UINT64_C(607988272756665600),
		UINT64_C(16172922978634559625), UINT64_C(8476171486693032832)};
	uint64_t counter = 1234567;
	struct xoshiro x = {{1, 2, 3, 4}};
	for (size_t i = 0; i < COUNT(splitmix); i++)
		assert_true(splitmix_next(&counter) == splitmix[i]);
	for (size_t i = 0; i < COUNT(xoshiro); i++)
		assert_true(xoshiro_next(&x) == xoshiro[i]);
}

// A step is linear: what it makes of each single bit says what it makes of all. Row i is the state
// that the state of bit i alone becomes.
struct matrix {
	struct xoshiro row[256];
};

static struct xoshiro times(const struct xoshiro *x, const struct matrix *m)
{
	struct xoshiro sum = {{0}};
	for (unsigned bit = 0; bit < 256; bit++)
		if (x->s[bit / 64] >> bit % 64 & 1)
			for (unsigned i = 0; i < 4; i++)
				sum.s[i] ^= m->row[bit].s[i];
	return sum;
}

static void a_jump_is_two_to_the_128_steps(void **state)
{
	(void)state;
	static struct matrix m, square;
	for (unsigned bit = 0; bit < 256; bit++) {
		m.row[bit].s[bit / 64] = (uint64_t)1 << bit % 64;
		xoshiro_next(&m.row[bit]);
	}
	for (unsigned power = 0; power < 128; power++) {
		for (unsigned bit = 0; bit < 256; bit++)
			square.row[bit] = times(&m.row[bit], &m);
		m = square;
	}
	struct xoshiro x;
	xoshiro_seed(&x, 1);
	struct xoshiro far = times(&x, &m);
	xoshiro_jump(&x);
	assert_memory_equal(&x, &far, sizeof x);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void two_workers_streams_have_no_number_in_common(void **state)
{
	(void)state;
	enum { NUMBERS = 1 << 16 };
	static uint64_t number[2 * NUMBERS];
	struct xoshiro a, b;
	xoshiro_seed(&a, 20260101);
	b = a;
	xoshiro_jump(&b);
	for (unsigned i = 0; i < NUMBERS; i++) {
		number[2 * i] = xoshiro_next(&a);
		number[2 * i + 1] = xoshiro_next(&b);
	}
	qsort(number, COUNT(number), sizeof *number, by_value);
	for (size_t i = 1; i < COUNT(number); i++)
		assert_true(number[i] != number[i - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stack_gives_back_the_youngest),
		cmocka_unit_test(a_stack_that_lost_or_changed_a_value_is_reported),
		cmocka_unit_test(pops_of_an_empty_stack_have_failed_and_do_not_count),
		cmocka_unit_test(an_exchange_hands_over_exactly_once),
		cmocka_unit_test(whoever_waits_in_vain_leaves_nothing_behind),
		cmocka_unit_test(the_exact_cache_evicts_in_the_order_of_use),
		cmocka_unit_test(what_was_used_gets_a_second_chance),
		cmocka_unit_test(the_approximate_cache_hits_nearly_as_often_as_the_exact_one),
		cmocka_unit_test(who_finds_the_key_claimed_or_there_withdraws),
		cmocka_unit_test(a_key_is_in_the_cache_once_though_two_insert_it),
		cmocka_unit_test(without_a_look_at_the_others_a_key_is_there_twice),
		cmocka_unit_test(the_generators_are_those_of_their_authors),
		cmocka_unit_test(a_jump_is_two_to_the_128_steps),
		cmocka_unit_test(two_workers_streams_have_no_number_in_common),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
