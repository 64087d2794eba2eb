// SPDX-License-Identifier: BSD-2-Clause
// The tour's claims about threads themselves: started and joined, detached; and about what keeps
// them apart: mutex, re-entrant lock, semaphore.
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "kernels/locks/mutex.h"
#include "kernels/locks/rlock.h"
#include "team.h"
#include "tour.h"
#include "usage.h"

// The errors that are expected, as programmers write them.
static const char *error_name(int error)
{
	return error == EDEADLK ? "EDEADLK" : error == EINVAL ? "EINVAL" : error ? "error" : "0";
}

/* Started, run to the end, joined. */

static void *run_to_the_end(void *arg)
{
	*(bool *)arg = true;
	return NULL;
}

static void *join_myself(void *arg)
{
	*(int *)arg = pthread_join(pthread_self(), NULL);
	return NULL;
}

// Times in ns; *ended: how many had run to their end when they were joined.
static int time_joins(double *start, double *both, size_t count, size_t *ended, struct error *e)
{
	*ended = 0;
	for (size_t i = 0; i < count; i++) {
		pthread_t thread;
		bool end = false;
		uint64_t before = clock_ns();
		int rc = pthread_create(&thread, NULL, run_to_the_end, &end);
		uint64_t started = clock_ns();
		if (rc)
			return error_set(e, rc, "cannot start a thread: %s", strerror(rc));
		pthread_join(thread, NULL);
		both[i] = (double)(clock_ns() - before);
		start[i] = (double)(started - before);
		*ended += end;
	}
	return 0;
}

static int try_to_join_oneself(int *found, struct error *e)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, join_myself, found);
	if (rc)
		return error_set(e, rc, "cannot start a thread: %s", strerror(rc));
	pthread_join(thread, NULL);
	return 0;
}

int tour_join(struct tour *t, struct finding *f, struct error *e)
{
	enum { MOST = 2000 };
	size_t count = t->quick ? MOST / 4 : MOST, ended;
	double *start = calloc(MOST, sizeof *start), *both = calloc(MOST, sizeof *both);
	char a[64], b[64];
	int found = 0;
	int rc = start && both ? 0 : -ENOMEM;
	fprintf(f->experiment,
		"%zu threads, one after the other: started, each sets a flag as the last it does, "
		"joined; PUs as the system chooses. Then one that joins itself.",
		count);
	if (!rc)
		rc = time_joins(start, both, count, &ended, e);
	if (!rc)
		rc = try_to_join_oneself(&found, e);
	if (!rc) {
		struct spread s = spread_of(start, count), j = spread_of(both, count);
		fprintf(f->result,
			"starting one takes %s us, start and join together %s us; %zu of %zu had "
			"run to the end when joined\njoining oneself: %s (%s)\n",
			spread_text(&s, 1e-3, a, sizeof a), spread_text(&j, 1e-3, b, sizeof b),
			ended, count, error_name(found), strerror(found));
		finding_measure(f, &s, "ns", "start");
		finding_measure(f, &j, "ns", "start and join");
		finding_answer(f, "when joined by another", answer_of(ended == count));
		finding_answer(f, "when joining itself", answer_of(found == EDEADLK));
	}
	free(start);
	free(both);
	return rc;
}

/* Detached: in a child process, since it is the program's end that ends it. */

enum { STEPS = 40, STEPS_BEFORE_END = 10, STEP_US = 1000 };

struct background {
	int out; // a byte for each step
	_Atomic unsigned steps;
};

static void *work_in_background(void *arg)
{
	struct background *b = arg;
	for (unsigned i = 0; i < STEPS && write(b->out, "s", 1) == 1; i++) {
		fetch_add(&b->steps, 1, relaxed); /* relaxed: a count, nothing goes with it */
		usleep(STEP_US);
	}
	return NULL;
}

// The child's program: ends when the thread has made some steps, or has joined it. The exit status
// is the error that joining gave.
static void end_before_thread(int out, bool detached)
{
	struct background b = {.out = out};
	pthread_attr_t attr;
	pthread_t thread;
	pthread_attr_init(&attr);
	if (detached)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, work_in_background, &b))
		_exit(255);
	pthread_attr_destroy(&attr);
	while (load(&b.steps, relaxed) < STEPS_BEFORE_END) /* relaxed: see fetch_add */
		usleep(STEP_US);
	_exit(pthread_join(thread, NULL));
}

