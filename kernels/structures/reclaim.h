// SPDX-License-Identifier: BSD-2-Clause
// Safe memory reclamation: when a node that was unlinked from a structure may be used again,
// though a worker that found it before may still be reading it. One small interface, and one
// header for each scheme: reclaim_epoch.h, reclaim_hazard.h, reclaim_qsbr.h, reclaim_rcu.h.
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

#include "atomic.h"

enum { RECLAIM_SLOTS = 64 };       // nodes that a worker can hold at once
#define RECLAIM_TAG ((uintptr_t)7) // low bits of a link that are no part of the address

// Retired nodes, in the order of retirement. Grows as needed.
struct reclaim_bag {
	void **node;
	size_t count, room;
	uint64_t epoch; // when the last of them was retired
};

// What a worker has in a domain. `announced` and `slot` are written by the worker and read by all;
// the rest is the worker's own.
struct reclaim_worker {
	LINE_ALIGNED _Atomic uint64_t announced;
	_Atomic(void *) slot[RECLAIM_SLOTS];
	LINE_ALIGNED struct reclaim *domain;
	unsigned index;
	unsigned slots_used; // one more than the highest slot ever held
	uint64_t operations; // since the last look at the others
	struct reclaim_bag bag[3];
};

// The nodes of one structure and the workers that use it.
struct reclaim {
	const struct reclaim_class *class;
	unsigned workers;
	struct reclaim_worker *worker;
	// Takes a node back that nobody can hold any more; called by that worker.
	void (*free)(void *context, unsigned worker, void *node);
	void *context;
	LINE_ALIGNED _Atomic uint64_t epoch;
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

// Makes a domain for so many workers; class->init among it. Returns 0 or a positive errno.
static inline int reclaim_init(struct reclaim *r, const struct reclaim_class *class,
	unsigned workers, void (*free_node)(void *context, unsigned worker, void *node),
	void *context)
{
	r->class = class;
	r->workers = workers;
	r->free = free_node;
	r->context = context;
	r->worker = aligned_alloc(LINE_PAIR, workers * sizeof *r->worker);
	if (!r->worker)
		return ENOMEM;
	memset(r->worker, 0, workers * sizeof *r->worker);
	for (unsigned i = 0; i < workers; i++) {
		r->worker[i].domain = r;
		r->worker[i].index = i;
	}
	return class->init(r);
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

static inline int reclaim_bag_put(struct reclaim_bag *bag, void *node)
{
	if (bag->count == bag->room) {
		size_t room = bag->room ? 2 * bag->room : 256;
		void **more = realloc(bag->node, room * sizeof *more);
		if (!more)
			return ENOMEM;
		bag->node = more;
		bag->room = room;
	}
	bag->node[bag->count++] = node;
	return 0;
}

// Frees them all, as worker me; the bag is empty afterwards.
static inline void reclaim_bag_empty(struct reclaim_worker *me, struct reclaim_bag *bag)
{
	struct reclaim *r = me->domain;
	for (size_t i = 0; i < bag->count; i++)
		r->free(r->context, me->index, bag->node[i]);
	bag->count = 0;
}
