// SPDX-License-Identifier: BSD-2-Clause
// Every lock under more workers than PUs, which yield and sleep inside and outside the critical
// section, through all its verbs: nothing is lost, nobody sees half a write, nobody hangs.
// Needs only the C library, so that it is built for other machines too. Each lock in a process of
// its own, which a timer ends. Prints TAP. Locks may be named; LOCKSCALE_STRESS_MS sets the time.
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "locks.h"

#if defined __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

// One build runs each lock for a second; what others add, their checks or their compiler, shows
// soon.
#if defined __SANITIZE_ADDRESS__ || defined __clang__ || THREAD_SANITIZER
enum { DEFAULT_MS = 150 };
#else
enum { DEFAULT_MS = 400 };
#endif

enum {
	WORKERS_MOST = 256,
	HANGS_AFTER_S = 20,
	SECOND_WORD = 7, // what the record's second word is ahead of its first
};

#define LISTED(NAME, ...) &NAME##_class,
static const struct lock_class *const locks[] = {FOR_EACH_LOCK(LISTED, )};
enum { LOCK_COUNT = sizeof locks / sizeof *locks };

struct arena {
	struct any_lock lock[2];
	/* Each lock protects its count; the first also the record, of which readers see both words.
	 * The atomics are for optimistic readers, who look while it is written. */
	LINE_ALIGNED uint64_t count[2];
	unsigned owner[2];
	uint64_t plain_record[2];
	_Atomic uint64_t record[2];
	LINE_ALIGNED const struct lock_class *class;
	bool optimistic;
	struct lock_team team;
	unsigned group[WORKERS_MOST];
	atomic_bool stop;
	_Atomic(const char *) wrong;
};

struct worker {
	struct lock_node node[2];
	struct arena *arena;
	uint64_t random, sections[2], executed;
	pthread_t thread;
};

static void complain(struct arena *a, const char *what)
{
	store(&a->wrong, what, relaxed); /* relaxed: read when all have been joined */
	store(&a->stop, true, relaxed);
}

// xorshift (Marsaglia 2003): each worker its own.
static unsigned below(struct worker *w, unsigned limit)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (unsigned)(w->random >> 32) % limit;
}

// Gives the PU away now and then, where it hurts.
static void stumble(struct worker *w)
{
	unsigned r = below(w, 512);
	if (r == 0)
		usleep(below(w, 100));
	else if (r < 16)
		sched_yield();
}

static void change(struct worker *w, unsigned which, unsigned me)
{
	struct arena *a = w->arena;
	uint64_t count = a->count[which];
	a->owner[which] = me;
	stumble(w);
	if (a->owner[which] != me)
		complain(a, "two workers were inside together");
	a->count[which] = count + 1;
}

static void section(struct worker *w, unsigned which)
{
	change(w, which, w->node[0].worker);
	w->sections[which]++;
}

static void write_record(struct worker *w)
{
	struct arena *a = w->arena;
	/* relaxed: the lock orders; an optimistic reader finds out */
	uint64_t next = load(&a->record[0], relaxed) + 1;
	a->plain_record[0] = next;
	store(&a->record[0], next, relaxed);
	stumble(w);
	a->plain_record[1] = next + SECOND_WORD;
	store(&a->record[1], next + SECOND_WORD, relaxed);
}

static void read_record(struct worker *w, bool trying)
{
	struct arena *a = w->arena;
	uint64_t first, second;
	do {
		if (!trying)
			a->class->read_acquire(&a->lock[0], &w->node[0]);
		else if (!a->class->read_try_acquire(&a->lock[0], &w->node[0]))
			return;
		first = a->optimistic ? load(&a->record[0], relaxed) : a->plain_record[0];
		stumble(w);
		second = a->optimistic ? load(&a->record[1], relaxed) : a->plain_record[1];
	} while (!a->class->read_release(&a->lock[0], &w->node[0]));
	if (second != first + SECOND_WORD)
		complain(a, "a reader saw half of a write");
}

static void acquire_one(struct worker *w)
{
	struct arena *a = w->arena;
	unsigned which = below(w, 4) == 0;
	a->class->acquire(&a->lock[which], &w->node[0]);
	section(w, which);
	if (which == 0)
		write_record(w);
	a->class->release(&a->lock[which], &w->node[0]);
}