struct ending {
	unsigned steps;
	int join; // error
};

static int see_it_end(bool detached, struct ending *end, struct error *e)
{
	int ends[2], status;
	char byte;
	if (pipe(ends))
		return error_set(e, errno, "cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		if (getppid() == parent)
			end_before_thread(ends[1], detached);
		_exit(255);
	}
	close(ends[1]);
	/* The end of file comes when nobody can write any more: no thread of it is left. */
	*end = (struct ending){0};
	while (child > 0 && read(ends[0], &byte, 1) == 1)
		end->steps++;
	close(ends[0]);
	if (child < 0)
		return error_set(e, errno, "cannot fork: %s", strerror(errno));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 255)
		return error_set(e, ECHILD, "the child process ended with status %d", status);
	end->join = WEXITSTATUS(status);
	return 0;
}

int tour_daemon(struct tour *t, struct finding *f, struct error *e)
{
	unsigned repetitions = t->quick ? 3 : 10;
	unsigned detached_steps = 0, joined_steps = 0;
	int joining = 0, rc = 0;
	fprintf(f->experiment,
		"A program (a child process) starts a thread that takes %d steps, and ends after "
		"%d of them: %u times with the thread detached, after trying to join it; %u times "
		"with one that it can join. PUs as the system chooses.",
		STEPS, STEPS_BEFORE_END, repetitions, repetitions);
	for (unsigned i = 0; i < repetitions && !rc; i++) {
		struct ending detached, joined;
		rc = see_it_end(true, &detached, e);
		if (!rc)
			rc = see_it_end(false, &joined, e);
		if (!rc)
			rc = tour_continues(t, e);
		if (rc)
			break;
		detached_steps += detached.steps;
		joined_steps += joined.steps;
		joining = detached.join;
	}
	if (rc)
		return rc;
	fprintf(f->result,
		"detached: %u of %u steps were made, the rest vanished with the program; joining "
		"it "
		"gave %s (%s)\njoined: %u of %u steps\n",
		detached_steps, repetitions * STEPS, error_name(joining), strerror(joining),
		joined_steps, repetitions * STEPS);
	struct spread share = spread_single((double)detached_steps / (repetitions * STEPS));
	finding_measure(f, &share, "share", "steps made by the detached thread");
	finding_answer(f, "of its end", answer_of(detached_steps < joined_steps));
	finding_answer(f, "of joining it", answer_of(joining == EINVAL));
	return 0;
}

/* Mutex. */

enum { SECTIONS = 20000, COST_SECTIONS = 200000, HELD_MS = 20 };

struct critical {
	LINE_ALIGNED pthread_mutex_t mutex;
	LINE_ALIGNED uint64_t counter; // under the mutex
	LINE_ALIGNED _Atomic unsigned inside, most;
	LINE_ALIGNED struct barrier start;
	uint64_t sections;                // by each worker
	uint64_t released_ns, entered_ns; // of hold_and_wait
	uint64_t slept;
	uint64_t begin_ns, end_ns[TOUR_WORKERS_MOST];
};

// relaxed throughout: what is looked for is two inside at once, which the mutex must exclude; it
// brings the memory along.
static void pass_through(struct critical *c)
{
	unsigned inside = fetch_add(&c->inside, 1, relaxed) + 1;
	unsigned most = load(&c->most, relaxed);
	while (inside > most && !compare_exchange(&c->most, &most, inside, relaxed, relaxed))
		;
	c->counter++;
	fetch_sub(&c->inside, 1, relaxed);
}

static void count_inside(void *arg, unsigned index)
{
	struct critical *c = arg;
	(void)index;
	barrier_wait(&c->start);
	for (uint64_t i = 0; i < c->sections; i++) {
		pthread_mutex_lock(&c->mutex);
		pass_through(c);
		pthread_mutex_unlock(&c->mutex);
	}
}

