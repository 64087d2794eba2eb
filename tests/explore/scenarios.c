// SPDX-License-Identifier: BSD-2-Clause
// See scenario.h. Compiled against the explorer's hooks: all that waits here is modelled.
#include <stdlib.h>
#include <string.h>

#include "locks.h"
#include "scenario.h"
#include "world.h"

#define LISTED(NAME, ...) &NAME##_class,
static const struct lock_class *const explored_locks[] = {FOR_EACH_LOCK(LISTED, )};
const unsigned explored_count = sizeof explored_locks / sizeof *explored_locks;
const char explored_program[] = "explore", explored_option[] = "lock";
const unsigned explored_states = 400000;
const int explored_preemptions = 2;

const void *explored_subject(unsigned number)
{
	return explored_locks[number];
}

const char *explored_name(const void *subject)
{
	return ((const struct lock_class *)subject)->name;
}

// Not what is broken on purpose, nor what has atomics of its own that the explorer does not see.
bool explored_by_default(const void *subject)
{
	const struct lock_class *class = subject;
	return !class->peer && strncmp(class->summary, "BROKEN", 6) != 0;
}

struct lock_scenario {
	struct scenario is;
	bool groups; // the workers' hardware: two groups, the last worker alone in the second
	bool (*applies)(const struct lock_class *class);
	void (*work)(unsigned me);
};

// The scenario's data, in the world.
struct shared {
	struct any_lock lock[2];
	struct lock_node node[WORKERS_MOST][2];
	const struct lock_class *class;
	const struct lock_scenario *scenario;
	struct lock_team team;
	unsigned owner[2], readers; // inside now; owner: worker + 1
	uint64_t count[2];          // protected by the locks, each by its own
	uint64_t entered;           // how often count[0] was increased
	uint64_t record[2];         // protected by lock[0]: both words change together
	uint64_t gate[2];
	unsigned ran[WORKERS_MOST];
	pthread_t thread[WORKERS_MOST];
};
_Static_assert(sizeof(struct shared) <= SCENARIO_SIZE, "SCENARIO_SIZE");

static struct shared *shared(void)
{
	return (struct shared *)world->scenario;
}

static char letter(unsigned me)
{
	return fiber_letter(me + 1);
}

/* Critical sections. */

static void come_in(unsigned me, unsigned which)
{
	struct shared *s = shared();
	if (s->owner[which])
		explore_fail("workers %c and %c are inside together", letter(s->owner[which] - 1),
			letter(me));
	if (which == 0 && s->readers)
		explore_fail("worker %c is inside with a reader", letter(me));
	s->owner[which] = me + 1;
}

static void go_out(unsigned which)
{
	shared()->owner[which] = 0;
}

static uint64_t look(uint64_t *p)
{
	return EXPLORE_CALL("read protected data", explore_plain_load(p, &site));
}

static void put(uint64_t *p, uint64_t v)
{
	EXPLORE_CALL("write protected data", explore_plain_store(p, v, &site));
}

static void increase(unsigned which)
{
	struct shared *s = shared();
	put(&s->count[which], look(&s->count[which]) + 1);
	if (which == 0)
		s->entered++;
}

static void pass_gate(uint64_t *gate, uint64_t value)
{
	EXPLORE_CALL("wait for the other worker", explore_gate(gate, value, &site));
}

static void section(unsigned me, unsigned which)
{
	come_in(me, which);
	increase(which);
	go_out(which);
}

/* The verbs, by worker and lock. */

static void acquire_with(unsigned me, unsigned which, unsigned node)
{
	struct shared *s = shared();
	s->class->acquire(&s->lock[which], &s->node[me][node]);
}

static bool try_with(unsigned me, unsigned which, unsigned node)
{
	struct shared *s = shared();
	return s->class->try_acquire(&s->lock[which], &s->node[me][node]);
}

static void release_with(unsigned me, unsigned which, unsigned node)
{
	struct shared *s = shared();
	s->class->release(&s->lock[which], &s->node[me][node]);
}

