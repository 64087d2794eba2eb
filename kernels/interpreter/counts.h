// SPDX-License-Identifier: BSD-2-Clause
// Reference counts of an interpreter's objects, in three ways: plain (one thread, or under a global
// lock), atomic, biased. Biased: the thread that made an object counts its own references without
// an atomic read-modify-write, the others atomically in a second count; where the two must become
// one, the owner merges them, asked through a queue. Objects that every thread uses may be immortal
// (not counted) or deferred (each thread counts in an array of its own until it leaves).
// Promises: an object dies once, when its last reference is dropped and not before; who learns of
// it frees it. A reader without a reference may try to take one. Memory must be type-stable: what
// was a header stays one until no thread is there any more.
// Cost: biased, own: two loads, two compares, a store; foreign: an atomic add, a compare-and-swap.
// Source: J. Choi, T. Shull & J. Torrellas, Biased reference counting, 2018; S. Gross, PEP 703,
// 2021; per-thread counts: CPython 3.14.
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/atomic.h"
#include "kernels/interpreter/byte_lock.h"

enum counting { COUNTS_PLAIN, COUNTS_ATOMIC, COUNTS_BIASED };

// Begins every object. The count of references is plain: `local`; atomic: that in `shared`; biased:
// the sum of both, of which `shared` may be negative.
struct counted {
	_Atomic uint16_t owner; // biased: whose count `local` is, its number + 1; 0: nobody's
	struct byte_lock lock;  // the user's
	uint8_t type;           // the user's
	_Atomic uint32_t local; // written by the owner only. Or COUNTED_DEFERRED, COUNTED_IMMORTAL
	_Atomic int64_t shared; // count * COUNTED_ONE | state
	union {
		struct counted *next; // in its owner's queue; of a dead object the user's
		uintptr_t id;         // of a deferred one, which is never queued
	};
};
_Static_assert(sizeof(struct counted) == 24, "a header is three words");

static const uint32_t COUNTED_DEFERRED = UINT32_MAX - 1, COUNTED_IMMORTAL = UINT32_MAX;

// States, in the lower bits of `shared`; a state only ever rises.
enum {
	COUNTED_DEFAULT, // where the count is 0 readers get no reference: its owner may free it
	COUNTED_RAISED,  // they get one: its owner will exchange the state before it frees it
	COUNTED_QUEUED,  // in its owner's queue, or about to be. The queue has a reference
	COUNTED_MERGED,  // `local` is 0 for good, and nobody owns it
	COUNTED_ONE,
	COUNTED_STATES = COUNTED_ONE - 1,
};

// A thread as the counts know it. What is read or written by others has lines of its own.
struct counts_thread {
	LINE_ALIGNED _Atomic uintptr_t queue; // of objects to merge, or COUNTS_GONE
	struct byte_lock lock; // of who joins here, and of who merges for one that is gone
	LINE_ALIGNED struct counts_team *team; // the rest is the thread's own
	int64_t *delta;                        // of deferred objects, by id
	uint64_t merges;                       // that it made since the team began
	uint16_t owner;                        // number + 1
};

enum { COUNTS_GONE = 1 };

// The threads that count the same objects.
struct counts_team {
	struct counts_thread *thread; // by number
	unsigned threads;
	struct counted **deferred; // by id
	unsigned deferred_most;
	atomic_uint deferred_count; // may exceed deferred_most
};

// Room for threads numbered 0 .. threads - 1 (1 to 65534) and for so many deferred objects,
// which each thread spends a word on. Returns 0, ENOMEM or EINVAL. Not thread-safe.
static inline int counts_team_init(struct counts_team *t, unsigned threads, unsigned deferred_most);
// All threads have left. Not thread-safe.
static inline void counts_team_fini(struct counts_team *t);

// By the thread itself: becomes number `number`. Objects that an earlier thread of this number
// owned are its own now. Null: out of memory, or the number is in use.
static inline struct counts_thread *counts_join(struct counts_team *t, unsigned number);
// By the same thread: merges what is queued, adds its deltas to the objects' counts, is no owner
// any more: others merge its objects themselves. dead: as in counts_settle.
static ALWAYS_INLINE void counts_leave(
	struct counts_thread *me, void (*dead)(void *context, struct counted *o), void *context);

