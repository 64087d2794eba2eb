// SPDX-License-Identifier: BSD-2-Clause
// Safe memory reclamation: when a node that was unlinked from a structure may be used again,
// though a worker that found it before may still be reading it. One small interface, and one
// header for each scheme: reclaim_epoch.h, reclaim_hazard.h, reclaim_qsbr.h; reclaim_rcu.h has
// liburcu's.
//
// A structure is written once, against these verbs, in always_inline functions that take a
// constant `const struct reclaim_class *`, so that each scheme has its own machine code:
//
//	enter(me);
//	node = protect(me, 0, &head);      // stays valid until leave, or until slot 0 is reused
//	... compare_exchange(&head, node, next) ...
//	retire(me, node);                  // unlinked by this worker, and by no other
//	leave(me);
//
// A scheme for which `validates` is true (hazard pointers) protects only what protect and hold
// were told, and a node found through another must be reachable when it is protected: structures
// then re-read the link that they came by. The others protect all that is reached between enter
// and leave.
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomic.h"

#ifndef RECLAIM_SLOTS    /* an exploring build has its own numbers */
#define RECLAIM_SLOTS 64 // nodes that a worker can hold at once
#define RECLAIM_MOVES 64 // of which the last are remembered: a power of two
#define RECLAIM_ROOM 256 // of a bag at first
#endif
// Bits of a link that are no part of the address: the low three; the high sixteen, which user space
// leaves clear.
#define RECLAIM_TAG ((uintptr_t)0xffff000000000007)

// Retired nodes before a worker looks which of them are free. A look that must interrupt the others
// takes microseconds, and wants more nodes to share its cost; an exploring build wants to see
// looks.
#ifdef LOCKSCALE_ATOMIC
enum { RECLAIM_BATCH = 1, RECLAIM_BATCH_ASYMMETRIC = 1 };
#else
enum { RECLAIM_BATCH = 128, RECLAIM_BATCH_ASYMMETRIC = 2048 };
#endif

// Retired nodes, in the order of retirement. Grows as needed.
struct reclaim_bag {
	void **node;
	size_t count, room;
	uintptr_t epoch; // not before the last of them was unlinked
};

// What a worker has in a domain. The first lines are written by the worker and read by all; the
// rest is the worker's own.
struct reclaim_worker {
	LINE_ALIGNED _Atomic uintptr_t announced;
	_Atomic unsigned moves; // how often hold was called
	_Atomic uintptr_t slot[RECLAIM_SLOTS];
	_Atomic uintptr_t moved[RECLAIM_MOVES]; // what it was called with, the last times
	LINE_ALIGNED struct reclaim *domain;
	unsigned index;
	unsigned slots_used; // one more than the highest slot used since enter
	bool asymmetric;     // the domain's
	unsigned filling;    // the bag that takes what is retired
	unsigned operations; // counted by schemes that look at the others now and then
	size_t look;         // nodes in that bag at which to look next
	uintptr_t sealed;    // the epoch of the last bag that was full
	struct reclaim_bag bag[3];
};

// The nodes of one structure and the workers that use it.
struct reclaim {
	const struct reclaim_class *class;
	unsigned workers;
	struct reclaim_worker *worker;
	// Takes a node back that nobody can hold any more; called by that worker.
	// In parentheses where it is called: an exploring build has a macro of that name.
	void (*free)(void *context, unsigned worker, void *node);
	void *context;
	// Workers announce what they read with plain stores, and who looks at the announcements
	// makes the kernel interrupt them all.
	bool asymmetric;
	size_t batch; // retired nodes between two looks
	LINE_ALIGNED _Atomic uintptr_t epoch;
};

struct reclaim_class {
	const char *name;
	const char *summary; // one line: what it costs whom
	const char *source;  // author, year
	bool validates;      // see above
	// After the domain's fields are set, before any worker uses it. 0 or a positive errno.
	int (*init)(struct reclaim *r);
	// All workers at rest and offline; frees what is still retired.
	void (*fini)(struct reclaim *r);
	// Around each batch, by its worker. Between offline and online a worker holds nothing and
	// is waited for by nobody. online is called first on the worker's own thread.
	void (*online)(struct reclaim_worker *me);
	void (*offline)(struct reclaim_worker *me);
	// Around each operation.
	void (*enter)(struct reclaim_worker *me);
	void (*leave)(struct reclaim_worker *me);
	// The value of *link, tag included, whose node (if any) stays valid: acquire, pairs with
	// the release that published the node.
	uintptr_t (*protect)(
		struct reclaim_worker *me, unsigned slot, const _Atomic uintptr_t *link);
	// Puts a node that is protected already into another slot too.
	void (*hold)(struct reclaim_worker *me, unsigned slot, void *node);
	// Between enter and leave, by the worker that unlinked the node: once per node.
	void (*retire)(struct reclaim_worker *me, void *node);
};

