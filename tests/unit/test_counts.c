// SPDX-License-Identifier: BSD-2-Clause
// Reference counts of an interpreter's objects among real threads: each object dies once, when its
// last reference is dropped, and no reader meets a dead one; what the thread sanitizer sees too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "kernels/interpreter/counts.h"

enum { THREADS = 4, SLOTS = 4, HELD = 8, OPERATIONS = 60000, DEFERRED = 2, HANG_S = 250 };

struct object {
	struct counted counted; // first
	atomic_uint alive;
	uint64_t body;       // written before it is published and when it is dead
	struct object *next; // of all
};

// Where readers find objects, each with one reference.
struct slot {
	LINE_ALIGNED struct byte_lock lock; // by who changes it
	_Atomic uintptr_t object;
	uint64_t changes; // protected by the lock
};

struct world {
	enum counting counting;
	bool loses; // a broken twin, which forgets a drop now and then
	struct counts_team team;
	struct slot slot[SLOTS];
	_Atomic uintptr_t lent[THREADS];   // by each thread, a reference that it counted
	struct object *kept[DEFERRED + 1]; // deferred ones and an immortal one
	LINE_ALIGNED _Atomic uint64_t made, died;
	atomic_uint wrong; // objects that died twice, or were dead when they were used
	_Atomic(struct object *) memory; // all objects, alive and dead
};

struct user {
	LINE_ALIGNED struct world *w;
	struct counts_thread *me;
	unsigned number;
	uint64_t random, changes;
	struct counted *unused; // dead objects
	struct object *held[HELD];
};

/* Objects. Their memory remains objects until the end. */

static struct object *more_memory(struct world *w)
{
	struct object *o = calloc(1, sizeof *o);
	assert_non_null(o);
	o->next = load(&w->memory, relaxed); /* relaxed, both: read when the threads have ended */
	while (!compare_exchange(&w->memory, &o->next, o, relaxed, relaxed))
		;
	return o;
}

static struct object *make(struct user *u)
{
	struct object *o = (struct object *)u->unused;
	if (o)
		u->unused = o->counted.next;
	else
		o = more_memory(u->w);
	counted_init(&o->counted, u->me, u->w->counting);
	store(&o->alive, 1, relaxed); /* relaxed: what is tested must do with its own orderings */
	o->body = fetch_add(&u->w->made, 1, relaxed) + 1;
	return o;
}

static void die(struct user *u, struct object *o)
{
	if (exchange(&o->alive, 0, relaxed) != 1) {
		fetch_add(&u->w->wrong, 1, relaxed);
		return;
	}
	fetch_add(&u->w->died, 1, relaxed);
	o->body = 0;
	o->counted.next = u->unused;
	u->unused = &o->counted;
}

static void dead(void *user, struct counted *o)
{
	die(user, (struct object *)o);
}

static void take(struct user *u, struct object *o)
{
	counted_take(&o->counted, u->me, u->w->counting);
}

static void drop(struct user *u, struct object *o)
{
	if (counted_drop(&o->counted, u->me, u->w->counting))
		die(u, o);
}

static void look_at(struct user *u, struct object *o)
{
	if (!o->body || !load(&o->alive, relaxed))
		fetch_add(&u->w->wrong, 1, relaxed);
}

/* What the threads do. */

static unsigned draw(struct user *u, unsigned below)
{
	u->random = u->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(u->random >> 33) % below;
}

static struct object *read_slot(struct user *u, struct slot *slot)
{
	struct object *o = (struct object *)load(&slot->object, acquire);
	if (o && counted_try_take(&o->counted, u->me, u->w->counting)) {
		if (load(&slot->object, acquire) == (uintptr_t)o)
			return o;
		drop(u, o);
	}
	byte_lock_acquire(&slot->lock);
	o = (struct object *)load(&slot->object, relaxed);
	if (o)
		counted_share(&o->counted, u->me, u->w->counting);
	byte_lock_release(&slot->lock);
	return o;
}

// The slot has the caller's reference then, and what it had is dropped.
static void put(struct user *u, struct slot *slot, struct object *o)
{
	byte_lock_acquire(&slot->lock);
	struct object *old = (struct object *)load(&slot->object, relaxed);
	store(&slot->object, (uintptr_t)o, release);
	slot->changes++;
	byte_lock_release(&slot->lock);
	u->changes++;
	if (old)
		drop(u, old);
}

static void lend(struct user *u)
{
	struct object *old =
		(struct object *)exchange(&u->w->lent[u->number], (uintptr_t)make(u), acq_rel);
	if (old)
		drop(u, old);
}