// Whether counts_settle has work. A thread that counts asks now and then, as others' objects wait.
static ALWAYS_INLINE bool counts_pending(struct counts_thread *me)
{
	/* relaxed: only a hint; settle takes the queue with an ordering */
	return load(&me->queue, relaxed) != 0;
}

// Merges the counts of the objects that others queued for me; calls dead(context, o) for those that
// had no reference left, which frees them (and may take and drop others).
static ALWAYS_INLINE void counts_settle(
	struct counts_thread *me, void (*dead)(void *context, struct counted *o), void *context);

/* What follows takes `counting` as a constant. me: with COUNTS_BIASED; else null will do. */

// A new object with one reference. Its memory was an object before, dead, or is zeroed.
static ALWAYS_INLINE void counted_init(
	struct counted *o, const struct counts_thread *me, const enum counting counting)
{
	bool biased = counting == COUNTS_BIASED;
	byte_lock_init(&o->lock);
	/* relaxed, all but A0: the object is published by whoever stores a pointer to it; who still
	 * comes with an old one finds a count of 0 in `shared` */
	store(&o->owner, biased ? me->owner : 0, relaxed);
	store(&o->local, counting == COUNTS_ATOMIC ? 0 : 1, relaxed);
	if (counting == COUNTS_ATOMIC)
		store(&o->shared, COUNTED_ONE, release); /* A0: release; pairs with A1 */
	else
		store(&o->shared, 0, relaxed);
}

static ALWAYS_INLINE bool counted_owns(const struct counts_thread *me, struct counted *o)
{
	/* relaxed: only its owner finds itself there, and only the owner changes that */
	return load(&o->owner, relaxed) == me->owner;
}

// One more or one less reference to a deferred object, which never dies of it; or an immortal one.
static ALWAYS_INLINE void counted_uncounted(
	struct counted *o, struct counts_thread *me, uint32_t local, int64_t change)
{
	if (local == COUNTED_DEFERRED)
		me->delta[o->id] += change;
}

// Rare but with biased counts, where constants are immortal.
static ALWAYS_INLINE bool counted_is_uncounted(uint32_t local, const enum counting counting)
{
	bool is = local >= COUNTED_DEFERRED;
	return counting == COUNTS_BIASED ? is : __builtin_expect(is, 0);
}

// One more reference, by who has one (or knows that another keeps the object alive meanwhile).
static ALWAYS_INLINE void counted_take(
	struct counted *o, struct counts_thread *me, const enum counting counting)
{
	/* relaxed, all: a reference is there already, and says nothing new about the object */
	uint32_t local = load(&o->local, relaxed);
	if (counted_is_uncounted(local, counting))
		counted_uncounted(o, me, local, 1);
	else if (counting == COUNTS_PLAIN || (counting == COUNTS_BIASED && counted_owns(me, o)))
		store(&o->local, local + 1, relaxed);
	else
		fetch_add(&o->shared, COUNTED_ONE, relaxed);
}

// By who has all rights to `local`: one count of both, less one reference. Returns whether it is 0.
static inline bool counted_merge(struct counted *o, struct counts_thread *me)
{
	uint32_t local = load(&o->local, relaxed); /* relaxed: our own, or B0 */
	if (local >= COUNTED_DEFERRED)
		return false;
	me->merges++;
	/* relaxed: the exchange publishes both. Not after it: another might free the object then */
	store(&o->local, 0, relaxed);
	store(&o->owner, 0, relaxed);
	int64_t seen = load(&o->shared, relaxed), merged; /* relaxed: the exchange orders */
	do
		merged = ((seen >> 2) + local - 1) * COUNTED_ONE | COUNTED_MERGED;
	/* C0: acq_rel; pairs with itself, C1, C2: all uses happen before the freeing */
	while (!compare_exchange_weak(&o->shared, &seen, merged, acq_rel, relaxed));
	return merged == COUNTED_MERGED;
}

// The thread that owned it is gone. *dead: whether its last reference was dropped. Returns false
// where another thread has joined under the number.
static inline bool counted_merge_for(
	struct counts_thread *owner, struct counted *o, struct counts_thread *me, bool *dead)
{
	byte_lock_acquire(&owner->lock);
	bool gone = load(&owner->queue, acquire) == COUNTS_GONE; /* B0: acquire; pairs with B1 */
	if (gone)
		*dead = counted_merge(o, me);
	byte_lock_release(&owner->lock);
	return gone;
}

