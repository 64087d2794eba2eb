// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's ticket lock, without backoff.
// Guarantees: mutual exclusion; first come, first served. Collapses when workers outnumber PUs.
// Source: Concurrency Kit, spinlock/ticket.h
#pragma once

#include <ck_spinlock.h>

#include "lock.h"

struct ck_ticket_lock {
	ck_spinlock_ticket_t ck;
};

static inline int ck_ticket_init(struct ck_ticket_lock *l, const struct lock_team *team)
{
	(void)team;
	ck_spinlock_ticket_init(&l->ck);
	return 0;
}

static inline void ck_ticket_acquire(struct ck_ticket_lock *l, struct lock_node *node)
{
	(void)node;
	ck_spinlock_ticket_lock(&l->ck);
}

// CK has no such verb for it but on x86, where both numbers share a word.
static inline bool ck_ticket_try(ck_spinlock_ticket_t *ck)
{
#ifdef CK_F_SPINLOCK_TICKET_TRYLOCK
	return ck_spinlock_ticket_trylock(ck);
#else
	unsigned position = ck_pr_load_uint(&ck->position);
	if (!ck_pr_cas_uint(&ck->next, position, position + 1))
		return false;
	ck_pr_fence_lock();
	return true;
#endif
}

static inline bool ck_ticket_try_acquire(struct ck_ticket_lock *l, struct lock_node *node)
{
	(void)node;
	return ck_ticket_try(&l->ck);
}

static inline void ck_ticket_release(struct ck_ticket_lock *l, struct lock_node *node)
{
	(void)node;
	ck_spinlock_ticket_unlock(&l->ck);
}

static inline void ck_ticket_fini(struct ck_ticket_lock *l)
{
	(void)l;
}

LOCK(ck_ticket, .name = "ck-ticket", .summary = "Concurrency Kit's ticket",
	.source = "Concurrency Kit", .family = LOCK_SPINNING, .fifo = true, .peer = true);