static void try_one(struct worker *w)
{
	struct arena *a = w->arena;
	if (!a->class->try_acquire(&a->lock[0], &w->node[0]))
		return;
	section(w, 0);
	a->class->release(&a->lock[0], &w->node[0]);
}

static void hold_both(struct worker *w)
{
	struct arena *a = w->arena;
	unsigned first = below(w, 2);
	a->class->acquire(&a->lock[0], &w->node[0]);
	a->class->acquire(&a->lock[1], &w->node[1]);
	section(w, 0);
	section(w, 1);
	a->class->release(&a->lock[first], &w->node[first]);
	a->class->release(&a->lock[!first], &w->node[!first]);
}

static void hold_thrice(struct worker *w)
{
	struct arena *a = w->arena;
	a->class->acquire(&a->lock[0], &w->node[0]);
	a->class->acquire(&a->lock[0], &w->node[0]);
	bool third = a->class->try_acquire(&a->lock[0], &w->node[0]);
	if (!third)
		complain(a, "try_acquire failed for the holder of a re-entrant lock");
	section(w, 0);
	for (unsigned i = 0; i < 2u + third; i++)
		a->class->release(&a->lock[0], &w->node[0]);
}

static void executed_section(void *state, void *argument)
{
	struct worker *w = argument;
	w->executed++;
	change(w, (unsigned)(state == &w->arena->count[1]), w->node[0].worker);
}

static void execute_one(struct worker *w)
{
	struct arena *a = w->arena;
	uint64_t before = w->executed;
	a->class->execute(&a->lock[0], &w->node[0], executed_section, &a->count[0], w);
	if (w->executed != before + 1)
		complain(a, "a section did not run once");
	w->sections[0]++;
}

static void pass_safepoint(struct worker *w)
{
	struct arena *a = w->arena;
	a->class->acquire(&a->lock[0], &w->node[0]);
	section(w, 0);
	a->class->safepoint(&a->lock[0], &w->node[0]);
	section(w, 0);
	a->class->release(&a->lock[0], &w->node[0]);
}

static void do_something(struct worker *w)
{
	const struct lock_class *class = w->arena->class;
	unsigned r = below(w, 16);
	if (r < 3)
		try_one(w);
	else if (r < 5)
		hold_both(w);
	else if (r < 8 && class->read_acquire)
		read_record(w, r == 5);
	else if (r < 10 && class->reentrant)
		hold_thrice(w);
	else if (r < 12 && class->execute)
		execute_one(w);
	else if (r < 14 && class->safepoint)
		pass_safepoint(w);
	else
		acquire_one(w);
}

static void *work(void *argument)
{
	struct worker *w = argument;
	while (!load(&w->arena->stop, relaxed)) { /* relaxed: only says when to end */
		do_something(w);
		stumble(w);
	}
	return NULL;
}

// A lock that lets a writer in beside a reader has readers who look again.
static bool is_optimistic(struct arena *a, struct worker *reader, struct worker *writer)
{
	if (!a->class->read_acquire)
		return false;
	a->class->read_acquire(&a->lock[0], &reader->node[0]);
	bool beside = a->class->try_acquire(&a->lock[0], &writer->node[0]);
	if (beside)
		a->class->release(&a->lock[0], &writer->node[0]);
	bool counts = a->class->read_release(&a->lock[0], &reader->node[0]);
	if (!beside && !counts)
		complain(a, "what a reader read did not count though nobody wrote");
	return beside;
}

static const char *judge(struct arena *a, struct worker *workers)
{
	for (unsigned which = 0; which < 2; which++) {
		uint64_t sections = 0;
		for (unsigned i = 0; i < a->team.workers; i++)
			sections += workers[i].sections[which];
		if (a->count[which] != sections)
			return "updates were lost";
		if (which == 0 && sections == 0)
			return "nothing was done";
	}
	if (!a->class->try_acquire(&a->lock[0], &workers[0].node[0]))
		return "the lock is not free when all are done";
	a->class->release(&a->lock[0], &workers[0].node[0]);
	return NULL;
}

static unsigned workers_wanted(void)
{
	cpu_set_t pus;
	unsigned n = sched_getaffinity(0, sizeof pus, &pus) ? 2 : (unsigned)CPU_COUNT(&pus);
	n *= 4;
	return n < 8 ? 8 : n > WORKERS_MOST ? WORKERS_MOST : n;
}