static __attribute__((noinline, unused)) bool counted_drop_shared(
	struct counted *o, struct counts_thread *me);

// Gives the object, with the caller's reference, to its owner. Returns whether it died here.
static inline bool counted_queue(struct counted *o, struct counts_thread *me)
{
	/* relaxed: it only ever becomes 0, and an owner that has merged looks at its queue still */
	unsigned number = load(&o->owner, relaxed);
	if (!number)
		return counted_drop_shared(o, me);
	struct counts_thread *owner = &me->team->thread[number - 1];
	uintptr_t first = load(&owner->queue, relaxed); /* relaxed: the exchange orders */
	bool dead;
	for (;;) {
		if (first == COUNTS_GONE) {
			if (counted_merge_for(owner, o, me, &dead))
				return dead;
			first = load(&owner->queue, relaxed); /* relaxed: as above */
			continue;
		}
		o->next = (struct counted *)first;
		/* D0: release; pairs with D1: `next`, and what the reference was used for */
		if (compare_exchange_weak(&owner->queue, &first, (uintptr_t)o, release, relaxed))
			return false;
	}
}

// A reference that the owner counted is dropped by another: where `shared` would fall below 0 for
// the first time the owner is asked to merge.
static __attribute__((noinline, unused)) bool counted_drop_shared(
	struct counted *o, struct counts_thread *me)
{
	int64_t seen = load(&o->shared, relaxed), left; /* relaxed: the exchange orders */
	bool queue;
	do {
		queue = seen == COUNTED_DEFAULT || seen == COUNTED_RAISED;
		left = queue ? COUNTED_QUEUED : seen - COUNTED_ONE;
		/* C1: acq_rel; pairs with itself, C0, C2 */
	} while (!compare_exchange_weak(&o->shared, &seen, left, acq_rel, relaxed));
	return queue ? counted_queue(o, me) : left == COUNTED_MERGED;
}

// By the owner, whose last reference it is.
static __attribute__((noinline, unused)) bool counted_drop_last(
	struct counted *o, struct counts_thread *me, int64_t seen)
{
	me->merges++;
	/* relaxed: as in counted_merge */
	store(&o->owner, 0, relaxed);
	int64_t merged;
	do
		merged = seen | COUNTED_MERGED;
	/* C0: acq_rel; pairs with itself, C1 */
	while (!compare_exchange_weak(&o->shared, &seen, merged, acq_rel, relaxed));
	return merged == COUNTED_MERGED;
}

// Most objects die like this, and no other thread ever counted them.
static ALWAYS_INLINE bool counted_drop_own(struct counted *o, struct counts_thread *me)
{
	int64_t seen = load(&o->shared, acquire); /* C2: acquire; pairs with C1 */
	/* relaxed: as in counted_merge; or it is dead and nobody looks */
	store(&o->local, 0, relaxed);
	if (seen == 0)
		return true;
	return counted_drop_last(o, me, seen);
}

// One reference less. True: it was the last, and the caller frees the object.
static ALWAYS_INLINE bool counted_drop(
	struct counted *o, struct counts_thread *me, const enum counting counting)
{
	uint32_t local = load(&o->local, relaxed); /* relaxed: our own, or not used */
	if (counted_is_uncounted(local, counting)) {
		counted_uncounted(o, me, local, -1);
		return false;
	}
	if (counting == COUNTS_ATOMIC)
		/* C3: acq_rel; pairs with itself: all uses happen before the freeing */
		return fetch_sub(&o->shared, COUNTED_ONE, acq_rel) == COUNTED_ONE;
	if (counting == COUNTS_BIASED) {
		if (!counted_owns(me, o))
			return counted_drop_shared(o, me);
		if (local == 1)
			return counted_drop_own(o, me);
	}
	store(&o->local, local - 1, relaxed); /* relaxed: ours alone */
	return local == 1;
}