// The order is broken where a worker that took its place before this one asked comes in later.
static void acquire_in_order(unsigned me)
{
	struct fiber *self = &world->fiber[me + 1];
	self->after = 0;
	for (unsigned i = 1; i <= shared()->scenario->is.workers; i++)
		if (world->fiber[i].asking && world->fiber[i].arrived)
			self->after |= 1u << i;
	self->asking = true;
	self->arrived = false;
	acquire_with(me, 0, 0);
	self->asking = self->arrived = false;
	for (unsigned i = 1; i <= shared()->scenario->is.workers; i++) {
		world->fiber[i].after &= ~(1u << (me + 1));
		if (shared()->class->fifo && self->after & 1u << i)
			explore_fail("worker %c overtakes worker %c, which was waiting when it "
				     "asked, though the lock is first come, first served",
				letter(me), fiber_letter(i));
	}
	self->after = 0;
}

static void lock_section(unsigned me)
{
	acquire_in_order(me);
	section(me, 0);
	release_with(me, 0, 0);
}

/* What the workers of each scenario do. */

static bool always(const struct lock_class *class)
{
	(void)class;
	return true;
}

static void twice(unsigned me)
{
	lock_section(me);
	lock_section(me);
}

// One is inside until the other has tried: what waits for the holder never ends.
static void try_while_held(unsigned me)
{
	struct shared *s = shared();
	if (me == 0) {
		acquire_with(0, 0, 0);
		come_in(0, 0);
		s->gate[0] = 1;
		pass_gate(&s->gate[1], 1);
		go_out(0);
		release_with(0, 0, 0);
		return;
	}
	pass_gate(&s->gate[0], 1);
	if (try_with(1, 0, 0))
		explore_fail("try_acquire succeeds on a lock that is held");
	s->gate[1] = 1;
	while (!try_with(1, 0, 0))
		cpu_relax();
	section(1, 0);
	release_with(1, 0, 0);
}

static void try_or_acquire(unsigned me)
{
	if (me == 0) {
		twice(0);
		return;
	}
	if (try_with(me, 0, 0)) {
		section(me, 0);
		release_with(me, 0, 0);
	}
	lock_section(me);
}

// The same node serves one lock after the other; then both are held, released either way.
static void two_locks(unsigned me)
{
	acquire_with(me, 1, 0);
	section(me, 1);
	release_with(me, 1, 0);
	acquire_with(me, 0, 0);
	come_in(me, 0);
	acquire_with(me, 1, 1);
	section(me, 1);
	increase(0);
	go_out(0);
	release_with(me, me, me);
	release_with(me, !me, !me);
}

static bool is_reentrant(const struct lock_class *class)
{
	return class->reentrant;
}

static void nested(unsigned me)
{
	acquire_with(me, 0, 0);
	come_in(me, 0);
	acquire_with(me, 0, 0);
	if (!try_with(me, 0, 0))
		explore_fail("try_acquire fails though its worker holds the re-entrant lock");
	increase(0);
	release_with(me, 0, 0);
	release_with(me, 0, 0);
	increase(0);
	go_out(0);
	release_with(me, 0, 0);
}

static bool has_readers(const struct lock_class *class)
{
	return class->read_acquire;
}

// A reader of an optimistic lock is not inside: what it reads may change, and does not count then.
static void read_record(unsigned me, bool trying)
{
	struct shared *s = shared();
	void *lock = &s->lock[0];
	struct lock_node *node = &s->node[me][0];
	uint64_t first, second;
	do {
		if (!trying)
			s->class->read_acquire(lock, node);
		else if (!s->class->read_try_acquire(lock, node))
			return;
		first = look(&s->record[0]);
		second = look(&s->record[1]);
	} while (!s->class->read_release(lock, node));
	if (first != second)
		explore_fail("reader %c sees half of a write: %llu and %llu", letter(me),
			(unsigned long long)first, (unsigned long long)second);
}

static void write_record(unsigned me)
{
	struct shared *s = shared();
	acquire_with(me, 0, 0);
	come_in(me, 0);
	put(&s->record[0], look(&s->record[0]) + 1);
	put(&s->record[1], s->record[0]);
	go_out(0);
	release_with(me, 0, 0);
}

