// SPDX-License-Identifier: BSD-2-Clause
// A sorted list with a lock in each node, taken hand over hand: the next node's before the last
// one's is given back, so that workers follow each other and never overtake. Every hop costs an
// acquisition. Source: R. Bayer & M. Schkolnick, Concurrency of operations on B-trees, 1977.
#pragma once

#include "list.h"
#include "reclaim.h"

// One operation, between the scheme's enter and leave. Who unlinks a node holds its lock and its
// predecessor's, so nobody waits for it; but who had it before may not have returned from its
// release yet, and that is why the node goes through the scheme.
static ALWAYS_INLINE bool list_coupling_request(const struct lock_class *lock, struct list *l,
	struct reclaim_worker *me, struct lock_node own[2], struct request *q)
{
	const bool validates = me->domain->class->validates;
	struct list_node *prev = l->head, *node;
	unsigned odd = 0; /* which of the two lock nodes is prev's; and its slot */
	lock->acquire(list_lock(prev), &own[0]);
	for (;;) {
		node = list_next(prev);
		if (validates) /* stays linked, since prev is locked */
			reclaim_protect(me, odd ^ 1, &prev->next);
		lock->acquire(list_lock(node), &own[odd ^ 1]);
		if (node->key >= q->key)
			break;
		lock->release(list_lock(prev), &own[odd]);
		prev = node;
		odd ^= 1;
	}
	bool done = list_change(l, me->index, q, prev, node);
	lock->release(list_lock(node), &own[odd ^ 1]);
	lock->release(list_lock(prev), &own[odd]);
	if (done && q->verb == REQUEST_REMOVE)
		reclaim_retire(me, node);
	return done;
}
