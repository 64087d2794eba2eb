// SPDX-License-Identifier: BSD-2-Clause
// Every queue gives back what was put in, in order, once: alone, where its rings wrap around and
// its segments end, full, empty, and between threads.
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
#include "kernel.h"

// A thread that waits for ever ends the program by SIGALRM.
enum { HANG_S = 250, WORKERS_MOST = 3, PARAMS_MOST = 8 };

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { EACH = 3000 }; // items of each thread
#else
enum { EACH = 40000 };
#endif

struct opened {
	const char *values[PARAMS_MOST];
	struct input input;
	struct lock_team team;
	struct run run;
	struct worker worker[WORKERS_MOST];
	struct worker *workers[WORKERS_MOST];
};

static const struct kernel *kernel(void)
{
	return catalog_kernel("queue");
}

static void open_queue(struct opened *o, const struct variant *v, unsigned workers,
	const char *items, const char *scheme)
{
	const struct kernel *k = kernel();
	memset(o, 0, sizeof *o);
	for (size_t i = 0; k->params[i].name; i++)
		o->values[i] = strcmp(k->params[i].name, "items") == 0         ? items
			       : strcmp(k->params[i].name, "reclamation") == 0 ? scheme
									       : k->params[i].value;
	o->input.params = k->params;
	o->input.values = o->values;
	o->team = (struct lock_team){.workers = workers, .spare_pu = -1};
	o->run = (struct run){.kernel = k,
		.variant = v,
		.input = &o->input,
		.workers = o->workers,
		.count = workers,
		.team = &o->team};
	assert_int_equal(k->prepare(&o->input), 0);
	for (unsigned i = 0; i < workers; i++) {
		struct worker *w = o->workers[i] = &o->worker[i];
		w->index = w->node[0].worker = w->node[1].worker = i;
		w->count = workers;
		w->lock = v->lock;
		w->own = calloc(1, k->own_size);
		assert_non_null(w->own);
	}
	size_t size = (k->state_size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	o->run.state = aligned_alloc(LINE_PAIR, size);
	assert_non_null(o->run.state);
	memset(o->run.state, 0, size);
	assert_int_equal(k->create(&o->run), 0);
}

static void close_queue(struct opened *o)
{
	o->run.kernel->destroy(&o->run);
	free(o->run.state);
	for (unsigned i = 0; i < o->run.count; i++) {
		struct worker *w = o->workers[i];
		if (w->lock && w->lock->retire)
			for (unsigned j = 0; j < 2; j++)
				w->lock->retire(&w->node[j]);
		free(w->own);
	}
	o->run.kernel->unprepare(&o->input);
}

static bool put(struct opened *o, unsigned worker, uint64_t value)
{
	struct operation op = {.verb = VERB_INSERT, .value = value};
	return o->run.variant->operate(o->run.state, o->workers[worker], &op);
}

// 0: the queue was empty.
static uint64_t take(struct opened *o, unsigned worker)
{
	struct operation op = {.verb = VERB_REMOVE};
	return o->run.variant->operate(o->run.state, o->workers[worker], &op) ? op.value : 0;
}

static bool is(const struct opened *o, const char *strategy)
{
	return STRATEGY_IS(o->run.variant, strategy);
}

static bool bounded(const struct opened *o)
{
	return is(o, "lock-free-ring") || is(o, "ck-ring");
}

static void must_give(struct opened *o, unsigned worker, uint64_t value)
{
	uint64_t found = take(o, worker);
	if (found != value)
		fail_msg("queue/%s gave %llu instead of %llu", o->run.variant->strategy,
			(unsigned long long)found, (unsigned long long)value);
}

/* Each variant, with a few of the locks, under each scheme where it makes a difference. */

static void for_each(
	unsigned workers, const char *items, bool threads, void (*test)(struct opened *o))
{
	static const char *const schemes[] = {"epoch", "hazard", "qsbr"};
	const struct kernel *k = kernel();
	for (size_t i = 0; i < k->variant_count; i++) {
		const struct variant *v = &k->variants[i];
		const char *lock = v->lock ? v->lock->name : "mutex";
		/* Threads that share a PU would hand the fair ones over once a time slice. */
		bool chosen = strcmp(lock, "mutex") == 0 || strcmp(lock, "ttas") == 0;
		if (!chosen && (threads || (strcmp(lock, "mcs") && strcmp(lock, "combining"))))
			continue;
		if (workers > 1 && STRATEGY_IS(v, "sequential"))
			continue;
		bool frees = STRATEGY_IS(v, "lock-free") || STRATEGY_IS(v, "lock-free-faa");
		for (size_t j = 0; j < (frees ? 3 : 1); j++) {
			struct opened o;
			open_queue(&o, v, workers, items, schemes[j]);
			test(&o);
			close_queue(&o);
		}
	}
}

/* One thread. */

static void keeps_order(struct opened *o)
{
	uint64_t in = 0, out = 0;
	for (int round = 0; round < 3; round++) {
		must_give(o, 0, 0);
		while (in - out < 1000)
			assert_true(put(o, 0, ++in));
		/* Around rings and over the ends of segments, at every length on the way down. */
		for (uint64_t length = 1000; length > 0; length--) {
			for (int i = 0; i < 5; i++) {
				must_give(o, 0, ++out);
				assert_true(put(o, 0, ++in));
			}
			must_give(o, 0, ++out);
		}
		must_give(o, 0, 0);
		must_give(o, 0, 0);
		for (int i = 0; i < 2000; i++) {
			assert_true(put(o, 0, ++in));
			must_give(o, 0, ++out);
			must_give(o, 0, 0);
		}
	}
}

static void items_come_out_as_they_went_in(void **state)
{
	(void)state;
	for_each(1, "0", false, keeps_order);
}

static void holds_many_or_says_full(struct opened *o)
{
	for (int round = 0; round < 2; round++) {
		uint64_t in = 0, out = 0;
		while (in < 100000 && put(o, 0, in + 1))
			in++;
		if (bounded(o)) {
			assert_in_range(in, 1024, 99999);
			assert_false(put(o, 0, 1));
			must_give(o, 0, ++out);
			assert_true(put(o, 0, ++in));
			assert_false(put(o, 0, 1));
		} else {
			assert_int_equal(in, 100000);
		}
		while (out < in)
			must_give(o, 0, ++out);
		must_give(o, 0, 0);
	}
}

static void queues_hold_any_number_of_items_or_say_that_they_are_full(void **state)
{
	(void)state;
	for_each(1, "0", false, holds_many_or_says_full);
}

static void holds_its_first_items(struct opened *o)
{
	unsigned found = 0;
	while (take(o, 0))
		found++;
	assert_int_equal(found, 3000);
}

static void a_queue_starts_with_as_many_items_as_were_asked_for(void **state)
{
	(void)state;
	for_each(1, "3000", false, holds_its_first_items);
	for_each(3, "3000", false, holds_its_first_items);
}

static void finds_what_others_put(struct opened *o)
{
	for (uint64_t i = 1; i <= 1000; i++) {
		assert_true(put(o, 1, i));
		must_give(o, i % 3 ? 0 : 2, i);
		must_give(o, 2, 0);
	}
	for (uint64_t i = 1; i <= 1000; i++)
		assert_true(put(o, 2, i));
	for (uint64_t i = 1; i <= 1000; i++)
		must_give(o, (unsigned)i % 3, i);
	must_give(o, 1, 0);
}

static void what_one_worker_puts_another_takes(void **state)
{
	(void)state;
	for_each(3, "0", false, finds_what_others_put);
}

static void no_item_waits_for_ever_in_the_relaxed_queue(void **state)
{
	(void)state;
	struct opened o;
	open_queue(&o, catalog_variant(kernel(), "relaxed", ""), 3, "0", "epoch");
	unsigned rounds = 0;
	assert_true(put(&o, 2, 7));
	do
		assert_true(put(&o, 0, 100));
	while (take(&o, 0) != 7 && ++rounds < 10000);
	assert_in_range(rounds, 1, 1000);
	close_queue(&o);
}

/* What the kernel's own check is worth. */

static void the_check_finds_lost_doubled_and_exchanged_items(void **state)
{
	(void)state;
	struct opened o;
	const struct variant *v = catalog_variant(kernel(), "sequential", "");
	open_queue(&o, v, 1, "10", "epoch");
	uint64_t done = v->batch(o.run.state, o.workers[0], 101);
	assert_int_equal(done, 101);
	assert_int_equal(kernel()->check(&o.run, &done), 0);
	uint64_t item = take(&o, 0);
	assert_int_equal(kernel()->check(&o.run, &done), 1); /* lost */
	assert_true(put(&o, 0, item + 1));
	assert_int_equal(kernel()->check(&o.run, &done), 1); /* another one */
	assert_true(put(&o, 0, item));
	assert_int_equal(kernel()->check(&o.run, &done), 1); /* one too many */
	close_queue(&o);
}

/* Threads: worker i's items are i * EACH + 1 .. (i + 1) * EACH. */

struct crowd {
	struct opened *o;
	atomic_uint next_index, ready, taken;
	atomic_uchar seen[WORKERS_MOST * EACH + 1];
	atomic_uint disorder;
	bool split; // worker 0 puts, the others take
};

static void note(struct crowd *c, uint64_t last[], uint64_t item)
{
	unsigned maker = (unsigned)((item - 1) / EACH);
	if (item > (uint64_t)c->o->run.count * EACH) {
		fetch_add(&c->disorder, 1, relaxed);
		return;
	}
	if (item <= last[maker])
		fetch_add(&c->disorder, 1, relaxed);
	last[maker] = item;
	fetch_add(&c->seen[item], 1, relaxed);
	fetch_add(&c->taken, 1, relaxed);
}

static void *member(void *crowd)
{
	struct crowd *c = crowd;
	unsigned me = fetch_add(&c->next_index, 1, relaxed);
	unsigned makers = c->split ? 1 : c->o->run.count;
	uint64_t last[WORKERS_MOST] = {0}, made = me < makers ? 0 : EACH, item;
	fetch_add(&c->ready, 1, seq_cst);
	while (load(&c->ready, seq_cst) < c->o->run.count)
		sched_yield();
	while (load(&c->taken, relaxed) < makers * EACH) {
		/* A yield now and then: also where the threads share a PU they meet. */
		bool puts = made < EACH;
		if (puts && put(c->o, me, me * EACH + made + 1) && ++made % 64 == 0)
			sched_yield();
		if (c->split && me == 0)
			continue;
		if ((item = take(c->o, me)))
			note(c, last, item);
		else if (!puts)
			sched_yield();
	}
	return NULL;
}

static void crowd_through(struct opened *o, bool split)
{
	static struct crowd c;
	pthread_t thread[WORKERS_MOST];
	memset(&c, 0, sizeof c);
	c.o = o;
	c.split = split;
	for (unsigned i = 0; i < o->run.count; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, member, &c), 0);
	for (unsigned i = 0; i < o->run.count; i++)
		pthread_join(thread[i], NULL);
	if (load(&c.disorder, relaxed))
		fail_msg("queue/%s: %u items out of order", o->run.variant->strategy,
			load(&c.disorder, relaxed));
	for (unsigned i = 1; i <= (split ? 1 : o->run.count) * EACH; i++)
		if (load(&c.seen[i], relaxed) != 1)
			fail_msg("queue/%s: item %u came %u times", o->run.variant->strategy, i,
				load(&c.seen[i], relaxed));
	for (unsigned i = 0; i < o->run.count; i++)
		must_give(o, i, 0);
}

static void all_do_both(struct opened *o)
{
	crowd_through(o, false);
}

static void one_puts_others_take(struct opened *o)
{
	crowd_through(o, true);
}

static void each_item_reaches_one_thread_and_those_of_one_maker_in_order(void **state)
{
	(void)state;
	for_each(2, "0", true, all_do_both);
	for_each(3, "0", true, all_do_both);
	for_each(2, "0", true, one_puts_others_take);
	for_each(3, "0", true, one_puts_others_take);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_as_they_went_in),
		cmocka_unit_test(queues_hold_any_number_of_items_or_say_that_they_are_full),
		cmocka_unit_test(a_queue_starts_with_as_many_items_as_were_asked_for),
		cmocka_unit_test(what_one_worker_puts_another_takes),
		cmocka_unit_test(no_item_waits_for_ever_in_the_relaxed_queue),
		cmocka_unit_test(the_check_finds_lost_doubled_and_exchanged_items),
		cmocka_unit_test(each_item_reaches_one_thread_and_those_of_one_maker_in_order),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