static void write_and_read(unsigned me)
{
	if (me == 0) {
		write_record(0);
		write_record(0);
	} else {
		read_record(me, false);
		read_record(me, me == 2);
	}
}

static void write_read_both(unsigned me)
{
	write_record(me);
	read_record(me, false);
	read_record(me, true);
}

// Each stays inside until the other is: readers that exclude each other never come out.
static void read_together(unsigned me)
{
	struct shared *s = shared();
	void *lock = &s->lock[0];
	struct lock_node *node = &s->node[me][0];
	s->class->read_acquire(lock, node);
	s->gate[me] = 1;
	pass_gate(&s->gate[!me], 1);
	if (!s->class->read_release(lock, node))
		explore_fail("what reader %c read does not count, though nobody wrote", letter(me));
}

static void exclude_readers(unsigned me)
{
	struct shared *s = shared();
	if (me == 0) {
		write_record(0);
		s->gate[0] = 1;
		pass_gate(&s->gate[1], 1);
		write_record(0);
		return;
	}
	read_record(1, false);
	pass_gate(&s->gate[0], 1);
	read_record(1, false);
	s->gate[1] = 1;
	read_record(1, true);
}

static void try_to_write(unsigned me)
{
	struct shared *s = shared();
	for (unsigned i = 0; i < 2; i++) {
		if (me == 1) {
			read_record(1, i == 1);
		} else if (try_with(0, 0, 0)) {
			come_in(0, 0);
			put(&s->record[0], look(&s->record[0]) + 1);
			put(&s->record[1], s->record[0]);
			go_out(0);
			release_with(0, 0, 0);
		}
	}
}

static bool has_execute(const struct lock_class *class)
{
	return class->execute;
}

static void executed_section(void *state, void *argument)
{
	unsigned me = *(unsigned *)argument;
	if (state != &shared()->count)
		explore_fail("execute hands the section another state than it was given");
	shared()->ran[me]++;
	section(me, 0);
}

static void execute_twice(unsigned me)
{
	struct shared *s = shared();
	for (unsigned i = 1; i <= 2; i++) {
		unsigned argument = me;
		s->class->execute(
			&s->lock[0], &s->node[me][0], executed_section, &s->count, &argument);
		if (s->ran[me] != i)
			explore_fail("worker %c's section ran %u times instead of once", letter(me),
				s->ran[me] - i + 1);
	}
}

static void execute_beside_acquire(unsigned me)
{
	if (me == 0)
		twice(0);
	else
		execute_twice(me);
}

static bool has_safepoint(const struct lock_class *class)
{
	return class->safepoint;
}

static void pass_safepoints(unsigned me)
{
	struct shared *s = shared();
	acquire_with(me, 0, 0);
	section(me, 0);
	s->class->safepoint(&s->lock[0], &s->node[me][0]);
	section(me, 0);
	s->class->safepoint(&s->lock[0], &s->node[me][0]);
	release_with(me, 0, 0);
}

static bool knows_groups(const struct lock_class *class)
{
	return class->family == LOCK_NUMA_AWARE || class->family == LOCK_READER_WRITER ||
	       class->family == LOCK_DELEGATION;
}

static bool shares_in_groups(const struct lock_class *class)
{
	return knows_groups(class) && has_readers(class);
}

static bool executes_in_groups(const struct lock_class *class)
{
	return knows_groups(class) && has_execute(class);
}