// Worker 0 keeps the mutex for a while, worker 1 asks for it meanwhile.
static void hold_and_wait(void *arg, unsigned index)
{
	struct critical *c = arg;
	struct usage before, after;
	if (index == 0) {
		pthread_mutex_lock(&c->mutex);
		barrier_wait(&c->start);
		usleep(HELD_MS * 1000);
		c->released_ns = clock_ns();
		pthread_mutex_unlock(&c->mutex);
		return;
	}
	barrier_wait(&c->start);
	usage_read(&before, -1);
	pthread_mutex_lock(&c->mutex);
	c->entered_ns = clock_ns();
	pthread_mutex_unlock(&c->mutex);
	usage_read(&after, -1);
	c->slept = after.voluntary - before.voluntary;
}

static void time_sections(void *arg, unsigned index)
{
	struct critical *c = arg;
	barrier_wait(&c->start);
	if (index == 0)
		c->begin_ns = clock_ns();
	for (uint64_t i = 0; i < c->sections; i++) {
		pthread_mutex_lock(&c->mutex);
		c->counter++;
		pthread_mutex_unlock(&c->mutex);
	}
	c->end_ns[index] = clock_ns();
}

// ns for each section that any worker passed.
static double cost_of_section(struct critical *c, struct team *team, unsigned workers, bool yield)
{
	uint64_t last = 0;
	barrier_init(&c->start, workers, yield);
	c->sections = COST_SECTIONS / workers;
	team_run(team, workers, time_sections, NULL, c);
	for (unsigned i = 0; i < workers; i++)
		last = c->end_ns[i] > last ? c->end_ns[i] : last;
	return (double)(last - c->begin_ns) / (double)(c->sections * workers);
}

static int measure_mutex(struct tour *t, struct critical *c, struct team *team, unsigned workers,
	struct finding *f, struct error *e)
{
	enum { REPETITIONS = 9 };
	double alone[REPETITIONS], together[REPETITIONS];
	bool yield = team_oversubscribed(team, workers);
	char a[64], b[64];
	uint64_t expected = (uint64_t)workers * SECTIONS;
	barrier_init(&c->start, workers, yield);
	c->sections = SECTIONS;
	team_run(team, workers, count_inside, NULL, c);
	barrier_init(&c->start, 2, yield);
	team_run(team, 2, hold_and_wait, NULL, c);
	uint64_t counted = c->counter;
	bool blocked = c->entered_ns >= c->released_ns && c->slept > 0;
	unsigned most = load(&c->most, relaxed); /* relaxed: at rest */
	for (int i = 0; i < REPETITIONS; i++) {
		int rc = tour_continues(t, e);
		if (rc)
			return rc;
		alone[i] = cost_of_section(c, team, 1, false);
		together[i] = cost_of_section(c, team, workers, yield);
	}
	struct spread one = spread_of(alone, REPETITIONS), all = spread_of(together, REPETITIONS);
	fprintf(f->result,
		"the counter ended at %" PRIu64 ", should be %" PRIu64
		"; at most %u inside at once\nwhile one kept it for %d ms, another %s\na section "
		"costs %s ns alone, %s ns with %u workers\n",
		counted, expected, most, HELD_MS,
		blocked ? "slept until it was released" : "did not wait asleep",
		spread_text(&one, 1, a, sizeof a), spread_text(&all, 1, b, sizeof b), workers);
	finding_measure(f, &one, "ns", "section, 1 worker");
	finding_measure(f, &all, "ns", "section, %u workers", workers);
	finding_answer(f, "of the count", answer_of(counted == expected));
	finding_answer(f, "of who is inside", answer_limit(most, 1));
	finding_answer(f, "of those that wait", answer_of(blocked));
	return 0;
}