static void arena_make(struct arena *a, const struct lock_class *class, bool groups)
{
	a->class = class;
	a->team = (struct lock_team){.workers = workers_wanted(), .spare_pu = -1};
	for (unsigned i = 0; i < a->team.workers; i++)
		a->group[i] = i % 2;
	if (groups) {
		a->team.levels = 1;
		a->team.level[0] = (struct lock_level){2, a->group};
	}
	a->plain_record[1] = SECOND_WORD;
	atomic_init(&a->record[1], SECOND_WORD);
}

static void run_workers(struct arena *a, struct worker *workers, unsigned ms)
{
	unsigned started = 0;
	while (started < a->team.workers &&
		!pthread_create(&workers[started].thread, NULL, work, &workers[started]))
		started++;
	if (started < a->team.workers)
		complain(a, "not all threads could be started");
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000l}, NULL);
	store(&a->stop, true, relaxed); /* relaxed: only says when to end */
	for (unsigned i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

// Returns what went wrong, or null.
static const char *stress(const struct lock_class *class, bool groups, unsigned ms)
{
	struct arena *a = aligned_alloc(LINE_PAIR, sizeof *a);
	struct worker *workers = aligned_alloc(LINE_PAIR, sizeof *workers * WORKERS_MOST);
	if (!a || !workers)
		return "no memory";
	memset(a, 0, sizeof *a);
	memset(workers, 0, sizeof *workers * WORKERS_MOST);
	arena_make(a, class, groups);
	for (unsigned i = 0; i < a->team.workers; i++) {
		workers[i].arena = a;
		workers[i].random = i + 1;
		workers[i].node[0].worker = workers[i].node[1].worker = i;
	}
	if (class->init(&a->lock[0], &a->team) || class->init(&a->lock[1], &a->team))
		return "init failed";
	a->optimistic = is_optimistic(a, &workers[0], &workers[1]);
	run_workers(a, workers, ms);
	const char *wrong = load(&a->wrong, relaxed);
	if (!wrong)
		wrong = judge(a, workers);
	class->fini(&a->lock[0]);
	class->fini(&a->lock[1]);
	for (unsigned i = 0; class->retire && i < a->team.workers; i++) {
		class->retire(&workers[i].node[0]);
		class->retire(&workers[i].node[1]);
	}
	free(workers);
	free(a);
	return wrong;
}

static int stress_in_child(const struct lock_class *class, unsigned ms)
{
	alarm(HANGS_AFTER_S + ms / 1000);
	const char *wrong = stress(class, false, ms / 2);
	if (!wrong)
		wrong = stress(class, true, ms / 2);
	if (wrong)
		printf("# %s: %s\n", class->name, wrong);
	return wrong != NULL;
}

static bool survives(const struct lock_class *class, unsigned ms)
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		exit(stress_in_child(class, ms));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("# %s: hangs\n", class->name);
	else if (WIFSIGNALED(status))
		printf("# %s: died of signal %d\n", class->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		printf("# %s: exit status %d, from a sanitizer\n", class->name,
			WEXITSTATUS(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// All that are meant to work, but those with atomics that ThreadSanitizer does not see; or the
// ones named.
static bool is_wanted(const struct lock_class *class, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], class->name))
			return true;
	return argc < 2 && strncmp(class->summary, "BROKEN", 6) != 0 &&
	       !(THREAD_SANITIZER && class->peer);
}

int main(int argc, char **argv)
{
	const char *text = getenv("LOCKSCALE_STRESS_MS");
	unsigned ms = text ? (unsigned)atoi(text) : DEFAULT_MS, tests = 0;
	bool failed = false;
	for (int i = 0; i < LOCK_COUNT; i++)
		tests += is_wanted(locks[i], argc, argv);
	printf("1..%u\n", tests);
	tests = 0;
	for (int i = 0; i < LOCK_COUNT; i++) {
		if (!is_wanted(locks[i], argc, argv))
			continue;
		bool good = survives(locks[i], ms);
		failed |= !good;
		printf("%sok %u - %s loses nothing among workers that yield and sleep\n",
			good ? "" : "not ", ++tests, locks[i]->name);
	}
	return failed || !tests;
}