/* Asymmetric fences. A reader's announcement must be seen by all before the reader's next load:
 * a full fence at each operation or step, which costs more than all else it does. Where the kernel
 * can interrupt all running threads of a process (Linux 4.14, membarrier(2)), the seldom one pays
 * for the frequent ones: a reader then keeps the compiler in order only. */

#if defined __SANITIZE_THREAD__
#define RECLAIM_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define RECLAIM_TSAN 1
#endif
#endif
#ifndef RECLAIM_TSAN
#define RECLAIM_TSAN 0
#endif

// Neither ThreadSanitizer nor an explorer knows of the kernel's help, or of fences.
#if RECLAIM_TSAN || defined LOCKSCALE_ATOMIC
#define RECLAIM_FENCES 0
#else
#define RECLAIM_FENCES 1
#endif

enum { RECLAIM_INTERRUPT = 1 << 3, RECLAIM_REGISTER = 1 << 4 }; // the kernel's numbers

// False where the kernel refuses (old, or a sandbox's filter).
static inline bool reclaim_membarrier(int command)
{
#if RECLAIM_FENCES && defined SYS_membarrier
	return syscall(SYS_membarrier, command, 0, 0) == 0;
#else
	(void)command;
	return false;
#endif
}

// What this worker stored is seen by all before it loads anything more.
static inline void reclaim_fence(struct reclaim *r)
{
#if RECLAIM_FENCES
	(void)r;
	atomic_thread_fence(memory_order_seq_cst);
#else
	fetch_add(&r->epoch, 0, seq_cst);
#endif
}

// By who looks at announcements: every worker passes a full fence between call and return, or makes
// one at each announcement. False: it could not be done, and nothing may be concluded.
static inline bool reclaim_barrier(struct reclaim *r)
{
	if (r->asymmetric)
		return reclaim_membarrier(RECLAIM_INTERRUPT);
	reclaim_fence(r);
	return true;
}

