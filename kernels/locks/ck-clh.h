// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's CLH lock.
// Guarantees: mutual exclusion; first come, first served. Collapses when workers outnumber PUs.
// Source: Concurrency Kit, spinlock/clh.h
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <ck_spinlock.h>

#include "lock.h"

struct ck_clh_lock {
	ck_spinlock_clh_t *tail;
};

struct ck_clh_node {
	ck_spinlock_clh_t *mine; // null: none yet
};

static inline ck_spinlock_clh_t *ck_clh_place(void)
{
	_Static_assert(sizeof(ck_spinlock_clh_t) <= LINE_PAIR, "a place has its own lines");
	return aligned_alloc(LINE_PAIR, LINE_PAIR);
}

static inline int ck_clh_init(struct ck_clh_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_spinlock_clh_t *unowned = ck_clh_place();
	if (!unowned)
		return ENOMEM;
	ck_spinlock_clh_init(&l->tail, unowned);
	return 0;
}

// There is no way to say that memory is out, nor to go on.
static __attribute__((noinline, unused)) void ck_clh_first(struct ck_clh_node *me)
{
	me->mine = ck_clh_place();
	if (!me->mine)
		abort();
}

static inline void ck_clh_acquire(struct ck_clh_lock *l, struct lock_node *node)
{
	struct ck_clh_node *me = (struct ck_clh_node *)node;
	if (!me->mine)
		ck_clh_first(me);
	ck_spinlock_clh_lock(&l->tail, me->mine);
}

// CK has no such verb for it. Where the tail has gone and come back in use between the two looks,
// this one waits: it cannot leave CK's queue.
static inline bool ck_clh_try_acquire(struct ck_clh_lock *l, struct lock_node *node)
{
	struct ck_clh_node *me = (struct ck_clh_node *)node;
	if (!me->mine)
		ck_clh_first(me);
	ck_spinlock_clh_t *before = ck_pr_load_ptr(&l->tail);
	if (ck_pr_load_uint(&before->wait))
		return false;
	me->mine->wait = true;
	me->mine->previous = before;
	ck_pr_fence_store_atomic();
	if (!ck_pr_cas_ptr(&l->tail, before, me->mine))
		return false;
	ck_pr_fence_load();
	while (ck_pr_load_uint(&before->wait))
		ck_pr_stall();
	ck_pr_fence_lock();
	return true;
}

static inline void ck_clh_release(struct ck_clh_lock *l, struct lock_node *node)
{
	(void)l;
	ck_spinlock_clh_unlock(&((struct ck_clh_node *)node)->mine);
}

static inline void ck_clh_fini(struct ck_clh_lock *l)
{
	free(l->tail);
}

static inline void ck_clh_retire(struct lock_node *node)
{
	free(((struct ck_clh_node *)node)->mine);
}

LOCK(ck_clh, .name = "ck-clh", .summary = "Concurrency Kit's CLH queue",
	.source = "Concurrency Kit", .family = LOCK_SPINNING, .fifo = true, .peer = true,
	.retire = ck_clh_retire);
