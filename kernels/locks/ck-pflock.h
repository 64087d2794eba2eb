// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's phase-fair reader-writer lock.
// Guarantees: as rwlock-phase-fair, of which it is another implementation. Collapses when workers
// outnumber PUs. Cost: one atomic each way for a reader, two each way for a writer. Use it to
// compare.
// The Kit has no attempt that does not wait; the two here are ours, on its words.
// Source: Concurrency Kit, ck_pflock.h, after Brandenburg & Anderson 2010.
#pragma once

/* Our verb would have the same name as the Kit's own, which nobody needs. */
#define ck_pflock_init ck_pflock_clear
#include <ck_pflock.h>
#undef ck_pflock_init

#include "lock.h"

struct ck_pflock_lock {
	ck_pflock_t ck;
};

static inline int ck_pflock_init(struct ck_pflock_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_pflock_clear(&l->ck);
	return 0;
}

static inline void ck_pflock_acquire(struct ck_pflock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_pflock_write_lock(&l->ck);
}

// Takes a writer's turn only when it is free and no reader is inside or waiting, looking in the
// order that rwlock-phase-fair's explains, and passes it on where a reader came meanwhile.
static inline bool ck_pflock_try_acquire(struct ck_pflock_lock *l, struct lock_node *node)
{
	(void)node;
	uint32_t ticket = ck_pr_load_32(&l->ck.wout);
	ck_pr_fence_load();
	uint32_t left = ck_pr_load_32(&l->ck.rout);
	ck_pr_fence_load();
	if (ck_pr_load_32(&l->ck.rin) != left)
		return false;
	ck_pr_fence_load_atomic();
	if (!ck_pr_cas_32(&l->ck.win, ticket, ticket + 1))
		return false;
	if (!ck_pr_cas_32(&l->ck.rin, left, left | CK_PFLOCK_PRES | (ticket & CK_PFLOCK_PHID))) {
		ck_pr_fence_unlock();
		ck_pr_faa_32(&l->ck.wout, 1);
		return false;
	}
	ck_pr_fence_lock();
	return true;
}

static inline void ck_pflock_release(struct ck_pflock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_pflock_write_unlock(&l->ck);
}

static inline void ck_pflock_read_acquire(struct ck_pflock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_pflock_read_lock(&l->ck);
}

static inline bool ck_pflock_read_try_acquire(struct ck_pflock_lock *l, struct lock_node *node)
{
	(void)node;
	uint32_t came = ck_pr_load_32(&l->ck.rin);
	do
		if (came & CK_PFLOCK_WBITS)
			return false;
	while (!ck_pr_cas_32_value(&l->ck.rin, came, came + CK_PFLOCK_RINC, &came));
	ck_pr_fence_lock();
	return true;
}

static inline bool ck_pflock_read_release(struct ck_pflock_lock *l, struct lock_node *node)
{
	(void)node;
	ck_pflock_read_unlock(&l->ck);
	return true;
}

static inline void ck_pflock_fini(struct ck_pflock_lock *l)
{
	(void)l;
}

LOCK_READS(ck_pflock)
LOCK(ck_pflock, .name = "ck-pflock",
	.summary = "Concurrency Kit's phase-fair tickets; writers in order",
	.source = "Concurrency Kit; Brandenburg & Anderson 2010", .family = LOCK_READER_WRITER,
	.fifo = true, .peer = true, READS(ck_pflock));