// By a reader without a reference, who found a pointer to the object: true where it has one now.
// The pointer may be old and the object another by now: look again where it was found, and drop the
// reference if it is not there any more. False: the object is dead, or was never raised: look again
// under the lock of its container, and counted_share.
static ALWAYS_INLINE bool counted_try_take(
	struct counted *o, struct counts_thread *me, const enum counting counting)
{
	/* E0: acquire; pairs with E1: the id */
	uint32_t local = load(&o->local, acquire);
	if (__builtin_expect(local >= COUNTED_DEFERRED, 0)) {
		counted_uncounted(o, me, local, 1);
		return true;
	}
	if (counting == COUNTS_PLAIN || (counting == COUNTS_BIASED && counted_owns(me, o))) {
		store(&o->local, local + 1, relaxed); /* relaxed: what we own only we free */
		return true;
	}
	int64_t seen = load(&o->shared, relaxed); /* relaxed: the exchange orders */
	do
		if (seen == 0 || (counting == COUNTS_BIASED && seen == COUNTED_MERGED))
			return false;
	/* A1: acquire; pairs with A0, A2, C1: whoever counted another object here came after who
	 * took the pointer away, as the caller's next look shall */
	while (!compare_exchange_weak(&o->shared, &seen, seen + COUNTED_ONE, acquire, relaxed));
	return true;
}

// As counted_take, by who knows that the object is alive (holds the lock of the container that it
// is in). From then on readers' counted_try_take succeeds.
static ALWAYS_INLINE void counted_share(
	struct counted *o, struct counts_thread *me, const enum counting counting)
{
	uint32_t local = load(&o->local, relaxed); /* relaxed: see counted_take */
	if (counting != COUNTS_BIASED || local >= COUNTED_DEFERRED || counted_owns(me, o)) {
		counted_take(o, me, counting);
		return;
	}
	int64_t seen = load(&o->shared, relaxed), raised; /* relaxed: the exchange orders */
	do {
		raised = seen + COUNTED_ONE;
		if ((seen & COUNTED_STATES) == COUNTED_DEFAULT)
			raised |= COUNTED_RAISED;
		/* A2: release; pairs with A1 */
	} while (!compare_exchange_weak(&o->shared, &seen, raised, release, relaxed));
}

// The object is never freed and not counted any more. By its owner, or while no other counts it.
static ALWAYS_INLINE void counted_immortalise(struct counted *o)
{
	store(&o->local, COUNTED_IMMORTAL, release); /* E1: release; pairs with E0 */
}

// From now on each thread counts the object (COUNTS_BIASED) in an array of its own, and it is not
// freed before counts_undefer. While no other thread counts it. False: there is no room for more,
// or it is queued to be merged (settle first); it stays as it was.
static inline bool counted_defer(struct counted *o, struct counts_thread *me)
{
	struct counts_team *t = me->team;
	int64_t shared = load(&o->shared, relaxed); /* relaxed: nobody else counts it */
	if ((shared & COUNTED_STATES) == COUNTED_QUEUED)
		return false;
	/* relaxed: a number that no other gets; E1 publishes what it stands for */
	if (load(&t->deferred_count, relaxed) >= t->deferred_most)
		return false;
	unsigned id = fetch_add(&t->deferred_count, 1, relaxed);
	if (id >= t->deferred_most)
		return false;
	t->deferred[id] = o;
	/* relaxed, all: nobody else counts it */
	int64_t count = (int64_t)load(&o->local, relaxed) + (shared >> 2);
	store(&o->shared, count * COUNTED_ONE | COUNTED_MERGED, relaxed);
	store(&o->owner, 0, relaxed);
	o->id = id;
	store(&o->local, COUNTED_DEFERRED, release); /* E1: release; pairs with E0 */
	return true;
}

// Adds what I counted of deferred objects to their counts.
static inline void counts_flush(struct counts_thread *me)
{
	/* relaxed: those whose delta is not 0 were known to us */
	unsigned count = load(&me->team->deferred_count, relaxed);
	for (unsigned i = 0; i < count && i < me->team->deferred_most; i++)
		if (me->delta[i]) {
			/* C4: acq_rel; pairs with itself: our uses before the object's freeing */
			fetch_add(&me->team->deferred[i]->shared, me->delta[i] * COUNTED_ONE,
				acq_rel);
			me->delta[i] = 0;
		}
}