// What was lent is back before the borrower has done with it: the counts alone keep it alive.
static void borrow(struct user *u, _Atomic uintptr_t *lent)
{
	struct object *o = (struct object *)exchange(lent, 0, acq_rel);
	if (!o)
		return;
	take(u, o);
	struct object *newer = (struct object *)exchange(lent, (uintptr_t)o, acq_rel);
	if (newer)
		drop(u, newer);
	sched_yield();
	look_at(u, o);
	drop(u, o);
}

static void leave_and_join(struct user *u)
{
	counts_leave(u->me, dead, u);
	sched_yield(); /* meanwhile others merge for us */
	u->me = counts_join(&u->w->team, u->number);
	assert_non_null(u->me);
}

static void operate(struct user *u)
{
	struct object **held = &u->held[draw(u, HELD)];
	struct slot *slot = &u->w->slot[draw(u, SLOTS)];
	unsigned what = draw(u, 100);
	if (*held)
		look_at(u, *held);
	if (what < 30 && *held) {
		if (!u->w->loses || draw(u, 1000))
			drop(u, *held);
		*held = NULL;
	} else if (what < 60 && !*held) {
		*held = read_slot(u, slot);
	} else if (what < 70) {
		put(u, slot, make(u));
	} else if (what < 80 && *held) {
		put(u, slot, *held);
		*held = NULL;
	} else if (what < 90 && *held) {
		take(u, *held);
		sched_yield();
		drop(u, *held);
	} else if (what < 91) {
		leave_and_join(u);
	} else if (what < 94) {
		lend(u);
	} else if (what < 97) {
		borrow(u, &u->w->lent[draw(u, THREADS)]);
	} else {
		struct object *kept = u->w->kept[draw(u, DEFERRED + 1)];
		take(u, kept);
		look_at(u, kept);
		drop(u, kept);
	}
	if (counts_pending(u->me))
		counts_settle(u->me, dead, u);
}

static void *use(void *argument)
{
	struct user *u = argument;
	u->me = counts_join(&u->w->team, u->number);
	assert_non_null(u->me);
	for (unsigned i = 0; i < OPERATIONS && !load(&u->w->wrong, relaxed); i++)
		operate(u);
	for (unsigned i = 0; i < HELD; i++)
		if (u->held[i])
			drop(u, u->held[i]);
	counts_leave(u->me, dead, u);
	return NULL;
}

static void world_begin(struct world *w, struct user *first)
{
	assert_int_equal(counts_team_init(&w->team, THREADS + 1, DEFERRED), 0);
	*first = (struct user){.w = w, .number = THREADS};
	first->me = counts_join(&w->team, THREADS);
	assert_non_null(first->me);
	for (unsigned i = 0; i <= DEFERRED; i++) {
		w->kept[i] = make(first);
		if (i == DEFERRED)
			counted_immortalise(&w->kept[i]->counted);
		else if (w->counting == COUNTS_BIASED)
			assert_true(counted_defer(&w->kept[i]->counted, first->me));
	}
}

static void free_memory(struct world *w)
{
	struct object *o = load(&w->memory, relaxed); /* relaxed: the threads have ended */
	for (struct object *next; o; o = next) {
		next = o->next;
		free(o);
	}
}

// Everything is dropped by a thread that was there from the begin. Returns how many objects are
// alive that should not be.
static int64_t world_end(struct world *w, struct user *first)
{
	uint64_t changes = 0;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (w->slot[i].object)
			drop(first, (struct object *)w->slot[i].object);
		changes += w->slot[i].changes;
	}
	assert_int_equal(changes, first->changes);
	for (unsigned i = 0; i < THREADS; i++)
		if (w->lent[i])
			drop(first, (struct object *)w->lent[i]);
	for (unsigned i = 0; i < DEFERRED; i++) {
		assert_int_equal(w->kept[i]->alive, 1);
		drop(first, w->kept[i]);
	}
	counts_undefer(first->me, dead, first);
	assert_int_equal(w->kept[DEFERRED]->alive, 1);
	counts_leave(first->me, dead, first);
	counts_team_fini(&w->team);
	return (int64_t)(w->made - w->died) - 1; /* the immortal one */
}

