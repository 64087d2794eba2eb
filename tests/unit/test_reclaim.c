// SPDX-License-Identifier: BSD-2-Clause
// Reclamation: what is held is not freed, what nobody holds is, each node once, and garbage stays
// within its bound; with fences at each announcement and without. And the memory of nodes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "structures/nodes.h"
#include "structures/reclamation.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { HANG_S = 250, CELLS = 8, WORKERS_MOST = 4, MANY = 40000 };

/* Things that remember what happened to them: their memory is not used again. */

struct thing {
	_Atomic unsigned freed;
	_Atomic unsigned alive;
};

struct world {
	struct reclaim r;
	_Atomic uintptr_t cell[CELLS];
	struct thing *thing;
	_Atomic unsigned made, retired, freed, most; // most: retired and not freed
	_Atomic unsigned dead;                       // things that were freed while they were held
	_Atomic int step;
};

static void thing_free(void *context, unsigned worker, void *node)
{
	struct world *w = context;
	struct thing *t = node;
	(void)worker;
	store(&t->alive, 0, seq_cst);
	fetch_add(&t->freed, 1, seq_cst);
	fetch_add(&w->freed, 1, seq_cst);
}

static void world_begin(
	struct world *w, const struct reclaim_class *class, unsigned workers, bool asymmetric)
{
	memset(w, 0, sizeof *w);
	assert_int_equal(reclaim_init(&w->r, class, workers, thing_free, w), 0);
	if (!asymmetric)
		assert_int_equal(reclaim_set_asymmetric(&w->r, false), 0);
	w->thing = calloc((size_t)MANY * (workers + 1), sizeof *w->thing);
	assert_non_null(w->thing);
	for (unsigned i = 0; i < CELLS; i++) {
		struct thing *t = &w->thing[w->made++];
		t->alive = 1;
		w->cell[i] = (uintptr_t)t;
	}
}

// All that was retired must have been freed by now, once, and nothing else.
static void world_end(struct world *w)
{
	reclaim_fini(&w->r);
	unsigned wrong = 0;
	for (unsigned i = 0; i < w->made; i++) {
		bool linked = false;
		for (unsigned j = 0; j < CELLS; j++)
			linked |= w->cell[j] == (uintptr_t)&w->thing[i];
		wrong += w->thing[i].freed != !linked;
	}
	free(w->thing);
	assert_int_equal(wrong, 0);
	assert_int_equal(w->freed, w->retired);
}

// One operation: replaces what a cell holds by a new thing.
static void replace(struct world *w, struct reclaim_worker *me, unsigned cell)
{
	const struct reclaim_class *class = w->r.class;
	class->enter(me);
	uintptr_t old = class->protect(me, 0, &w->cell[cell]);
	class->hold(me, 3, (void *)old);
	if (!load(&((struct thing *)old)->alive, seq_cst))
		fetch_add(&w->dead, 1, seq_cst);
	struct thing *new = &w->thing[fetch_add(&w->made, 1, seq_cst)];
	store(&new->alive, 1, seq_cst);
	if (compare_exchange(&w->cell[cell], &old, (uintptr_t) new, seq_cst, seq_cst)) {
		unsigned retired = fetch_add(&w->retired, 1, seq_cst) + 1;
		class->retire(me, (void *)old);
		unsigned garbage = retired - load(&w->freed, seq_cst);
		if (garbage > load(&w->most, seq_cst) && garbage < MANY)
			store(&w->most, garbage, seq_cst);
	} else {
		store(&new->alive, 0, seq_cst); /* never linked: as good as freed */
		store(&new->freed, 1, seq_cst);
	}
	class->leave(me);
}

static void churn(struct world *w, unsigned worker, unsigned first_cell, unsigned operations)
{
	struct reclaim_worker *me = &w->r.worker[worker];
	w->r.class->online(me);
	for (unsigned i = 0; i < operations; i++)
		replace(w, me, first_cell + i % (CELLS - first_cell));
	w->r.class->offline(me);
}

