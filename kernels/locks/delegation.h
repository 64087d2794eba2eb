// SPDX-License-Identifier: BSD-2-Clause
// Delegation: a server, a thread of the lock's own, runs all sections; workers send them to it.
// Guarantees: mutual exclusion; no order, but the server goes round, so nobody starves who has a
// PU. A section runs on the server, so it must not acquire a lock itself. Acquire asks the server
// to stand still until the release.
// Cost: an operation is two transfers of the worker's own line, also where nobody else wants the
// lock, and a PU for the server. Without a PU to spare the server shares one with workers: both
// then yield while they wait, so that it works, oversubscribed too, but who shares the server's PU
// is served far less often than the others. Use it where many workers keep changing data that
// should stay in one cache.
// Source: Lozi et al., USENIX ATC 2012 (RCL); Roghanchi, Eriksson & Basu, SOSP 2017 (ffwd).
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lock.h"

// What a record's `request` says. The worker writes the last three, only over one of the first two;
// the server the first two, only over one of the last three.
enum {
	DELEGATION_DONE,
	DELEGATION_REFUSED,
	DELEGATION_ACQUIRE,
	DELEGATION_TRY_ACQUIRE,
	DELEGATION_EXECUTE,
};

// The line between a worker and the server.
struct delegation_record {
	LINE_ALIGNED atomic_uint request;
	atomic_bool owns; // set by the server before it answers, cleared by the release
	void (*section)(void *state, void *argument);
	void *state, *argument;
};

struct delegation_lock {
	struct delegation_record *record; // one per worker
	unsigned workers;
	unsigned patience; // pauses until who waits yields
	pthread_t server;
	atomic_bool stop;
};

enum { DELEGATION_PATIENCE = 4096, DELEGATION_PATIENCE_SHARED = 16 };

static inline void delegation_pause(const struct delegation_lock *l, unsigned *pauses)
{
	cpu_relax();
	if (++*pauses >= l->patience) {
		*pauses = 0;
		sched_yield();
	}
}

// By the server: answers a request, unless there is none or it has to wait for the owner.
static inline bool delegation_answer(struct delegation_record *r, struct delegation_record **owner)
{
	unsigned answer = DELEGATION_DONE;
	unsigned request = load(&r->request, acquire); /* A1: acquire; pairs with A0 */
	if (request <= DELEGATION_REFUSED)
		return false;
	/* Only now: a release that came before the request must be seen, or a free lock is
	 * refused. C1: acquire; pairs with C0 */
	if (*owner && !load(&(*owner)->owns, acquire))
		*owner = NULL;
	if (*owner && request != DELEGATION_TRY_ACQUIRE)
		return false;
	if (*owner) {
		answer = DELEGATION_REFUSED;
	} else if (request == DELEGATION_EXECUTE) {
		r->section(r->state, r->argument);
	} else {
		store(&r->owns, true, relaxed); /* relaxed: B0 publishes it */
		*owner = r;
	}
	store(&r->request, answer, release); /* B0: release; pairs with B1 */
	return true;
}

static __attribute__((noinline, unused)) void *delegation_serve(void *lock)
{
	struct delegation_lock *l = lock;
	struct delegation_record *owner = NULL;
	unsigned pauses = 0;
	while (!load(&l->stop, relaxed)) { /* relaxed: only says when to stop */
		bool busy = false;
		for (unsigned i = 0; i < l->workers; i++)
			busy |= delegation_answer(&l->record[i], &owner);
		if (busy)
			pauses = 0;
		else
			delegation_pause(l, &pauses);
	}
	return NULL;
}

// Away from the PU of the worker that created it: to the spare one, else to all that the process
// may use (its first thread is pinned nowhere). Where that is refused it runs where it is.
static inline void delegation_place(const struct delegation_lock *l, int spare_pu)
{
	cpu_set_t pus;
	CPU_ZERO(&pus);
	if (spare_pu >= 0)
		CPU_SET(spare_pu, &pus);
	else if (sched_getaffinity(getpid(), sizeof pus, &pus) != 0)
		return;
	pthread_setaffinity_np(l->server, sizeof pus, &pus);
}

static inline int delegation_init(struct delegation_lock *l, const struct lock_team *team)
{
	l->workers = team->workers;
	l->patience = team->spare_pu >= 0 ? DELEGATION_PATIENCE : DELEGATION_PATIENCE_SHARED;
	atomic_init(&l->stop, false);
	l->record = aligned_alloc(LINE_PAIR, team->workers * sizeof *l->record);
	if (!l->record)
		return ENOMEM;
	for (unsigned i = 0; i < team->workers; i++) {
		atomic_init(&l->record[i].request, DELEGATION_DONE);
		atomic_init(&l->record[i].owns, false);
	}
	int rc = pthread_create(&l->server, NULL, delegation_serve, l);
	if (rc) {
		free(l->record);
		l->record = NULL;
		return rc;
	}
	delegation_place(l, team->spare_pu);
	return 0;
}

static __attribute__((noinline, unused)) unsigned delegation_wait(
	const struct delegation_lock *l, struct delegation_record *mine)
{
	unsigned answer, pauses = 0;
	while ((answer = load(&mine->request, acquire)) >
		DELEGATION_REFUSED) /* B1: pairs with B0 */
		delegation_pause(l, &pauses);
	return answer;
}

static inline unsigned delegation_ask(
	struct delegation_lock *l, struct lock_node *node, unsigned request)
{
	struct delegation_record *mine = &l->record[node->worker];
	store(&mine->request, request, release); /* A0: release; pairs with A1 */
	return delegation_wait(l, mine);
}

static inline void delegation_acquire(struct delegation_lock *l, struct lock_node *node)
{
	delegation_ask(l, node, DELEGATION_ACQUIRE);
}

static inline bool delegation_try_acquire(struct delegation_lock *l, struct lock_node *node)
{
	return delegation_ask(l, node, DELEGATION_TRY_ACQUIRE) == DELEGATION_DONE;
}

static inline void delegation_release(struct delegation_lock *l, struct lock_node *node)
{
	store(&l->record[node->worker].owns, false, release); /* C0: release; pairs with C1 */
}

static inline void delegation_execute(struct delegation_lock *l, struct lock_node *node,
	void (*section)(void *state, void *argument), void *state, void *argument)
{
	struct delegation_record *mine = &l->record[node->worker];
	mine->section = section;
	mine->state = state;
	mine->argument = argument;
	delegation_ask(l, node, DELEGATION_EXECUTE);
}

static inline void delegation_fini(struct delegation_lock *l)
{
	if (!l->record) /* init failed */
		return;
	store(&l->stop, true, relaxed); /* relaxed: the join orders */
	pthread_join(l->server, NULL);
	free(l->record);
}

LOCK_EXECUTE(delegation)
LOCK(delegation, .name = "delegation",
	.summary = "a server thread runs all sections; workers send them",
	.source = "Lozi et al. 2012 (RCL); Roghanchi et al. 2017 (ffwd)", .family = LOCK_DELEGATION,
	.single = true, EXECUTES(delegation));