static const struct lock_scenario scenarios[] = {
	{{"pair", "two workers take turns", 2}, false, always, twice},
	{{"try-held", "try_acquire neither takes nor awaits a held lock", 2}, false, always,
		try_while_held},
	{{"try-race", "try_acquire beside acquire and release", 2}, false, always, try_or_acquire},
	{{"two-locks", "a node serves lock after lock; two locks at once", 2}, false, always,
		two_locks},
	{{"three", "three workers take turns", 3}, false, always, twice},
	{{"reentrant", "its holder comes in again", 2}, false, is_reentrant, nested},
	{{"readers", "readers see whole writes", 2}, false, has_readers, write_read_both},
	{{"readers-order", "readers exclude writers, one after the other", 2}, false, has_readers,
		exclude_readers},
	{{"readers-try", "a writer that only tries, and a reader", 2}, false, has_readers,
		try_to_write},
	{{"readers-three", "a writer and two readers", 3}, false, has_readers, write_and_read},
	{{"readers-together", "readers do not exclude each other", 2}, false, has_readers,
		read_together},
	{{"execute", "sections run once, alone", 2}, false, has_execute, execute_twice},
	{{"execute-three", "sections run once, alone, also beside acquire", 3}, false, has_execute,
		execute_beside_acquire},
	{{"safepoint", "a safepoint lets others in and comes back", 2}, false, has_safepoint,
		pass_safepoints},
	{{"safepoint-three", "a safepoint among three", 3}, false, has_safepoint, pass_safepoints},
	{{"groups", "two workers far apart", 2}, true, knows_groups, twice},
	{{"groups-try", "try_acquire from far", 2}, true, knows_groups, try_while_held},
	{{"groups-three", "two workers close to each other and one far away", 3}, true,
		knows_groups, twice},
	{{"groups-readers", "a writer and two readers, one of them far away", 3}, true,
		shares_in_groups, write_and_read},
	{{"groups-execute", "sections of workers near and far", 3}, true, executes_in_groups,
		execute_beside_acquire},
};
const unsigned scenario_count = sizeof scenarios / sizeof *scenarios;

const struct scenario *scenario_at(unsigned number)
{
	return &scenarios[number].is;
}

/* The main fiber. */

static void *worker(void *argument)
{
	shared()->scenario->work((unsigned)(uintptr_t)argument);
	return NULL;
}

// By one worker when all others rest: nothing can be in the way.
static void use_alone(void)
{
	if (!try_with(0, 0, 0))
		explore_fail("try_acquire fails though the lock is free and nobody else is there");
	section(0, 0);
	release_with(0, 0, 0);
	acquire_with(0, 0, 0);
	section(0, 0);
	release_with(0, 0, 0);
}

static void run_workers(void)
{
	struct shared *s = shared();
	for (unsigned i = 0; i < s->scenario->is.workers; i++)
		fiber_start(i + 1, worker, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < s->scenario->is.workers; i++)
		pthread_join(i + 1, NULL);
}

static void check_heap(void)
{
	for (unsigned i = 0; i < world->blocks; i++)
		if (!world->block[i].freed)
			explore_fail("%u bytes are not freed after fini and retire",
				world->block[i].size);
}

static void *run_scenario(void *argument)
{
	struct shared *s = argument;
	for (unsigned i = 0; i < 2; i++) {
		memset(&s->lock[i], 0xa5, sizeof s->lock[i]);
		if (s->class->init(&s->lock[i], &s->team))
			explore_fail("init fails");
	}
	use_alone();
	run_workers();
	use_alone();
	if (s->count[0] != s->entered)
		explore_fail("%llu of %llu increments were lost",
			(unsigned long long)(s->entered - s->count[0]),
			(unsigned long long)s->entered);
	for (unsigned i = 0; i < 2; i++)
		s->class->fini(&s->lock[i]);
	for (unsigned i = 0; s->class->retire && i < s->scenario->is.workers; i++) {
		s->class->retire(&s->node[i][0]);
		s->class->retire(&s->node[i][1]);
	}
	check_heap();
	return NULL;
}

static const unsigned groups_of_two[] = {0, 1};
static const unsigned groups_of_three[] = {0, 0, 1};

bool scenario_applies(const struct scenario *scenario, const void *subject)
{
	return ((const struct lock_scenario *)scenario)->applies(subject);
}

void scenario_prepare(const struct scenario *scenario, const void *subject)
{
	struct shared *s = shared();
	s->scenario = (const struct lock_scenario *)scenario;
	s->class = subject;
	s->team = (struct lock_team){.workers = scenario->workers, .spare_pu = -1};
	if (s->scenario->groups) {
		s->team.levels = 1;
		s->team.level[0] = (struct lock_level){
			2, scenario->workers == 2 ? groups_of_two : groups_of_three};
	}
	for (unsigned i = 0; i < WORKERS_MOST; i++)
		s->node[i][0].worker = s->node[i][1].worker = i;
	fiber_start(0, run_scenario, s);
}
