// SPDX-License-Identifier: BSD-2-Clause
// Scenarios of what an interpreter's objects begin with: reference counts and the lock of one byte.
// Workers take, drop and pass on references to an object that the first of them made; it must die
// once, and not while anybody has a reference. Compiled as structures.c is.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/interpreter/counts.h"
#include "scenario.h"
#include "world.h"

enum { TEAM = 3, HELD_MOST = 6, OBJECTS_MOST = 4 };

struct subject {
	const char *name;
	bool counts; // else the lock
	enum counting counting;
};

static const struct subject subjects[] = {
	{"counts/biased", true, COUNTS_BIASED},
	{"counts/atomic", true, COUNTS_ATOMIC},
	{"byte_lock", false, COUNTS_PLAIN},
};
const unsigned explored_count = sizeof subjects / sizeof *subjects;
const char explored_program[] = "explore-objects", explored_option[] = "object";
const unsigned explored_states = 400000;
const int explored_preemptions = 3;

// What a worker does, a letter each. Of references that it has the youngest is meant; with none a
// letter does nothing.
//   t takes one more     d drops one         s settles what is queued for it
//   p puts it into the slot, and drops what was there      q takes out what is in the slot
//   r reads: takes a reference to what is in the slot, by counted_try_take or under the slot's lock
//   x empties the slot under its lock       n puts a new object there instead
//   l leaves             j joins again
// Of a lock: A acquires, tries: T; both come in, go out.
struct object_scenario {
	struct scenario is;
	enum { EITHER, BIASED, DEFERRED, LOCK } for_what;
	bool readers;         // without references: an object's memory stays a header
	bool slot;            // has one of the references, too
	unsigned holds[TEAM]; // references that the first worker counted, by who has them
	const char *does[TEAM];
};

struct object {
	struct counted counted;
	uint64_t body;
	bool dead;
};

// The scenario's data, in the world.
struct shared {
	const struct object_scenario *scenario;
	const struct subject *subject;
	struct counts_team team;
	struct counts_thread *me[TEAM];
	struct object *held[TEAM][HELD_MOST];
	unsigned holds[TEAM];
	struct byte_lock lock; // of the slot; or the one that is tried
	_Atomic uintptr_t slot;
	struct object *object[OBJECTS_MOST];
	unsigned made, died;
	unsigned inside; // worker + 1
	uint64_t count;
};
_Static_assert(sizeof(struct shared) <= SCENARIO_SIZE, "SCENARIO_SIZE");

static struct shared *shared(void)
{
	return (struct shared *)world->scenario;
}

/* Objects. */

static char letter(unsigned worker)
{
	return fiber_letter(worker + 1);
}

// Again in the memory of a dead one, where readers may still look at that.
static struct object *make(unsigned me)
{
	struct shared *s = shared();
	struct object *o = NULL;
	for (unsigned i = 0; i < s->made && s->scenario->readers; i++)
		if (s->object[i]->dead)
			o = s->object[i];
	if (!o) {
		o = malloc(sizeof *o);
		memset(o, 0, sizeof *o);
		s->object[s->made++] = o;
	} else {
		s->died--;
	}
	o->dead = false;
	counted_init(&o->counted, s->me[me], s->subject->counting);
	return o;
}

static void die(struct object *o)
{
	struct shared *s = shared();
	if (o->dead)
		explore_fail("the object dies twice");
	for (unsigned w = 0; w < TEAM; w++)
		for (unsigned i = 0; i < s->holds[w]; i++)
			if (s->held[w][i] == o)
				explore_fail("the object dies while worker %c has a reference",
					letter(w));
	if (*(uintptr_t *)&s->slot == (uintptr_t)o) /* no step */
		explore_fail("the object dies while a reference is in the slot");
	o->dead = true;
	s->died++;
	if (!s->scenario->readers)
		free(o);
}

static void dead(void *context, struct counted *counted)
{
	(void)context;
	die((struct object *)counted);
}

/* References. */

