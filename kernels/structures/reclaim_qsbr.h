// SPDX-License-Identifier: BSD-2-Clause
// Quiescent-state-based reclamation: workers say now and then that they hold nothing; what was
// retired before all have said so twice is free. Readers pay nothing at all; a worker that says
// nothing for long holds up all freeing. Source: P. McKenney & J. Slingwine, 1998; T. Hart et al.,
// Performance of memory reclamation for lockless synchronization, 2007.
#pragma once

#include "reclaim_epoch.h"

enum { QSBR_QUIET = 32 }; // operations between two quiescent states

static inline void qsbr_quiescent(struct reclaim_worker *me)
{
	/* Q0: acquire and release; as an announcement of epochs (E1, E3), but for many operations
	 */
	uint64_t now = load(&me->domain->epoch, acquire);
	/* relaxed: only this worker writes it */
	if (load(&me->announced, relaxed) != now)
		exchange(&me->announced, now, seq_cst);
	if (me->bag[0].count + me->bag[1].count + me->bag[2].count)
		epoch_look(me);
}

static inline void qsbr_online(struct reclaim_worker *me)
{
	epoch_enter(me);
}

static inline void qsbr_offline(struct reclaim_worker *me)
{
	store(&me->announced, EPOCH_IDLE, release); /* as E4 */
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
	.enter = epoch_nothing,
	.leave = qsbr_leave,
	.protect = epoch_protect,
	.hold = epoch_hold,
	.retire = epoch_retire};