int tour_mutex(struct tour *t, struct finding *f, struct error *e)
{
	unsigned workers = t->workers > 1 ? t->workers : 2;
	struct team *team;
	char pus[128];
	struct critical *c = aligned_alloc(LINE_PAIR, sizeof *c);
	if (!c)
		return -ENOMEM;
	memset(c, 0, sizeof *c);
	pthread_mutex_init(&c->mutex, NULL);
	fprintf(f->experiment,
		"%u workers on %s pass %d times each through a critical section under a C library "
		"mutex; it counts, and how many are inside.",
		workers, tour_pus(t, workers, pus, sizeof pus), SECTIONS);
	int rc =
		team_create(&team, &t->machine, t->order, t->machine.allowed_pus, workers, true, e);
	if (!rc) {
		rc = measure_mutex(t, c, team, workers, f, e);
		team_destroy(team);
	}
	pthread_mutex_destroy(&c->mutex);
	free(c);
	return rc;
}

/* Re-entrant lock. */

struct attempt {
	const struct lock_class *class;
	void *lock;
	bool entered;
};

static void *try_from_another_thread(void *arg)
{
	struct attempt *a = arg;
	struct lock_node node = {.worker = 1};
	a->entered = a->class->try_acquire(a->lock, &node);
	if (a->entered)
		a->class->release(a->lock, &node);
	return NULL;
}

static int another_enters(
	const struct lock_class *class, void *lock, bool *entered, struct error *e)
{
	struct attempt a = {.class = class, .lock = lock};
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, try_from_another_thread, &a);
	if (rc)
		return error_set(e, rc, "cannot start a thread: %s", strerror(rc));
	pthread_join(thread, NULL);
	*entered = a.entered;
	return 0;
}

// The steps of the story; each as it was found.
struct reentry {
	bool again;       // the owner acquired it a second time
	bool other_at[3]; // another thread could enter: held twice, held once, free
};

static int try_reentry(
	const struct lock_class *class, void *lock, struct reentry *r, struct error *e)
{
	struct lock_node node = {.worker = 0};
	class->acquire(lock, &node);
	r->again = class->try_acquire(lock, &node);
	int rc = another_enters(class, lock, &r->other_at[0], e);
	if (r->again)
		class->release(lock, &node);
	if (!rc)
		rc = another_enters(class, lock, &r->other_at[1], e);
	class->release(lock, &node);
	return rc ? rc : another_enters(class, lock, &r->other_at[2], e);
}

// What a plain mutex does to an owner that waits for it: nobody will ever release it.
static int wait_for_own_mutex(unsigned ms)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mutex);
	int rc = pthread_mutex_timedlock(&mutex, &until);
	pthread_mutex_unlock(&mutex);
	pthread_mutex_destroy(&mutex);
	return rc;
}

// ns for an acquisition and its release: the first, and one by the owner.
static void time_rlock(struct rlock_lock *lock, size_t count, double *first, double *again)
{
	enum { LOOPS = 200000 };
	struct lock_node node = {.worker = 0};
	for (size_t r = 0; r < count; r++) {
		uint64_t a = clock_ns();
		for (int i = 0; i < LOOPS; i++) {
			rlock_acquire(lock, &node);
			rlock_release(lock, &node);
		}
		uint64_t b = clock_ns();
		rlock_acquire(lock, &node);
		for (int i = 0; i < LOOPS; i++) {
			rlock_acquire(lock, &node);
			rlock_release(lock, &node);
		}
		rlock_release(lock, &node);
		first[r] = (double)(b - a) / LOOPS;
		again[r] = (double)(clock_ns() - b) / LOOPS;
	}
}