static void look_at(struct object *o)
{
	EXPLORE_CALL("use the object", explore_plain_load(&o->body, &site));
	if (shared()->scenario->readers && o->dead)
		explore_fail("a dead object is used");
}

static void hold(unsigned me, struct object *o)
{
	struct shared *s = shared();
	s->held[me][s->holds[me]++] = o;
}

// The youngest, not held any more; null: none.
static struct object *let_go(unsigned me)
{
	struct shared *s = shared();
	return s->holds[me] ? s->held[me][--s->holds[me]] : NULL;
}

static void drop(unsigned me, struct object *o)
{
	struct shared *s = shared();
	if (o && counted_drop(&o->counted, s->me[me], s->subject->counting))
		die(o);
}

static void read_slot(unsigned me)
{
	struct shared *s = shared();
	struct object *o = (struct object *)load(&s->slot, acquire);
	if (!o)
		return;
	if (counted_try_take(&o->counted, s->me[me], s->subject->counting)) {
		hold(me, o);
		if (load(&s->slot, acquire) == (uintptr_t)o)
			look_at(o);
		else
			drop(me, let_go(me));
		return;
	}
	byte_lock_acquire(&s->lock);
	o = (struct object *)load(&s->slot, relaxed);
	if (o) {
		counted_share(&o->counted, s->me[me], s->subject->counting);
		hold(me, o);
	}
	byte_lock_release(&s->lock);
	if (o)
		look_at(o);
}

static void replace(unsigned me, bool anew)
{
	struct shared *s = shared();
	byte_lock_acquire(&s->lock);
	struct object *old = (struct object *)exchange(&s->slot, 0, acq_rel);
	byte_lock_release(&s->lock);
	drop(me, old);
	if (!anew)
		return;
	struct object *o = make(me);
	byte_lock_acquire(&s->lock);
	store(&s->slot, (uintptr_t)o, release);
	byte_lock_release(&s->lock);
}

static void leave(unsigned me)
{
	struct shared *s = shared();
	if (s->me[me])
		counts_leave(s->me[me], dead, NULL);
	s->me[me] = NULL;
}

static void count(unsigned me, char what)
{
	struct shared *s = shared();
	struct object *youngest = s->holds[me] ? s->held[me][s->holds[me] - 1] : NULL;
	switch (what) {
	case 't':
		if (!youngest)
			return;
		counted_take(&youngest->counted, s->me[me], s->subject->counting);
		hold(me, youngest);
		look_at(youngest);
		return;
	case 'd':
		if (youngest)
			look_at(youngest);
		drop(me, let_go(me));
		return;
	case 'p':
		if (youngest)
			drop(me, (struct object *)exchange(
					 &s->slot, (uintptr_t)let_go(me), acq_rel));
		return;
	case 'q':
		youngest = (struct object *)exchange(&s->slot, 0, acq_rel);
		if (youngest)
			hold(me, youngest);
		return;
	case 'r':
		read_slot(me);
		return;
	case 's':
		if (counts_pending(s->me[me]))
			counts_settle(s->me[me], dead, NULL);
		return;
	case 'l':
		leave(me);
		return;
	case 'j':
		s->me[me] = counts_join(&s->team, me);
		if (!s->me[me])
			explore_fail("worker %c cannot join again", letter(me));
		return;
	default:
		replace(me, what == 'n');
	}
}

/* The lock. */

static void section(unsigned me)
{
	struct shared *s = shared();
	if (s->inside)
		explore_fail(
			"workers %c and %c are inside together", letter(s->inside - 1), letter(me));
	s->inside = me + 1;
	uint64_t seen = EXPLORE_CALL("read protected data", explore_plain_load(&s->count, &site));
	EXPLORE_CALL("write protected data", explore_plain_store(&s->count, seen + 1, &site));
	s->inside = 0;
}

static void exclude(unsigned me, char what)
{
	struct shared *s = shared();
	if (what == 'A')
		byte_lock_acquire(&s->lock);
	else if (!byte_lock_try_acquire(&s->lock))
		return;
	section(me);
	byte_lock_release(&s->lock);
}