// Returns the number of wrong objects; *left: that live on.
static unsigned stress(enum counting counting, bool loses, int64_t *left)
{
	struct world *w = aligned_alloc(LINE_PAIR, sizeof *w);
	static struct user user[THREADS], first;
	pthread_t thread[THREADS];
	assert_non_null(w);
	memset(w, 0, sizeof *w);
	w->counting = counting;
	w->loses = loses;
	world_begin(w, &first);
	for (unsigned i = 0; i < THREADS; i++) {
		user[i] = (struct user){.w = w, .number = i, .random = i + 1};
		assert_int_equal(pthread_create(&thread[i], NULL, use, &user[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		first.changes += user[i].changes;
	}
	*left = world_end(w, &first);
	unsigned wrong = w->wrong;
	free_memory(w);
	free(w);
	return wrong;
}

/* Claims. */

static void objects_die_once_among_threads_that_count_atomically(void **state)
{
	(void)state;
	int64_t left;
	assert_int_equal(stress(COUNTS_ATOMIC, false, &left), 0);
	assert_int_equal(left, 0);
}

static void objects_die_once_among_threads_with_biased_counts(void **state)
{
	(void)state;
	int64_t left;
	assert_int_equal(stress(COUNTS_BIASED, false, &left), 0);
	assert_int_equal(left, 0);
}

static void a_lost_drop_is_noticed(void **state)
{
	(void)state;
	int64_t left;
	stress(COUNTS_BIASED, true, &left);
	assert_true(left > 0);
}

static void count_death(void *deaths, struct counted *o)
{
	(void)o;
	++*(unsigned *)deaths;
}

struct pair {
	struct counts_team team;
	struct counts_thread *own, *other;
	struct counted o;
	unsigned deaths;
};

// An object that the first of two threads made.
static void pair_begin(struct pair *p, unsigned deferred)
{
	memset(p, 0, sizeof *p);
	assert_int_equal(counts_team_init(&p->team, 2, deferred), 0);
	p->own = counts_join(&p->team, 0);
	p->other = counts_join(&p->team, 1);
	assert_true(p->own && p->other);
	counted_init(&p->o, p->own, COUNTS_BIASED);
}

static void pair_end(struct pair *p)
{
	counts_leave(p->other, count_death, &p->deaths);
	counts_leave(p->own, count_death, &p->deaths);
	counts_team_fini(&p->team);
}

static void plain_counts_count(void **state)
{
	(void)state;
	struct counted o = {0};
	counted_init(&o, NULL, COUNTS_PLAIN);
	counted_take(&o, NULL, COUNTS_PLAIN);
	assert_int_equal(counted_value(&o), 2);
	assert_false(counted_drop(&o, NULL, COUNTS_PLAIN));
	assert_true(counted_drop(&o, NULL, COUNTS_PLAIN));
}

static void what_others_drop_of_an_owners_references_waits_for_the_owner(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	counted_take(&p.o, p.own, COUNTS_BIASED);
	assert_false(counted_drop(&p.o, p.other, COUNTS_BIASED));
	assert_true(counts_pending(p.own));
	counts_settle(p.own, count_death, &p.deaths);
	assert_false(counts_pending(p.own));
	assert_int_equal(p.own->merges, 1);
	assert_int_equal(p.deaths, 0);
	assert_int_equal(counted_value(&p.o), 1);
	assert_true(counted_drop(&p.o, p.other, COUNTS_BIASED));
	pair_end(&p);
}

static void what_a_gone_thread_owned_dies_where_it_is_dropped(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	counts_leave(p.own, count_death, &p.deaths);
	assert_true(counted_drop(&p.o, p.other, COUNTS_BIASED));
	p.own = counts_join(&p.team, 0);
	assert_non_null(p.own);
	pair_end(&p);
}

static void a_number_is_one_threads_at_a_time(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	assert_null(counts_join(&p.team, 1));
	assert_null(counts_join(&p.team, 2));
	assert_int_equal(counts_team_init(&(struct counts_team){0}, UINT16_MAX, 0), EINVAL);
	assert_int_equal(counts_team_init(&(struct counts_team){0}, 0, 0), EINVAL);
	assert_true(counted_drop(&p.o, p.own, COUNTS_BIASED));
	pair_end(&p);
}

// Without it every look of a reader at an object that only its owner refers to takes the lock.
static void readers_take_what_was_shared_without_a_lock(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	assert_false(counted_try_take(&p.o, p.other, COUNTS_BIASED));
	counted_share(&p.o, p.other, COUNTS_BIASED);
	assert_false(counted_drop(&p.o, p.other, COUNTS_BIASED));
	assert_true(counted_try_take(&p.o, p.other, COUNTS_BIASED));
	assert_false(counted_drop(&p.o, p.other, COUNTS_BIASED));
	assert_int_equal(counted_value(&p.o), 1);
	assert_true(counted_drop(&p.o, p.own, COUNTS_BIASED));
	assert_false(counted_try_take(&p.o, p.other, COUNTS_BIASED));
	pair_end(&p);
}

static void deferred_counts_add_up_when_all_have_left(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 1);
	assert_true(counted_defer(&p.o, p.own));
	for (unsigned i = 0; i < 3; i++)
		counted_take(&p.o, p.other, COUNTS_BIASED);
	assert_false(counted_drop(&p.o, p.own, COUNTS_BIASED));
	assert_false(counted_drop(&p.o, p.own, COUNTS_BIASED)); /* one that the other took */
	counts_leave(p.other, count_death, &p.deaths);
	counts_undefer(p.own, count_death, &p.deaths);
	assert_int_equal(counted_value(&p.o), 2);
	assert_false(counted_drop(&p.o, p.own, COUNTS_BIASED));
	assert_true(counted_drop(&p.o, p.own, COUNTS_BIASED));
	assert_int_equal(p.deaths, 0);
	counts_leave(p.own, count_death, &p.deaths);
	counts_team_fini(&p.team);
}

static void where_there_is_no_room_an_object_is_not_deferred(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	assert_false(counted_defer(&p.o, p.own));
	assert_true(counted_drop(&p.o, p.own, COUNTS_BIASED));
	pair_end(&p);
}

static void a_queued_object_is_deferred_when_it_is_merged(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 1);
	counted_take(&p.o, p.own, COUNTS_BIASED);
	assert_false(counted_drop(&p.o, p.other, COUNTS_BIASED));
	assert_false(counted_defer(&p.o, p.own));
	counts_settle(p.own, count_death, &p.deaths);
	assert_true(counted_defer(&p.o, p.own));
	assert_int_equal(counted_value(&p.o), 1);
	counts_leave(p.other, count_death, &p.deaths);
	assert_false(counted_drop(&p.o, p.own, COUNTS_BIASED));
	counts_undefer(p.own, count_death, &p.deaths);
	assert_int_equal(p.deaths, 1);
	counts_leave(p.own, count_death, &p.deaths);
	counts_team_fini(&p.team);
}

static void immortal_objects_are_not_counted(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	assert_false(counted_is_immortal(&p.o));
	counted_immortalise(&p.o);
	assert_true(counted_is_immortal(&p.o));
	for (unsigned i = 0; i < 3; i++) {
		assert_false(counted_drop(&p.o, p.own, COUNTS_BIASED));
		assert_false(counted_drop(&p.o, p.other, COUNTS_BIASED));
		assert_false(counted_drop(&p.o, p.other, COUNTS_ATOMIC));
		assert_true(counted_try_take(&p.o, p.other, COUNTS_BIASED));
	}
	assert_int_equal(p.o.shared, 0);
	pair_end(&p);
}

// A queued object that its owner makes immortal stays so.
static void an_owner_may_make_immortal_what_others_dropped(void **state)
{
	(void)state;
	struct pair p;
	pair_begin(&p, 0);
	assert_false(counted_drop(&p.o, p.other, COUNTS_BIASED));
	counted_immortalise(&p.o);
	pair_end(&p);
	assert_int_equal(p.deaths, 0);
	assert_true(counted_is_immortal(&p.o));
}

struct contended {
	struct byte_lock lock[2]; // side by side
	uint64_t count[2];
};

static void *increase(void *argument)
{
	struct contended *c = argument;
	for (unsigned i = 0; i < OPERATIONS; i++) {
		struct byte_lock *l = &c->lock[i % 2];
		if (i % 3 || !byte_lock_try_acquire(l))
			byte_lock_acquire(l);
		c->count[i % 2]++;
		if (i % 512 == 0)
			sched_yield();
		byte_lock_release(l);
	}
	return NULL;
}

static void byte_locks_exclude(void **state)
{
	(void)state;
	struct contended c = {0};
	pthread_t thread[THREADS];
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, increase, &c), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(c.count[0] + c.count[1], THREADS * OPERATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_counts_count),
		cmocka_unit_test(what_others_drop_of_an_owners_references_waits_for_the_owner),
		cmocka_unit_test(what_a_gone_thread_owned_dies_where_it_is_dropped),
		cmocka_unit_test(a_number_is_one_threads_at_a_time),
		cmocka_unit_test(readers_take_what_was_shared_without_a_lock),
		cmocka_unit_test(deferred_counts_add_up_when_all_have_left),
		cmocka_unit_test(where_there_is_no_room_an_object_is_not_deferred),
		cmocka_unit_test(a_queued_object_is_deferred_when_it_is_merged),
		cmocka_unit_test(immortal_objects_are_not_counted),
		cmocka_unit_test(an_owner_may_make_immortal_what_others_dropped),
		cmocka_unit_test(byte_locks_exclude),
		cmocka_unit_test(objects_die_once_among_threads_that_count_atomically),
		cmocka_unit_test(objects_die_once_among_threads_with_biased_counts),
		cmocka_unit_test(a_lost_drop_is_noticed),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests_name("counts", tests, NULL, NULL);
}