// What a worker's garbage never exceeds while nobody is slow, and hazard pointers' whoever is.
static unsigned bound(const struct world *w)
{
	return 3 * (unsigned)w->r.batch + w->r.workers * (RECLAIM_SLOTS + RECLAIM_MOVES);
}

/* The schemes, and one that is broken. */

#define LISTED(NAME, ...) &NAME##_reclaim,
static const struct reclaim_class *const schemes[] = {FOR_EACH_RECLAIM(LISTED, )};

static void at_once(struct reclaim_worker *me, void *node)
{
	me->domain->free(me->domain->context, me->index, node);
}

static bool ours(const struct reclaim_class *class)
{
	return strncmp(class->name, "urcu", 4) != 0;
}

// Calls a claim for each scheme, where it is ours with asymmetric fences and without.
static void for_each_scheme(void (*claim)(const struct reclaim_class *class, bool asymmetric))
{
	for (size_t i = 0; i < COUNT(schemes); i++)
		for (int asymmetric = ours(schemes[i]) ? 0 : 1; asymmetric < 2; asymmetric++)
			claim(schemes[i], asymmetric);
}

static void reach(struct world *w, int step)
{
	store(&w->step, step, seq_cst);
}

static bool reached(struct world *w, int step, int within_ms)
{
	for (int ms = 0; load(&w->step, seq_cst) < step; ms++) {
		if (ms == within_ms)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return true;
}

/* A node is held by worker 0 while worker 1 retires it and many others. */

enum { HELD = 1, CHURNED, LEFT };

static void *churn_beside_a_holder(void *world)
{
	struct world *w = world;
	reached(w, HELD, INT32_MAX);
	churn(w, 1, 0, 1);
	churn(w, 1, 1, MANY / 2); /* a scheme may wait in here until the holder has left */
	reach(w, CHURNED);
	return NULL;
}

// Whether the node was freed while it was held. Afterwards it must be freed soon.
static bool freed_while_held(const struct reclaim_class *class, bool asymmetric)
{
	static struct world w;
	pthread_t other;
	world_begin(&w, class, 2, asymmetric);
	assert_int_equal(pthread_create(&other, NULL, churn_beside_a_holder, &w), 0);
	struct reclaim_worker *me = &w.r.worker[0];
	class->online(me);
	class->enter(me);
	struct thing *held = (struct thing *)class->protect(me, 2, &w.cell[0]);
	reach(&w, HELD);
	reached(&w, CHURNED, 100);
	bool freed = load(&held->freed, seq_cst);
	class->leave(me);
	class->offline(me);
	pthread_join(other, NULL);
	churn(&w, 1, 1, bound(&w));
	assert_int_equal(held->freed, 1);
	world_end(&w);
	return freed;
}

static void held_is_not_freed(const struct reclaim_class *class, bool asymmetric)
{
	if (freed_while_held(class, asymmetric))
		fail_msg("%s, %d: a node was freed that a worker held", class->name, asymmetric);
}

static void a_held_node_is_freed_when_it_is_left_and_not_before(void **state)
{
	(void)state;
	for_each_scheme(held_is_not_freed);
}

static void a_scheme_that_frees_at_once_is_caught(void **state)
{
	(void)state;
	struct reclaim_class hasty = epoch_reclaim;
	hasty.retire = at_once;
	assert_true(freed_while_held(&hasty, false));
}

/* A node that wanders through the slots while it is retired. */

static void *churn_for_long(void *world)
{
	struct world *w = world;
	struct reclaim_worker *me = &w->r.worker[1];
	w->r.class->online(me);
	/* Where nodes are not moved but wait for workers, and each look for a whole round, few do.
	 */
	for (unsigned i = 0; i < (w->r.class->validates ? MANY : MANY / 40); i++)
		replace(w, me, i % CELLS);
	w->r.class->offline(me);
	reach(w, CHURNED);
	return NULL;
}

static void wandering_is_not_freed(const struct reclaim_class *class, bool asymmetric)
{
	static struct world w;
	pthread_t other;
	world_begin(&w, class, 2, asymmetric);
	reclaim_set_batch(&w.r, 8);
	assert_int_equal(pthread_create(&other, NULL, churn_for_long, &w), 0);
	struct reclaim_worker *me = &w.r.worker[0];
	unsigned dead = 0, rounds = 0;
	class->online(me);
	while (load(&w.step, seq_cst) < CHURNED) {
		class->enter(me);
		struct thing *held = (struct thing *)class->protect(me, 1, &w.cell[0]);
		for (unsigned i = 0; i < 30000; i++) {
			class->hold(me, 0, held); /* down, */
			class->protect(me, 1, &w.cell[1]);
			class->hold(me, 40, held); /* far up, */
			class->protect(me, 0, &w.cell[2]);
			class->hold(me, 1, held); /* and back */
			class->protect(me, 40, &w.cell[3]);
			dead += !load(&held->alive, relaxed); /* relaxed: any time will do */
		}
		class->leave(me);
		rounds++;
	}
	class->offline(me);
	pthread_join(other, NULL);
	world_end(&w);
	if (dead)
		fail_msg("%s, %d: freed while it was moved from slot to slot, %u times in %u "
			 "rounds",
			class->name, asymmetric, dead, rounds);
}

static void a_node_stays_held_while_it_moves_from_slot_to_slot(void **state)
{
	(void)state;
	for_each_scheme(wandering_is_not_freed);
}

/* Workers that all replace. */

struct churner {
	struct world *w;
	unsigned worker;
};

static void *churn_in_batches(void *churner)
{
	struct churner *c = churner;
	for (unsigned i = 0; i < 100; i++)
		churn(c->w, c->worker, 0, MANY / 100);
	return NULL;
}

static void each_is_freed_once(const struct reclaim_class *class, bool asymmetric)
{
	static struct world w;
	struct churner churner[WORKERS_MOST];
	pthread_t thread[WORKERS_MOST];
	world_begin(&w, class, WORKERS_MOST, asymmetric);
	for (unsigned i = 0; i < WORKERS_MOST; i++) {
		churner[i] = (struct churner){&w, i};
		assert_int_equal(
			pthread_create(&thread[i], NULL, churn_in_batches, &churner[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS_MOST; i++)
		pthread_join(thread[i], NULL);
	unsigned dead = w.dead, early = w.freed;
	world_end(&w);
	if (dead || !early)
		fail_msg("%s, %d: %u found freed, %u freed before the end", class->name, asymmetric,
			dead, early);
}

static void every_retired_node_is_freed_once(void **state)
{
	(void)state;
	for_each_scheme(each_is_freed_once);
}

/* Garbage. */

static void offline_holds_nothing_up(const struct reclaim_class *class, bool asymmetric)
{
	static struct world w;
	world_begin(&w, class, 3, asymmetric);
	struct reclaim_worker *idle = &w.r.worker[0];
	class->online(idle);
	class->enter(idle);
	class->protect(idle, 0, &w.cell[0]);
	class->leave(idle);
	class->offline(idle);
	churn(&w, 1, 0, MANY);
	unsigned most = w.most, limit = bound(&w);
	world_end(&w);
	if (most > limit)
		fail_msg("%s, %d: %u nodes of garbage, not at most %u", class->name, asymmetric,
			most, limit);
}

static void garbage_is_bounded_whoever_is_offline(void **state)
{
	(void)state;
	for_each_scheme(offline_holds_nothing_up);
}

static void hazard_pointers_bound_garbage_though_a_worker_stays_inside(void **state)
{
	(void)state;
	static struct world w;
	for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
		world_begin(&w, &hazard_reclaim, 2, asymmetric);
		struct reclaim_worker *inside = &w.r.worker[0];
		hazard_reclaim.online(inside);
		hazard_reclaim.enter(inside);
		for (unsigned i = 0; i < CELLS; i++)
			hazard_reclaim.protect(inside, i, &w.cell[i]);
		churn(&w, 1, 0, MANY);
		assert_in_range(w.most, 1, bound(&w));
		assert_in_range(w.retired - w.freed, CELLS, bound(&w));
		hazard_reclaim.offline(inside); /* which leaves nothing published */
		churn(&w, 1, 0, (unsigned)w.r.batch + CELLS);
		for (unsigned i = 0; i < CELLS; i++)
			assert_int_equal(w.thing[i].freed, 1);
		world_end(&w);
	}
}

static void epochs_wait_for_a_worker_that_stays_inside(void **state)
{
	(void)state;
	static struct world w;
	world_begin(&w, &epoch_reclaim, 2, false);
	epoch_reclaim.enter(&w.r.worker[0]);
	churn(&w, 1, 0, MANY);
	assert_int_equal(w.freed, 0);
	epoch_reclaim.leave(&w.r.worker[0]);
	churn(&w, 1, 0, 3 * (unsigned)w.r.batch);
	assert_in_range(w.retired - w.freed, 0, bound(&w));
	world_end(&w);
}

/* Nodes. */

enum { NODE_SIZE = 40, NODES = 5000 };

static size_t chunks(const struct nodes *n)
{
	size_t count = 0;
	for (const struct nodes_chunk *c = n->chunks; c; c = c->next)
		count++;
	return count;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
	return (x > y) - (x < y);
}

static void nodes_in_use_do_not_overlap(void **state)
{
	(void)state;
	static uintptr_t node[NODES];
	struct nodes n;
	assert_int_equal(nodes_init(&n, NODE_SIZE, 2), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < NODES; i++) {
			node[i] = (uintptr_t)nodes_get(&n, i % 2);
			assert_int_equal(node[i] % 16, 0);
			memset((void *)node[i], (int)i, NODE_SIZE);
		}
		qsort(node, NODES, sizeof *node, by_address);
		for (unsigned i = 1; i < NODES; i++)
			assert_true(node[i] - node[i - 1] >= NODE_SIZE);
		for (unsigned i = 0; i < NODES; i++)
			nodes_put(&n, (i + round) % 2, (void *)node[i]);
	}
	nodes_fini(&n);
}

static void what_one_worker_gets_and_another_puts_goes_round(void **state)
{
	(void)state;
	if (NODES_MALLOC) {
		print_message("nodes come from malloc where a sanitizer is at work\n");
		skip();
	}
	static void *node[NODES_BATCH];
	struct nodes n;
	assert_int_equal(nodes_init(&n, NODE_SIZE, 2), 0);
	for (unsigned round = 0; round < 1000; round++) {
		for (unsigned i = 0; i < NODES_BATCH; i++)
			node[i] = nodes_get(&n, 0);
		for (unsigned i = 0; i < NODES_BATCH; i++)
			nodes_put(&n, 1, node[i]);
	}
	/* A batch in use, and of each worker at most one kept and one begun. */
	assert_in_range(
		chunks(&n) * NODES_CHUNK, 1, 5 * NODES_BATCH * (NODE_SIZE + 15) + NODES_CHUNK);
	nodes_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_node_is_freed_when_it_is_left_and_not_before),
		cmocka_unit_test(a_scheme_that_frees_at_once_is_caught),
		cmocka_unit_test(a_node_stays_held_while_it_moves_from_slot_to_slot),
		cmocka_unit_test(every_retired_node_is_freed_once),
		cmocka_unit_test(garbage_is_bounded_whoever_is_offline),
		cmocka_unit_test(hazard_pointers_bound_garbage_though_a_worker_stays_inside),
		cmocka_unit_test(epochs_wait_for_a_worker_that_stays_inside),
		cmocka_unit_test(nodes_in_use_do_not_overlap),
		cmocka_unit_test(what_one_worker_gets_and_another_puts_goes_round),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
