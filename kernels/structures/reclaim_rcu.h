// SPDX-License-Identifier: BSD-2-Clause
// Read-copy-update as liburcu has it, to compare with: readers mark their sections (urcu-memb) or
// say now and then that they hold nothing (urcu-qsbr); who has retired a batch waits until all
// readers that were there have left, and frees it. It waits between its operations, and a worker
// that is offline is no reader; garbage is at most a batch a worker.
// Source: M. Desnoyers, P. McKenney et al., User-level implementations of read-copy update, 2012.
#pragma once

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE /* readers' functions inline, as its licence lets free software have them */
#endif
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#include "reclaim_epoch.h"
#include "reclaim_qsbr.h"
#include "urcu_thread.h"

static inline int rcu_init(struct reclaim *r)
{
	reclaim_set_batch(r, RECLAIM_BATCH_ASYMMETRIC); /* to wait takes microseconds */
	return 0;
}

static ALWAYS_INLINE void rcu_retire(struct reclaim_worker *me, void *node)
{
	reclaim_bag_retire(me, node); /* time to look is when the operation is over */
}

static inline void urcu_memb_online(struct reclaim_worker *me)
{
	(void)me;
	urcu_thread_known();
}

static ALWAYS_INLINE void urcu_memb_enter(struct reclaim_worker *me)
{
	(void)me;
	urcu_memb_read_lock();
}

static __attribute__((noinline, unused)) void urcu_memb_look(struct reclaim_worker *me)
{
	urcu_memb_synchronize_rcu();
	reclaim_bag_empty(me, &me->bag[0]);
}

static ALWAYS_INLINE void urcu_memb_leave(struct reclaim_worker *me)
{
	urcu_memb_read_unlock();
	if (__builtin_expect(me->bag[0].count >= me->look, 0))
		urcu_memb_look(me);
}

static const struct reclaim_class urcu_memb_reclaim = {.name = "urcu-memb",
	.summary = "liburcu: sections marked by plain stores; who frees waits for readers",
	.source = "Desnoyers et al. 2012",
	.init = rcu_init,
	.fini = epoch_fini,
	.online = urcu_memb_online,
	.offline = reclaim_nothing,
	.enter = urcu_memb_enter,
	.leave = urcu_memb_leave,
	.protect = epoch_protect,
	.hold = epoch_hold,
	.retire = rcu_retire};

static inline void urcu_qsbr_online(struct reclaim_worker *me)
{
	(void)me;
	urcu_thread_known();
	urcu_qsbr_thread_online();
}

static inline void urcu_qsbr_offline(struct reclaim_worker *me)
{
	(void)me;
	urcu_qsbr_thread_offline();
}

static __attribute__((noinline, unused)) void urcu_qsbr_look(struct reclaim_worker *me)
{
	urcu_qsbr_synchronize_rcu(); /* this worker counts as quiescent meanwhile */
	reclaim_bag_empty(me, &me->bag[0]);
}

static ALWAYS_INLINE void urcu_qsbr_leave(struct reclaim_worker *me)
{
	if (++me->operations % QSBR_QUIET == 0)
		urcu_qsbr_quiescent_state();
	if (__builtin_expect(me->bag[0].count >= me->look, 0))
		urcu_qsbr_look(me);
}

static const struct reclaim_class urcu_qsbr_reclaim = {.name = "urcu-qsbr",
	.summary = "liburcu: readers pay nothing; who frees waits for readers",
	.source = "Desnoyers et al. 2012",
	.init = rcu_init,
	.fini = epoch_fini,
	.online = urcu_qsbr_online,
	.offline = urcu_qsbr_offline,
	.enter = reclaim_nothing,
	.leave = urcu_qsbr_leave,
	.protect = epoch_protect,
	.hold = epoch_hold,
	.retire = rcu_retire};