// Stores value into *where, which others look at after reclaim_barrier; what this worker loads
// afterwards, it loads afterwards. Release: what it did before is over.
static ALWAYS_INLINE void reclaim_announce(
	struct reclaim_worker *me, _Atomic uintptr_t *where, uintptr_t value)
{
#if RECLAIM_FENCES
	if (me->asymmetric) {
		store(where, value, release); /* A0: pairs with reclaim_barrier */
		atomic_signal_fence(memory_order_seq_cst);
		return;
	}
#else
	(void)me;
#endif
	/* A1: seq_cst; pairs with reclaim_barrier. On an x86 the exchange is a full fence. */
	exchange(where, value, seq_cst);
#if RECLAIM_FENCES && !defined __x86_64__ && !defined __i386__
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

// How many nodes are retired between two looks. Before any worker uses the domain.
static inline void reclaim_set_batch(struct reclaim *r, size_t batch)
{
	r->batch = batch;
	for (unsigned i = 0; i < r->workers; i++)
		r->worker[i].look = batch;
}

// With asymmetric fences or without: for those who compare. Before any worker uses the domain, and
// false only where reclaim_init found it false.
static inline int reclaim_set_asymmetric(struct reclaim *r, bool asymmetric)
{
	r->asymmetric = asymmetric;
	for (unsigned i = 0; i < r->workers; i++)
		r->worker[i].asymmetric = asymmetric;
	reclaim_set_batch(r, asymmetric ? RECLAIM_BATCH_ASYMMETRIC : RECLAIM_BATCH);
	return r->class->init(r);
}

// Makes a domain for so many workers; class->init among it. Returns 0 or a positive errno.
static inline int reclaim_init(struct reclaim *r, const struct reclaim_class *class,
	unsigned workers, void (*free_node)(void *context, unsigned worker, void *node),
	void *context)
{
	r->class = class;
	r->workers = workers;
	r->free = free_node;
	r->context = context;
	store(&r->epoch, 1, relaxed); /* relaxed: no worker is there yet */
	r->worker = aligned_alloc(LINE_PAIR, workers * sizeof *r->worker);
	if (!r->worker)
		return ENOMEM;
	memset(r->worker, 0, workers * sizeof *r->worker);
	for (unsigned i = 0; i < workers; i++) {
		r->worker[i].domain = r;
		r->worker[i].index = i;
	}
	return reclaim_set_asymmetric(
		r, reclaim_membarrier(RECLAIM_REGISTER) && reclaim_membarrier(RECLAIM_INTERRUPT));
}

// Also after a reclaim_init that failed.
static inline void reclaim_fini(struct reclaim *r)
{
	if (!r->worker)
		return;
	r->class->fini(r);
	for (unsigned i = 0; i < r->workers; i++)
		for (unsigned j = 0; j < sizeof r->worker->bag / sizeof *r->worker->bag; j++)
			free(r->worker[i].bag[j].node);
	free(r->worker);
	r->worker = NULL;
}

/* For the schemes. */

// Room for so many. False: no memory.
static __attribute__((noinline, unused)) bool reclaim_bag_reserve(
	struct reclaim_bag *bag, size_t room)
{
	void **more = bag->room < room ? realloc(bag->node, room * sizeof *more) : bag->node;
	if (!more)
		return false;
	bag->node = more;
	bag->room = bag->room < room ? room : bag->room;
	return true;
}

static ALWAYS_INLINE bool reclaim_bag_put(struct reclaim_bag *bag, void *node)
{
	if (__builtin_expect(bag->count == bag->room, 0) &&
		!reclaim_bag_reserve(bag, bag->room ? 2 * bag->room : RECLAIM_ROOM))
		return false;
	bag->node[bag->count++] = node;
	return true;
}

// Takes a retired node. True: it is time to look which are free.
static ALWAYS_INLINE bool reclaim_bag_retire(struct reclaim_worker *me, void *node)
{
	struct reclaim_bag *bag = &me->bag[me->filling];
	if (!reclaim_bag_put(bag, node))
		abort(); /* out of memory with no way back: the node is unlinked already */
	return __builtin_expect(bag->count >= me->look, 0);
}

// Frees them all, as worker me; the bag is empty afterwards.
static inline void reclaim_bag_empty(struct reclaim_worker *me, struct reclaim_bag *bag)
{
	struct reclaim *r = me->domain;
	for (size_t i = 0; i < bag->count; i++)
		(r->free)(r->context, me->index, bag->node[i]);
	bag->count = 0;
}

static inline void reclaim_empty_bags(struct reclaim *r)
{
	for (unsigned i = 0; i < r->workers; i++)
		for (unsigned j = 0; j < sizeof r->worker->bag / sizeof *r->worker->bag; j++)
			reclaim_bag_empty(&r->worker[i], &r->worker[i].bag[j]);
}

static inline void reclaim_nothing(struct reclaim_worker *me)
{
	(void)me;
}

/* For text that is written once for each lock, and not once for each pair of lock and scheme: the
 * scheme through its pointers. Functions of their own, so that a look at the machine code can tell
 * that nothing else is called through one. */

static __attribute__((noinline, unused)) void reclaim_online(struct reclaim_worker *me)
{
	me->domain->class->online(me);
}

static __attribute__((noinline, unused)) void reclaim_offline(struct reclaim_worker *me)
{
	me->domain->class->offline(me);
}

static __attribute__((noinline, unused)) void reclaim_enter(struct reclaim_worker *me)
{
	me->domain->class->enter(me);
}

static __attribute__((noinline, unused)) void reclaim_leave(struct reclaim_worker *me)
{
	me->domain->class->leave(me);
}

static __attribute__((noinline, unused)) uintptr_t reclaim_protect(
	struct reclaim_worker *me, unsigned slot, const _Atomic uintptr_t *link)
{
	return me->domain->class->protect(me, slot, link);
}

static __attribute__((noinline, unused)) void reclaim_retire(struct reclaim_worker *me, void *node)
{
	me->domain->class->retire(me, node);
}