/* What the fibers do. */

static void *worker(void *argument)
{
	unsigned me = (unsigned)(uintptr_t)argument;
	for (const char *c = shared()->scenario->does[me]; *c; c++) {
		if (shared()->subject->counts)
			count(me, *c);
		else
			exclude(me, *c);
	}
	return NULL;
}

static void run_workers(void)
{
	unsigned workers = shared()->scenario->is.workers;
	world->alone = false;
	for (unsigned i = 0; i < workers; i++)
		fiber_start(i + 1, worker, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < workers; i++)
		pthread_join(i + 1, NULL);
	world->alone = true;
}

// The first worker makes the object, and all references that the others have at first.
static void begin_counts(void)
{
	struct shared *s = shared();
	if (counts_team_init(&s->team, TEAM, s->scenario->for_what == DEFERRED))
		explore_fail("counts_team_init fails");
	for (unsigned i = 0; i < TEAM; i++)
		s->me[i] = counts_join(&s->team, i);
	if (counts_join(&s->team, 0))
		explore_fail("two join under one number");
	struct object *o = make(0);
	for (unsigned i = 0; i < TEAM; i++)
		for (unsigned k = 0; k < s->scenario->holds[i]; k++) {
			counted_take(&o->counted, s->me[0], s->subject->counting);
			hold(i, o);
		}
	if (s->scenario->for_what == DEFERRED && !counted_defer(&o->counted, s->me[0]))
		explore_fail("counted_defer fails");
	if (s->scenario->slot)
		atomic_init(&s->slot, (uintptr_t)o);
	else
		drop(0, o);
}

// Whoever is there drops what is left, the last one having joined again; then all must be dead.
static void end_counts(void)
{
	struct shared *s = shared();
	unsigned last = TEAM - 1;
	if (!s->me[last])
		s->me[last] = counts_join(&s->team, last);
	for (unsigned i = 0; i < TEAM; i++) {
		for (struct object *o; (o = let_go(i));)
			drop(s->me[i] ? i : last, o);
		if (i < last)
			leave(i);
	}
	drop(last, (struct object *)exchange(&s->slot, 0, acq_rel));
	counts_undefer(s->me[last], dead, NULL);
	leave(last);
	if (s->died != s->made)
		explore_fail(
			"%u of %u objects live on without a reference", s->made - s->died, s->made);
	counts_team_fini(&s->team);
	for (unsigned i = 0; i < s->made && s->scenario->readers; i++)
		free(s->object[i]);
	for (unsigned i = 0; i < world->blocks; i++)
		if (!world->block[i].freed)
			explore_fail("%u bytes are not freed", world->block[i].size);
}

static void *run_scenario(void *argument)
{
	struct shared *s = argument;
	world->alone = true;
	byte_lock_init(&s->lock);
	if (s->subject->counts)
		begin_counts();
	run_workers();
	if (s->subject->counts)
		end_counts();
	if (!byte_lock_try_acquire(&s->lock))
		explore_fail("try_acquire fails though the lock is free and nobody else is there");
	return NULL;
}

