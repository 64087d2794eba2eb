// SPDX-License-Identifier: BSD-2-Clause
// Quiescent-state-based reclamation: workers say now and then that they hold nothing; what was
// unlinked before all have said so twice is free. Readers pay nothing at all; a worker that says
// nothing for long holds up all freeing. Otherwise a worker's garbage is at most three batches.
// It is the scheme of epochs with one announcement for many operations (the proof is there).
// Source: P. McKenney & J. Slingwine, 1998; T. Hart et al., Performance of memory reclamation for
// lockless synchronization, 2007.
#pragma once

#include "reclaim_epoch.h"

#ifndef QSBR_QUIET    /* an exploring build has its own number */
#define QSBR_QUIET 32 // operations between two quiescent states
#endif

static inline void qsbr_online(struct reclaim_worker *me)
{
	epoch_enter(me);
}

static inline void qsbr_offline(struct reclaim_worker *me)
{
	epoch_leave(me);
}

// All that was read is over, and the next read begins in the newest epoch.
static inline void qsbr_quiescent(struct reclaim_worker *me)
{
	uintptr_t now = load(&me->domain->epoch, acquire); /* as E3 */
	/* relaxed: only this worker writes it */
	if (load(&me->announced, relaxed) != now)
		reclaim_announce(me, &me->announced, now); /* as E4 and, of what is over, E5 */
}

static ALWAYS_INLINE void qsbr_leave(struct reclaim_worker *me)
{
	if (++me->operations % QSBR_QUIET == 0)
		qsbr_quiescent(me);
}

static const struct reclaim_class qsbr_reclaim = {.name = "qsbr",
	.summary = "readers pay nothing; a worker that never pauses holds up all freeing",
	.source = "McKenney & Slingwine 1998; Hart et al. 2007",
	.init = epoch_init,
	.fini = epoch_fini,
	.online = qsbr_online,
	.offline = qsbr_offline,
	.enter = reclaim_nothing,
	.leave = qsbr_leave,
	.protect = epoch_protect,
	.hold = epoch_hold,
	.retire = epoch_retire};