int tour_rlock(struct tour *t, struct finding *f, struct error *e)
{
	enum { REPETITIONS = 9, WAIT_MS = 50 };
	struct any_lock rlock, mutex;
	struct reentry of_rlock, of_mutex;
	double first[REPETITIONS], again[REPETITIONS];
	char a[64], b[64];
	(void)t;
	fprintf(f->experiment,
		"One thread acquires the lock, then tries to again; another one tries while it is "
		"held, after each release: for lock rlock and lock mutex. And the owner of a mutex "
		"waits for it for %d ms. PUs as the system chooses.",
		WAIT_MS);
	if (rlock_class.init(&rlock, NULL) || mutex_class.init(&mutex, NULL))
		return error_set(e, ENOMEM, "cannot make a lock");
	int rc = try_reentry(&rlock_class, &rlock, &of_rlock, e);
	if (!rc)
		rc = try_reentry(&mutex_class, &mutex, &of_mutex, e);
	if (!rc) {
		int waited = wait_for_own_mutex(WAIT_MS);
		time_rlock((struct rlock_lock *)&rlock, REPETITIONS, first, again);
		struct spread one = spread_of(first, REPETITIONS);
		struct spread two = spread_of(again, REPETITIONS);
		fprintf(f->result,
			"rlock: its owner acquires it again: %s; another thread may enter while it "
			"is held twice: %s, once: %s, released as often as acquired: %s\n"
			"mutex: its owner acquires it again: %s; its owner waited for itself: %s "
			"after %d ms\nan rlock costs %s ns, %s ns for its owner\n",
			of_rlock.again ? "yes" : "no", of_rlock.other_at[0] ? "yes" : "no",
			of_rlock.other_at[1] ? "yes" : "no", of_rlock.other_at[2] ? "yes" : "no",
			of_mutex.again ? "yes" : "no",
			waited == ETIMEDOUT ? "deadlock, given up" : strerror(waited), WAIT_MS,
			spread_text(&one, 1, a, sizeof a), spread_text(&two, 1, b, sizeof b));
		finding_measure(f, &one, "ns", "rlock, acquired and released");
		finding_measure(f, &two, "ns", "rlock, by its owner");
		finding_answer(f, "of a re-entrant lock",
			answer_of(of_rlock.again && !of_rlock.other_at[0] &&
				  !of_rlock.other_at[1] && of_rlock.other_at[2]));
		finding_answer(f, "of a mutex", answer_of(of_mutex.again || waited == 0));
	}
	rlock_class.fini(&rlock);
	mutex_class.fini(&mutex);
	return rc;
}

/* Semaphore. */

enum { PERMITS = 3, ENTRANTS = 8, ENTRIES = 300 };

struct room {
	sem_t permits;
	_Atomic unsigned inside, most;
	_Atomic uint64_t entered;
};

static void *enter_often(void *arg)
{
	struct room *r = arg;
	for (int i = 0; i < ENTRIES; i++) {
		while (sem_wait(&r->permits) && errno == EINTR)
			;
		/* relaxed: each a count of its own; nothing else is in the room */
		unsigned inside = fetch_add(&r->inside, 1, relaxed) + 1;
		unsigned most = load(&r->most, relaxed);
		while (inside > most &&
			!compare_exchange(&r->most, &most, inside, relaxed, relaxed))
			;
		fetch_add(&r->entered, 1, relaxed);
		usleep(20);
		fetch_sub(&r->inside, 1, relaxed);
		sem_post(&r->permits);
	}
	return NULL;
}

int tour_semaphore(struct tour *t, struct finding *f, struct error *e)
{
	struct room r = {.inside = 0};
	pthread_t thread[ENTRANTS];
	unsigned started = 0;
	int rc = 0;
	(void)t;
	fprintf(f->experiment,
		"%d threads enter %d times each where a semaphore gives %d permits, and stay "
		"asleep for a moment; it counts how many are inside. PUs as the system chooses.",
		ENTRANTS, ENTRIES, PERMITS);
	if (sem_init(&r.permits, 0, PERMITS))
		return error_set(e, errno, "cannot make a semaphore: %s", strerror(errno));
	for (; started < ENTRANTS && !rc; started += !rc)
		rc = pthread_create(&thread[started], NULL, enter_often, &r);
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	sem_destroy(&r.permits);
	if (rc)
		return error_set(e, rc, "cannot start a thread: %s", strerror(rc));
	unsigned most = load(&r.most, relaxed);       /* relaxed: joined */
	uint64_t entered = load(&r.entered, relaxed); /* relaxed: joined */
	fprintf(f->result, "%" PRIu64 " entries; at most %u inside at once, of %d permitted\n",
		entered, most, PERMITS);
	struct spread inside = spread_single(most);
	finding_measure(f, &inside, "threads", "most inside at once, %d permits", PERMITS);
	finding_answer(f, "of the limit", answer_limit(most, PERMITS));
	return 0;
}