static const struct object_scenario scenarios[] = {
	{{"share", "both take and drop", 2}, EITHER, false, false, {1, 1}, {"tdd", "tdd"}},
	{{"pass", "references come back through the slot", 2}, EITHER, false, false, {1, 1},
		{"dqds", "tpd"}},
	{{"swap", "each drops what the other put into the slot", 2}, EITHER, false, false, {2, 2},
		{"ptdq", "ptdq"}},
	{{"queue", "another drops what the owner counted", 2}, BIASED, false, false, {0, 2},
		{"ss", "dd"}},
	{{"queue-take", "the owner merges while another counts", 2}, BIASED, false, false, {0, 2},
		{"ss", "dtdd"}},
	{{"last-own", "the owner's last reference goes while another merges", 2}, BIASED, false,
		false, {1, 2}, {"qds", "dtpd"}},
	{{"last-again", "the owner drops more after its last", 2}, BIASED, false, false, {1, 1},
		{"dqdqd", "tpp"}},
	{{"queue-three", "two drop what the owner counted", 3}, BIASED, false, false, {0, 1, 1},
		{"s", "d", "td"}},
	{{"last-meanwhile", "the owner merges between a drop and its queueing", 3}, BIASED, false,
		false, {0, 1, 1}, {"qdqd", "d", "tpp"}},
	{{"last-three", "the owner's last reference beside two", 3}, EITHER, false, false,
		{1, 1, 1}, {"d", "d", "tdd"}},
	{{"leave", "the owner leaves while another drops", 2}, BIASED, false, false, {0, 2},
		{"l", "dtdd"}},
	{{"leave-own", "the owner leaves with references of others", 2}, BIASED, false, false,
		{1, 1}, {"dl", "tdd"}},
	{{"come-back", "an owner leaves, and another has its number", 2}, BIASED, false, false,
		{0, 2}, {"ljs", "dd"}},
	{{"come-back-count", "the next of the number counts as the owner", 2}, BIASED, false, false,
		{1, 1}, {"ljtdd", "tdd"}},
	{{"leave-three", "two drop, and the owner leaves", 3}, BIASED, false, false, {0, 1, 1},
		{"l", "d", "td"}},
	{{"read", "a reader finds an object that its owner removes", 2}, EITHER, true, true, {0},
		{"xs", "rd"}},
	{{"read-twice", "a reader that raised the object reads again", 2}, EITHER, true, true, {0},
		{"xs", "rdrd"}},
	{{"read-own", "the owner reads, another removes", 2}, EITHER, true, true, {0},
		{"rdsrd", "x"}},
	{{"read-new", "the object's memory is another object meanwhile", 2}, EITHER, true, true,
		{0}, {"ns", "rd"}},
	{{"read-new-taken", "a reader holds one while another takes its place", 2}, EITHER, true,
		true, {0}, {"nn", "rrd"}},
	{{"read-new-other", "it is another's object meanwhile", 3}, EITHER, true, true, {0},
		{"s", "ns", "rd"}},
	{{"read-gone", "a reader finds an object whose owner is gone", 2}, BIASED, true, true, {0},
		{"l", "rdx"}},
	{{"read-three", "two read, the owner removes", 3}, EITHER, true, true, {0},
		{"x", "rd", "rd"}},
	{{"deferred", "each counts for itself, and leaves", 2}, DEFERRED, false, false, {1, 1},
		{"tddl", "dl"}},
	{{"deferred-read", "a deferred object is read", 2}, DEFERRED, true, true, {0},
		{"xl", "rdrl"}},
	{{"pair", "two workers take turns", 2}, LOCK, false, false, {0}, {"AA", "AA"}},
	{{"try", "one only tries", 2}, LOCK, false, false, {0}, {"A", "TAT"}},
	{{"three", "three workers take turns", 3}, LOCK, false, false, {0}, {"A", "AA", "A"}},
};
const unsigned scenario_count = sizeof scenarios / sizeof *scenarios;

const struct scenario *scenario_at(unsigned number)
{
	return &scenarios[number].is;
}

const void *explored_subject(unsigned number)
{
	return &subjects[number];
}

const char *explored_name(const void *subject)
{
	return ((const struct subject *)subject)->name;
}

bool explored_by_default(const void *subject)
{
	(void)subject;
	return true;
}

bool scenario_applies(const struct scenario *scenario, const void *of)
{
	const struct subject *subject = of;
	unsigned what = ((const struct object_scenario *)scenario)->for_what;
	if (!subject->counts || what == LOCK)
		return !subject->counts && what == LOCK;
	return what == EITHER || subject->counting == COUNTS_BIASED;
}

void scenario_prepare(const struct scenario *scenario, const void *subject)
{
	struct shared *s = shared();
	s->scenario = (const struct object_scenario *)scenario;
	s->subject = subject;
	fiber_start(0, run_scenario, s);
}
