// SPDX-License-Identifier: BSD-2-Clause
// Concurrency Kit's ticket lock.
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

static inline bool ck_ticket_try_acquire(struct ck_ticket_lock *l, struct lock_node *node)
{
	(void)node;
	return ck_spinlock_ticket_trylock(&l->ck);
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

LOCK(ck_ticket, .name = "ck-ticket", .summary = "CK ticket; first come, first served",
	.source = "Concurrency Kit", .fifo = true);