// By the only thread that has not left: deferred objects are counted exactly again, and may die.
static ALWAYS_INLINE void counts_undefer(
	struct counts_thread *me, void (*dead)(void *context, struct counted *o), void *context)
{
	struct counts_team *t = me->team;
	unsigned count = load(&t->deferred_count, relaxed); /* relaxed, all: at rest */
	count = count < t->deferred_most ? count : t->deferred_most;
	store(&t->deferred_count, count, relaxed);
	counts_flush(me);
	for (unsigned i = 0; i < count; i++) {
		struct counted *o = t->deferred[i];
		if (load(&o->local, relaxed) != COUNTED_DEFERRED)
			continue;                            /* made immortal meanwhile */
		fetch_add(&o->shared, COUNTED_ONE, relaxed); /* a reference of ours */
		store(&o->local, 0, relaxed);
	}
	for (unsigned i = 0; i < count; i++)
		if (counted_drop(t->deferred[i], me, COUNTS_BIASED))
			dead(context, t->deferred[i]);
	store(&t->deferred_count, 0, relaxed);
}

// How many references there are. At rest; deferred: without what threads still count by themselves;
// immortal: without meaning.
static inline int64_t counted_value(struct counted *o)
{
	uint32_t local = load(&o->local, relaxed); /* relaxed, both: at rest */
	return (local >= COUNTED_DEFERRED ? 0 : local) + (load(&o->shared, relaxed) >> 2);
}

static inline bool counted_is_immortal(struct counted *o)
{
	return load(&o->local, relaxed) == COUNTED_IMMORTAL; /* relaxed: see counted_take */
}

static ALWAYS_INLINE void counts_settle(
	struct counts_thread *me, void (*dead)(void *context, struct counted *o), void *context)
{
	/* D1: acquire; pairs with D0 */
	struct counted *o = (struct counted *)exchange(&me->queue, 0, acquire), *next;
	for (; o; o = next) {
		next = o->next; /* merged, it may be freed by another */
		if (counted_merge(o, me))
			dead(context, o);
	}
}

static ALWAYS_INLINE void counts_leave(
	struct counts_thread *me, void (*dead)(void *context, struct counted *o), void *context)
{
	uintptr_t nothing;
	do {
		counts_settle(me, dead, context);
		counts_flush(me);
		nothing = 0;
		/* B1: release; pairs with B0: our last counting before another's for us */
	} while (!compare_exchange(&me->queue, &nothing, COUNTS_GONE, release, relaxed));
}

// All 0, on lines of their own: others write theirs as often.
static inline int64_t *counts_deltas(unsigned count)
{
	size_t size = (count * sizeof(int64_t) + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1);
	int64_t *delta = aligned_alloc(LINE_PAIR, size);
	if (delta)
		memset(delta, 0, size);
	return delta;
}

static inline struct counts_thread *counts_join(struct counts_team *t, unsigned number)
{
	struct counts_thread *me = number < t->threads ? &t->thread[number] : NULL;
	if (!me)
		return NULL;
	byte_lock_acquire(&me->lock);
	/* B0: acquire; pairs with B1: what the last of this number counted */
	bool vacant = load(&me->queue, acquire) == COUNTS_GONE;
	if (vacant && !me->delta && t->deferred_most)
		me->delta = counts_deltas(t->deferred_most);
	vacant = vacant && (me->delta || !t->deferred_most);
	if (vacant)
		store(&me->queue, 0, relaxed); /* relaxed: who merges for us looks under the lock */
	byte_lock_release(&me->lock);
	return vacant ? me : NULL;
}

static inline int counts_team_init(struct counts_team *t, unsigned threads, unsigned deferred_most)
{
	memset(t, 0, sizeof *t);
	if (!threads || threads >= UINT16_MAX)
		return EINVAL;
	t->thread = aligned_alloc(LINE_PAIR, threads * sizeof *t->thread);
	t->deferred = calloc((size_t)deferred_most + 1, sizeof *t->deferred);
	if (!t->thread || !t->deferred) {
		counts_team_fini(t);
		return ENOMEM;
	}
	t->threads = threads;
	t->deferred_most = deferred_most;
	for (unsigned i = 0; i < threads; i++) {
		memset(&t->thread[i], 0, sizeof t->thread[i]);
		atomic_init(&t->thread[i].queue, COUNTS_GONE);
		t->thread[i].team = t;
		t->thread[i].owner = (uint16_t)(i + 1);
	}
	return 0;
}

static inline void counts_team_fini(struct counts_team *t)
{
	for (unsigned i = 0; i < t->threads; i++)
		free(t->thread[i].delta);
	free(t->thread);
	free(t->deferred);
	memset(t, 0, sizeof *t);
}
