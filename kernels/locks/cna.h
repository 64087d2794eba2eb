// SPDX-License-Identifier: BSD-2-Clause
// Compact NUMA-aware lock: an MCS queue whose holder prefers the next waiter of its own group
// (package or NUMA node: the outermost level there is) and sets those before it aside, in a
// second queue that travels from holder to holder.
// Guarantees: mutual exclusion; not first come, first served, but whoever has waited longest gets
// the lock after at most CNA_HANDOVERS hand-overs to others, and then all who were set aside are
// before the rest again. Collapses when workers outnumber PUs: the lock may be granted to a worker
// that is not running.
// Cost: as `mcs`, one exchange to acquire and one compare-and-swap to release uncontended; one
// word, and on another line where to look up groups. Where no workers are closer than others it
// is `mcs`. Use it where there are many locks and several NUMA nodes.
// Source: Dice & Kogan, EuroSys 2019; hand-overs are counted here, not drawn at random.
#pragma once

#include "lock.h"

// By then the line transfers between groups are a small part, and it still takes but some
// microseconds.
enum { CNA_HANDOVERS = 64 };

// Its owner writes the first two before it joins the queue: afterwards its line is the neighbours',
// and each write would first have to fetch it back. The next three are zero between uses.
struct cna_node {
	_Atomic(struct cna_node *) next;
	atomic_bool waiting;
	unsigned group; // counted from 1; 0: not known
	/* Of the holder; its predecessor writes them. */
	unsigned passed;        // hand-overs while the first set aside has been so
	struct cna_node *aside; // the first of those set aside
	/* Of the first of those set aside; the holder writes it. */
	struct cna_node *aside_last;
};

struct cna_lock {
	_Atomic(struct cna_node *) tail;
	/* What all read is not on the line that all write. */
	unsigned char apart[64 - sizeof(void *)];
	const unsigned *group_of; // null: no groups
};

static inline int cna_init(struct cna_lock *l, const struct lock_team *team)
{
	atomic_init(&l->tail, NULL);
	l->group_of = team->levels ? team->level[team->levels - 1].group : NULL;
	return 0;
}

static inline unsigned cna_group(const struct cna_lock *l, unsigned worker)
{
	return l->group_of ? l->group_of[worker] + 1 : 0;
}

// Inlined: until it has linked up the one before may already be waiting for it.
static ALWAYS_INLINE void cna_wait(struct cna_node *before, struct cna_node *me, unsigned group)
{
	if (group)
		me->group = group;
	store(&before->next, me, release); /* B0: release; pairs with B1; publishes the group too */
	while (load(&me->waiting, acquire)) /* C1: acquire; pairs with C0 */
		cpu_relax();
}

static inline void cna_acquire(struct cna_lock *l, struct lock_node *space)
{
	struct cna_node *me = (struct cna_node *)space;
	store(&me->next, NULL, relaxed); /* relaxed: A0 publishes both */
	store(&me->waiting, true, relaxed);
	/* A0: acquire, release; pairs with A0 of the successor (node) and with A1 (free lock) */
	struct cna_node *before = exchange(&l->tail, me, acq_rel);
	if (before)
		cna_wait(before, me, cna_group(l, space->worker));
}

static inline bool cna_try_acquire(struct cna_lock *l, struct lock_node *space)
{
	struct cna_node *me = (struct cna_node *)space, *nobody = NULL;
	store(&me->next, NULL, relaxed); /* relaxed: A0 publishes it */
	return compare_exchange(&l->tail, &nobody, me, acq_rel, relaxed); /* A0 */
}

// The first of our group in the queue that begins with `after`; those before it are set aside.
// Null, and the queue as it was, where there is none.
static inline struct cna_node *cna_near(struct cna_node *me, struct cna_node *after)
{
	struct cna_node *near = after, *last = NULL;
	while (near && near->group != me->group) {
		last = near;
		near = load(&near->next, acquire); /* B1: acquire; pairs with B0 */
	}
	if (!near || !last)
		return near;
	/* relaxed: theirs while they are the last in a queue, and they are in the middle of one;
	 * who will hold the lock sees them by C0, who will link up behind them by A0 or A1 */
	if (me->aside)
		store(&me->aside->aside_last->next, after, relaxed);
	else
		me->aside = after;
	me->aside->aside_last = last;
	store(&last->next, NULL, relaxed);
	return near;
}

static ALWAYS_INLINE void cna_grant(
	struct cna_node *me, struct cna_node *to, struct cna_node *aside, unsigned passed)
{
	to->aside = aside;
	to->passed = passed;
	me->aside = NULL;
	me->passed = 0;
	me->group = 0;
	store(&to->waiting, false, release); /* C0: release; pairs with C1 */
}

static __attribute__((noinline, unused)) void cna_hand_on(
	struct cna_lock *l, struct cna_node *me, unsigned worker)
{
	struct cna_node *after = load(&me->next, acquire), *aside = me->aside; /* B1 */
	if (!after && aside) {
		struct cna_node *expected = me;
		/* A1: release; pairs with A0 of whoever comes next: the queue is those set aside */
		if (compare_exchange(&l->tail, &expected, aside->aside_last, release, relaxed)) {
			cna_grant(me, aside, NULL, 0);
			return;
		}
	}
	while (!after) { /* somebody is between A0 and B0 */
		cpu_relax();
		after = load(&me->next, acquire); /* B1 */
	}
	/* Where all are near, a look at who waits would only fetch its line a second time. */
	if (!l->group_of) {
		store(&after->waiting, false, release); /* C0 */
		return;
	}
	if (!me->group)
		me->group = cna_group(l, worker);
	struct cna_node *near = me->passed < CNA_HANDOVERS ? cna_near(me, after) : NULL;
	aside = me->aside;
	if (near) {
		cna_grant(me, near, aside, aside ? me->passed + 1 : 0);
	} else if (aside) {
		store(&aside->aside_last->next, after, relaxed); /* relaxed: as in cna_near */
		cna_grant(me, aside, NULL, 0);
	} else {
		cna_grant(me, after, NULL, 0);
	}
}

static inline void cna_release(struct cna_lock *l, struct lock_node *space)
{
	struct cna_node *me = (struct cna_node *)space, *expected = me;
	if (!load(&me->next, acquire) && !me->aside && /* B1: acquire; pairs with B0 */
		/* relaxed load: only whether the exchange can succeed. A1: release; pairs with A0
		 * of whoever finds the lock free */
		load(&l->tail, relaxed) == me &&
		compare_exchange(&l->tail, &expected, NULL, release, relaxed))
		return;
	cna_hand_on(l, me, space->worker);
}

static inline void cna_fini(struct cna_lock *l)
{
	(void)l;
}

LOCK(cna, .name = "cna", .summary = "queue that prefers the own group, at most 64 times",
	.source = "Dice & Kogan 2019", .family = LOCK_NUMA_AWARE);
