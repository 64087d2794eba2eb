// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "team.h"

enum { STACK_SIZE = 512 * 1024, YIELD_AFTER = 20000 };

// What a worker is told through its mailbox.
enum order {
	REST, // nothing yet
	WORK, // run the team's job
	LEAVE // return from the thread
};

struct member {
	LINE_ALIGNED atomic_uint mailbox; // enum order; the caller writes orders, the worker REST
	struct team *team;
	pthread_t thread;
	unsigned index;
	unsigned pu; // the system's number
};

struct team {
	const struct machine *machine;
	unsigned workers, pus;
	bool pinned;
	struct member *member;
	void (*job)(void *arg, unsigned index); // valid while a job runs
	void *arg;
	LINE_ALIGNED atomic_uint running;    // workers that have not finished the job
	LINE_ALIGNED atomic_uint pin_failed; // workers that could not be pinned
};

static void futex_wait(atomic_uint *word, unsigned value, const struct timespec *timeout)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0);
}

static void futex_wake(atomic_uint *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void finished(struct team *t)
{
	/* A0: release; pairs with A1: the job's results reach the caller */
	if (fetch_sub(&t->running, 1, acq_rel) == 1)
		futex_wake(&t->running);
}

static void wait_until_all_finished(struct team *t, void (*tick)(void *), void *arg)
{
	unsigned left;
	while ((left = load(&t->running, acquire)) != 0) { /* A1: acquire; pairs with A0 */
		futex_wait(&t->running, left, &(struct timespec){.tv_sec = 1});
		/* A wait that ends early only costs a call too many. */
		if (tick && load(&t->running, relaxed) != 0)
			tick(arg);
	}
}

static void *member_main(void *arg)
{
	struct member *me = arg;
	struct team *t = me->team;
	if (t->pinned && machine_pin(t->machine, me->pu) < 0)
		fetch_add(&t->pin_failed, 1, relaxed); /* relaxed: A0 publishes */
	finished(t);
	for (;;) {
		unsigned order;
		while ((order = load(&me->mailbox, acquire)) == REST) /* B1: pairs with B0 */
			futex_wait(&me->mailbox, REST, NULL);
		if (order == LEAVE)
			return NULL;
		store(&me->mailbox, REST, relaxed); /* relaxed: the caller waits for A0 first */
		t->job(t->arg, me->index);
		finished(t);
	}
}

static void post(struct member *m, enum order order)
{
	store(&m->mailbox, order, release); /* B0: release; pairs with B1 */
	futex_wake(&m->mailbox);
}

static int start_thread(struct member *m)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	int rc = pthread_create(&m->thread, &attr, member_main, m);
	pthread_attr_destroy(&attr);
	return rc;
}

static void dismiss(struct team *t, unsigned workers)
{
	for (unsigned i = 0; i < workers; i++)
		post(&t->member[i], LEAVE);
	for (unsigned i = 0; i < workers; i++)
		pthread_join(t->member[i].thread, NULL);
	free(t->member);
	free(t);
}

int team_create(struct team **team, const struct machine *m, const unsigned *order, unsigned pus,
	unsigned workers, bool pinned, struct error *e)
{
	struct team *t = aligned_alloc(LINE_PAIR, sizeof *t);
	if (!t)
		return error_set(e, ENOMEM, "no memory for a team");
	memset(t, 0, sizeof *t);
	*t = (struct team){.machine = m, .workers = workers, .pus = pus, .pinned = pinned};
	t->member = aligned_alloc(LINE_PAIR, workers * sizeof *t->member);
	if (!t->member) {
		free(t);
		return error_set(e, ENOMEM, "no memory for a team of %u workers", workers);
	}
	memset(t->member, 0, workers * sizeof *t->member);
	atomic_init(&t->running, workers);
	for (unsigned i = 0; i < workers; i++) {
		struct member *w = &t->member[i];
		w->team = t;
		w->index = i;
		w->pu = m->pu[order[i % pus]].os;
		int rc = start_thread(w);
		if (rc) {
			dismiss(t, i);
			return error_set(e, rc, "cannot start worker %u of %u: %s", i + 1, workers,
				strerror(rc));
		}
	}
	wait_until_all_finished(t, NULL, NULL);
	unsigned failed = load(&t->pin_failed, relaxed); /* relaxed: A1 has brought it */
	if (failed) {
		dismiss(t, workers);
		return error_set(e, EPERM,
			"%u of %u workers could not be pinned: has the set of allowed CPUs "
			"changed?",
			failed, workers);
	}
	*team = t;
	return 0;
}

void team_destroy(struct team *t)
{
	if (t)
		dismiss(t, t->workers);
}

void team_run(struct team *t, unsigned active, void (*job)(void *arg, unsigned index),
	void (*tick)(void *arg), void *arg)
{
	t->job = job;
	t->arg = arg;
	store(&t->running, active, relaxed); /* relaxed: B0 publishes it */
	for (unsigned i = 0; i < active; i++)
		post(&t->member[i], WORK);
	wait_until_all_finished(t, tick, arg);
}

bool team_pinned(const struct team *t)
{
	return t->pinned;
}

bool team_oversubscribed(const struct team *t, unsigned active)
{
	return active > t->pus;
}

unsigned team_pu(const struct team *t, unsigned index)
{
	return t->member[index].pu;
}

void wait_step(unsigned *steps, bool yield)
{
	/* Even where each worker has its PU, whoever it waits for may have been preempted there. */
	if (yield || ++*steps % YIELD_AFTER == 0)
		sched_yield();
	else
		cpu_relax();
}

void barrier_init(struct barrier *b, unsigned count, bool yield)
{
	b->count = count;
	b->yield = yield;
	atomic_init(&b->arrived, 0);
	atomic_init(&b->generation, 0);
}

void barrier_wait(struct barrier *b)
{
	unsigned generation =
		load(&b->generation, relaxed); /* relaxed: cannot change before we arrive */
	unsigned steps = 0;
	/* C0: acquire, release; the last to arrive sees what all others did before */
	if (fetch_add(&b->arrived, 1, acq_rel) == b->count - 1) {
		store(&b->arrived, 0, relaxed);                 /* relaxed: C1 publishes it */
		store(&b->generation, generation + 1, release); /* C1: release; pairs with C2 */
		return;
	}
	while (load(&b->generation, acquire) == generation) /* C2: acquire; pairs with C1 */
		wait_step(&steps, b->yield);
}
