// SPDX-License-Identifier: BSD-2-Clause
// queue: workers pass items through one FIFO queue; each enqueues and dequeues in turn, or half of
// them enqueue and half dequeue.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "locks.h"
#include "structures/faa_queue.h"
#include "structures/ms_queue.h"
#include "structures/reclamation.h"
#include "structures/relaxed_queue.h"
#include "structures/ring.h"
#include "structures/ticket_ring.h"
#include "structures/two_lock_queue.h"

#ifdef HAVE_CK
#include <ck_ring.h>
#endif
#ifdef HAVE_URCU
#include <urcu/wfcqueue.h> /* called, not inlined */
#endif
#ifdef HAVE_CONCURRENTQUEUE
#include "shim/moodycamel.h"
#endif

// An item says who made it and how many that worker had made before: its worker in the low bits,
// the number above them, from 1, so that no item is 0.
enum { WORKER_BITS = 16 };
#define ITEM_STEP ((uint64_t)1 << WORKER_BITS)

enum {
	ROOM_LEAST = 1024, // of bounded queues, unless items need more
	// Where nothing bounds a queue, workers that only enqueue stop when the others are so many
	// items behind, or it would grow for as long as it is measured.
	LEAD_MOST = 1 << 16,
};

struct setting {
	unsigned items; // before the first operation
	bool split;
	const struct reclaim_class *scheme;
};

#ifdef HAVE_CK
struct ck_queue {
	ck_ring_t ring;
	ck_ring_buffer_t *buffer;
};
#endif

#ifdef HAVE_URCU
struct wfc_node {
	struct cds_wfcq_node link;
	uint64_t value;
};

struct wfc_queue {
	LINE_ALIGNED struct cds_wfcq_head head;
	LINE_ALIGNED struct cds_wfcq_tail tail;
	LINE_ALIGNED struct nodes nodes;
};
#endif

struct moved { // by one worker: as it was at the end of its last batch
	LINE_ALIGNED _Atomic uint64_t in, out;
};

struct queue {
	struct any_lock lock; // global-lock
	LINE_ALIGNED union {
		struct ring ring;
		struct two_lock_queue two_lock;
		struct ms_queue ms;
		struct ticket_ring ticket;
		struct faa_queue faa;
		struct relaxed_queue relaxed;
#ifdef HAVE_CK
		struct ck_queue ck;
#endif
#ifdef HAVE_URCU
		struct wfc_queue wfc;
#endif
#ifdef HAVE_CONCURRENTQUEUE
		struct moodycamel_queue *moodycamel;
#endif
	};
	LINE_ALIGNED const struct setting *setting;
	uint64_t room;       // of bounded queues; elsewhere at first
	struct moved *moved; // split: of each worker
};

struct queue_own {
	bool enqueues;       // next
	uint64_t first;      // item it made
	uint64_t next;       // item it will make
	uint64_t taken, sum; // number and sum of the items it dequeued
};

static int prepare(struct input *in)
{
	unsigned items;
	const char *role = input_text(in, "role");
	int rc = input_whole(in, "items", 0, 1 << 20, &items);
	if (rc)
		return rc;
	if (strcmp(role, "mixed") && strcmp(role, "split")) {
		snprintf(in->error, sizeof in->error, "'%s' is none of mixed|split", role);
		return EINVAL;
	}
	const struct reclaim_class *scheme = reclaim_chosen(in);
	if (!scheme)
		return EINVAL;
	struct setting *s = in->data = malloc(sizeof *s);
	if (!s)
		return ENOMEM;
	*s = (struct setting){items, strcmp(role, "split") == 0, scheme};
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

/* The queues, one after the other: struct fifo is what the loop below needs of each. `how` is the
 * lock or the scheme of reclamation, a constant in each loop. */

struct fifo {
	bool (*enqueue)(struct queue *q, struct worker *w, uint64_t item, const void *how);
	bool (*dequeue)(struct queue *q, struct worker *w, uint64_t *item, const void *how);
};

static ALWAYS_INLINE bool sequential_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	(void)w;
	(void)how;
	return ring_enqueue(&q->ring, item);
}

static ALWAYS_INLINE bool sequential_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	(void)w;
	(void)how;
	return ring_dequeue(&q->ring, item);
}

static const struct fifo sequential_fifo = {sequential_enqueue, sequential_dequeue};

struct request {
	uint64_t item;
	bool done;
};

static inline void enqueue_section(void *state, void *request)
{
	struct request *r = request;
	r->done = ring_enqueue(state, r->item);
}

static inline void dequeue_section(void *state, void *request)
{
	struct request *r = request;
	r->done = ring_dequeue(state, &r->item);
}

static ALWAYS_INLINE bool global_lock_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	struct request r = {.item = item};
	lock_execute(how, &q->lock, &w->node[0], enqueue_section, &q->ring, &r);
	return r.done;
}

static ALWAYS_INLINE bool global_lock_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	struct request r = {0};
	lock_execute(how, &q->lock, &w->node[0], dequeue_section, &q->ring, &r);
	*item = r.item;
	return r.done;
}

static const struct fifo global_lock_fifo = {global_lock_enqueue, global_lock_dequeue};

static ALWAYS_INLINE bool fine_lock_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	return two_lock_queue_enqueue(&q->two_lock, how, &w->node[0], w->index, item);
}

static ALWAYS_INLINE bool fine_lock_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	return two_lock_queue_dequeue(&q->two_lock, how, &w->node[0], w->index, item);
}

static const struct fifo fine_lock_fifo = {fine_lock_enqueue, fine_lock_dequeue};

static ALWAYS_INLINE bool lock_free_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	return ms_queue_enqueue(&q->ms, how, w->index, item);
}

static ALWAYS_INLINE bool lock_free_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	return ms_queue_dequeue(&q->ms, how, w->index, item);
}

static const struct fifo lock_free_fifo = {lock_free_enqueue, lock_free_dequeue};

static ALWAYS_INLINE bool ring_fifo_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	(void)w;
	(void)how;
	return ticket_ring_enqueue(&q->ticket, item);
}

static ALWAYS_INLINE bool ring_fifo_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	(void)w;
	(void)how;
	return ticket_ring_dequeue(&q->ticket, item);
}

static const struct fifo ring_fifo = {ring_fifo_enqueue, ring_fifo_dequeue};

static ALWAYS_INLINE bool faa_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	return faa_queue_enqueue(&q->faa, how, w->index, item);
}

static ALWAYS_INLINE bool faa_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	return faa_queue_dequeue(&q->faa, how, w->index, item);
}

static const struct fifo faa_fifo = {faa_enqueue, faa_dequeue};

static ALWAYS_INLINE bool relaxed_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	(void)how;
	return relaxed_queue_enqueue(&q->relaxed, w->index, item);
}

static ALWAYS_INLINE bool relaxed_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	(void)how;
	return relaxed_queue_dequeue(&q->relaxed, w->index, item);
}

static const struct fifo relaxed_fifo = {relaxed_enqueue, relaxed_dequeue};

#ifdef HAVE_CK
static ALWAYS_INLINE bool ck_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	(void)w;
	(void)how;
	return ck_ring_enqueue_mpmc(&q->ck.ring, q->ck.buffer, (void *)(uintptr_t)item);
}

static ALWAYS_INLINE bool ck_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	(void)w;
	(void)how;
	void *found;
	if (!ck_ring_dequeue_mpmc(&q->ck.ring, q->ck.buffer, &found))
		return false;
	*item = (uintptr_t)found;
	return true;
}

static const struct fifo ck_fifo = {ck_enqueue, ck_dequeue};
#endif

#ifdef HAVE_URCU
static ALWAYS_INLINE bool wfc_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	(void)how;
	struct wfc_node *node = nodes_get(&q->wfc.nodes, w->index);
	if (!node)
		return false;
	cds_wfcq_node_init(&node->link);
	node->value = item;
	cds_wfcq_enqueue(&q->wfc.head, &q->wfc.tail, &node->link);
	return true;
}

static ALWAYS_INLINE bool wfc_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	(void)how;
	struct cds_wfcq_node *link = cds_wfcq_dequeue_blocking(&q->wfc.head, &q->wfc.tail);
	if (!link)
		return false;
	struct wfc_node *node = (struct wfc_node *)link; /* its first member */
	*item = node->value;
	nodes_put(&q->wfc.nodes, w->index, node); /* its documentation: may be freed at once */
	return true;
}

static const struct fifo wfc_fifo = {wfc_enqueue, wfc_dequeue};
#endif

#ifdef HAVE_CONCURRENTQUEUE
static ALWAYS_INLINE bool moody_enqueue(
	struct queue *q, struct worker *w, uint64_t item, const void *how)
{
	(void)how;
	return moodycamel_enqueue(q->moodycamel, w->index, item);
}

static ALWAYS_INLINE bool moody_dequeue(
	struct queue *q, struct worker *w, uint64_t *item, const void *how)
{
	(void)how;
	return moodycamel_dequeue(q->moodycamel, w->index, item);
}

static const struct fifo moody_fifo = {moody_enqueue, moody_dequeue};
#endif

/* The loop. */

static void publish(struct queue *q, struct worker *w)
{
	struct queue_own *own = w->own;
	/* relaxed, both: what the others may enqueue need not be exact */
	store(&q->moved[w->index].in, (own->next - own->first) / ITEM_STEP, relaxed);
	store(&q->moved[w->index].out, own->taken, relaxed);
}

// How many of n operations a worker that only enqueues may try; the others have failed.
static __attribute__((noinline)) uint64_t within_lead(struct queue *q, struct worker *w, uint64_t n)
{
	uint64_t lead = 0;
	/* relaxed: as in publish */
	for (unsigned i = 0; i < w->count; i++)
		lead += load(&q->moved[i].in, relaxed) - load(&q->moved[i].out, relaxed);
	uint64_t most = (int64_t)lead < 0 ? LEAD_MOST : lead < LEAD_MOST ? LEAD_MOST - lead : 0;
	most = n < most ? n : most;
	w->failed += n - most;
	return most;
}

// The text of all strategies.
static ALWAYS_INLINE uint64_t work(
	void *state, struct worker *w, uint64_t n, const struct fifo *fifo, const void *how)
{
	struct queue *q = state;
	struct queue_own *own = w->own;
	bool split = q->setting->split && w->count > 1, enqueues = own->enqueues;
	uint64_t next = own->next, taken = 0, sum = 0, failed = 0, item;

	if (split && enqueues)
		n = within_lead(q, w, n);
	for (uint64_t i = 0; i < n; i++) {
		if (enqueues) {
			if (fifo->enqueue(q, w, next, how))
				next += ITEM_STEP;
			else
				failed++;
		} else if (fifo->dequeue(q, w, &item, how)) {
			taken++;
			sum += item;
		} else {
			failed++;
		}
		enqueues ^= !split;
	}
	own->enqueues = enqueues;
	own->next = next;
	own->taken += taken;
	own->sum += sum;
	w->failed += failed;
	if (split)
		publish(q, w);
	return n - failed;
}

static ALWAYS_INLINE bool one(void *state, struct worker *w, struct operation *op,
	const struct fifo *fifo, const void *how)
{
	return op->verb == VERB_INSERT ? fifo->enqueue(state, w, op->value, how)
				       : fifo->dequeue(state, w, &op->value, how);
}

// Batch and operate for a queue that needs neither lock nor scheme.
#define PLAIN(NAME, FIFO)                                                                          \
	static uint64_t NAME##_batch(void *state, struct worker *w, uint64_t n)                    \
	{                                                                                          \
		return work(state, w, n, &(FIFO), NULL);                                           \
	}                                                                                          \
	static bool NAME##_operate(void *state, struct worker *w, struct operation *op)            \
	{                                                                                          \
		return one(state, w, op, &(FIFO), NULL);                                           \
	}

PLAIN(sequential, sequential_fifo)
PLAIN(lock_free_ring, ring_fifo)
PLAIN(relaxed, relaxed_fifo)
#ifdef HAVE_CK
PLAIN(ck_ring, ck_fifo)
#endif
#ifdef HAVE_URCU
PLAIN(urcu_wfcqueue, wfc_fifo)
#endif
#ifdef HAVE_CONCURRENTQUEUE
PLAIN(moodycamel, moody_fifo)
#endif

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, &global_lock_fifo, lock);
}
LOCKED_BATCH(global_lock)

static bool global_lock_operate(void *state, struct worker *w, struct operation *op)
{
	return one(state, w, op, &global_lock_fifo, w->lock);
}

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, &fine_lock_fifo, lock);
}
LOCKED_BATCH(fine_lock)

static bool fine_lock_operate(void *state, struct worker *w, struct operation *op)
{
	return one(state, w, op, &fine_lock_fifo, w->lock);
}

static ALWAYS_INLINE const struct reclaim_class *scheme_of(void *state)
{
	return ((struct queue *)state)->setting->scheme;
}

static ALWAYS_INLINE uint64_t lock_free(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	struct reclaim_worker *me = &((struct queue *)state)->ms.reclaim.worker[w->index];
	scheme->online(me);
	uint64_t done = work(state, w, n, &lock_free_fifo, scheme);
	scheme->offline(me);
	return done;
}
RECLAIMED_BATCH(lock_free, scheme_of)

static bool lock_free_operate(void *state, struct worker *w, struct operation *op)
{
	const struct reclaim_class *scheme = scheme_of(state);
	struct reclaim_worker *me = &((struct queue *)state)->ms.reclaim.worker[w->index];
	scheme->online(me);
	bool done = one(state, w, op, &lock_free_fifo, scheme);
	scheme->offline(me);
	return done;
}

static ALWAYS_INLINE uint64_t lock_free_faa(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	struct reclaim_worker *me = &((struct queue *)state)->faa.reclaim.worker[w->index];
	scheme->online(me);
	uint64_t done = work(state, w, n, &faa_fifo, scheme);
	scheme->offline(me);
	return done;
}
RECLAIMED_BATCH(lock_free_faa, scheme_of)

static bool lock_free_faa_operate(void *state, struct worker *w, struct operation *op)
{
	const struct reclaim_class *scheme = scheme_of(state);
	struct reclaim_worker *me = &((struct queue *)state)->faa.reclaim.worker[w->index];
	scheme->online(me);
	bool done = one(state, w, op, &faa_fifo, scheme);
	scheme->offline(me);
	return done;
}

/* Making, filling, checking. */

static int global_lock_make(struct queue *q, struct run *r)
{
	int rc = ring_init(&q->ring, q->room);
	return rc ? rc : r->variant->lock->init(&q->lock, r->team);
}

#ifdef HAVE_CK
static int ck_make(struct queue *q)
{
	/* A slot stays empty. */
	unsigned size = 2 * (unsigned)q->room;
	q->ck.buffer = calloc(size, sizeof *q->ck.buffer);
	ck_ring_init(&q->ck.ring, size);
	return q->ck.buffer ? 0 : ENOMEM;
}
#endif

#ifdef HAVE_URCU
static int wfc_make(struct queue *q, unsigned workers)
{
	cds_wfcq_init(&q->wfc.head, &q->wfc.tail);
	return nodes_init(&q->wfc.nodes, sizeof(struct wfc_node), workers);
}

static void wfc_walk(
	struct wfc_queue *q, void (*visit)(void *context, uint64_t value), void *context)
{
	struct cds_wfcq_node *node;
	__cds_wfcq_for_each_blocking(&q->head, &q->tail, node)
		visit(context, ((struct wfc_node *)node)->value);
}

static void wfc_unmake(struct wfc_queue *q)
{
	while (NODES_MALLOC && q->nodes.worker) {
		struct cds_wfcq_node *link = cds_wfcq_dequeue_blocking(&q->head, &q->tail);
		if (!link)
			break;
		nodes_put(&q->nodes, 0, link);
	}
	nodes_fini(&q->nodes);
	cds_wfcq_destroy(&q->head, &q->tail);
}
#endif

static int make(struct queue *q, struct run *r)
{
	const struct variant *v = r->variant;
	if (STRATEGY_IS(v, "sequential"))
		return ring_init(&q->ring, q->room);
	if (STRATEGY_IS(v, "global-lock"))
		return global_lock_make(q, r);
	if (STRATEGY_IS(v, "fine-lock"))
		return two_lock_queue_init(&q->two_lock, v->lock, r->team, r->count);
	if (STRATEGY_IS(v, "lock-free"))
		return ms_queue_init(&q->ms, q->setting->scheme, r->count);
	if (STRATEGY_IS(v, "lock-free-ring"))
		return ticket_ring_init(&q->ticket, q->room);
	if (STRATEGY_IS(v, "lock-free-faa"))
		return faa_queue_init(&q->faa, q->setting->scheme, r->count);
	if (STRATEGY_IS(v, "relaxed"))
		return relaxed_queue_init(&q->relaxed, r->count, q->room);
#ifdef HAVE_CK
	if (STRATEGY_IS(v, "ck-ring"))
		return ck_make(q);
#endif
#ifdef HAVE_URCU
	if (STRATEGY_IS(v, "urcu-wfcqueue"))
		return wfc_make(q, r->count);
#endif
#ifdef HAVE_CONCURRENTQUEUE
	if (STRATEGY_IS(v, "moodycamel"))
		return (q->moodycamel = moodycamel_create(r->count, q->room)) ? 0 : ENOMEM;
#endif
	return EINVAL;
}

static void destroy(struct run *r)
{
	struct queue *q = r->state;
	const struct variant *v = r->variant;
	if (STRATEGY_IS(v, "sequential") || STRATEGY_IS(v, "global-lock")) {
		if (v->lock && q->ring.slot)
			v->lock->fini(&q->lock);
		ring_fini(&q->ring);
	} else if (STRATEGY_IS(v, "fine-lock")) {
		two_lock_queue_fini(&q->two_lock, v->lock);
	} else if (STRATEGY_IS(v, "lock-free")) {
		ms_queue_fini(&q->ms);
	} else if (STRATEGY_IS(v, "lock-free-ring")) {
		ticket_ring_fini(&q->ticket);
	} else if (STRATEGY_IS(v, "lock-free-faa")) {
		faa_queue_fini(&q->faa);
	} else if (STRATEGY_IS(v, "relaxed")) {
		relaxed_queue_fini(&q->relaxed);
	}
#ifdef HAVE_CK
	if (STRATEGY_IS(v, "ck-ring"))
		free(q->ck.buffer);
#endif
#ifdef HAVE_URCU
	if (STRATEGY_IS(v, "urcu-wfcqueue"))
		wfc_unmake(&q->wfc);
#endif
#ifdef HAVE_CONCURRENTQUEUE
	if (STRATEGY_IS(v, "moodycamel"))
		moodycamel_destroy(q->moodycamel);
#endif
	free(q->moved);
}

// The queue keeps an order for each of the workers alone.
static bool lanes(const struct variant *v)
{
	return v->model == MODEL_BAG;
}

// Each worker's share of the items before the first operation, as if it had enqueued them.
static int fill(struct run *r, unsigned items)
{
	for (unsigned i = 0; i < items; i++) {
		struct worker *maker = r->workers[i % r->count];
		struct queue_own *own = maker->own;
		struct operation op = {.verb = VERB_INSERT, .value = own->next};
		struct worker *by = lanes(r->variant) ? maker : r->workers[0];
		if (!r->variant->operate(r->state, by, &op))
			return ENOMEM;
		own->next += ITEM_STEP;
	}
	return 0;
}

static uint64_t power_of_two(uint64_t least)
{
	uint64_t power = ROOM_LEAST;
	while (power < least)
		power *= 2;
	return power;
}

static int create(struct run *r)
{
	struct queue *q = r->state;
	q->setting = r->input->data;
	q->room = power_of_two(2 * (uint64_t)q->setting->items);
	q->moved = aligned_alloc(LINE_PAIR, r->count * sizeof *q->moved);
	if (!q->moved)
		return ENOMEM;
	memset(q->moved, 0, r->count * sizeof *q->moved);
	for (unsigned i = 0; i < r->count; i++) {
		struct queue_own *own = r->workers[i]->own;
		own->enqueues = !q->setting->split || i % 2 == 0;
		own->first = own->next = ITEM_STEP + i;
	}
	int rc = make(q, r);
	return rc ? rc : fill(r, q->setting->items);
}

struct content {
	uint64_t count, sum;
};

static void count_item(void *content, uint64_t item)
{
	struct content *c = content;
	c->count++;
	c->sum += item;
}

#ifdef HAVE_CONCURRENTQUEUE
// It can only be walked by taking all out and putting it back.
static void moody_walk(struct queue *q, unsigned workers, struct content *c)
{
	uint64_t *kept = NULL, item;
	size_t room = 0;
	while (moodycamel_dequeue(q->moodycamel, 0, &item)) {
		if (c->count == room) {
			room = room ? 2 * room : 1024;
			kept = realloc(kept, room * sizeof *kept);
			if (!kept)
				abort(); /* out of memory, with the items in no place */
		}
		kept[c->count] = item;
		count_item(c, item);
	}
	for (size_t i = 0; i < c->count; i++)
		moodycamel_enqueue(
			q->moodycamel, (unsigned)(kept[i] % ITEM_STEP) % workers, kept[i]);
	free(kept);
}
#endif

static void walk(struct queue *q, const struct run *r, struct content *c)
{
	const struct variant *v = r->variant;
	if (STRATEGY_IS(v, "sequential") || STRATEGY_IS(v, "global-lock"))
		ring_walk(&q->ring, count_item, c);
	else if (STRATEGY_IS(v, "fine-lock"))
		two_lock_queue_walk(&q->two_lock, count_item, c);
	else if (STRATEGY_IS(v, "lock-free"))
		ms_queue_walk(&q->ms, count_item, c);
	else if (STRATEGY_IS(v, "lock-free-ring"))
		ticket_ring_walk(&q->ticket, count_item, c);
	else if (STRATEGY_IS(v, "lock-free-faa"))
		faa_queue_walk(&q->faa, count_item, c);
	else if (STRATEGY_IS(v, "relaxed"))
		relaxed_queue_walk(&q->relaxed, count_item, c);
#ifdef HAVE_CK
	else if (STRATEGY_IS(v, "ck-ring"))
		for (unsigned i = ck_ring_size(&q->ck.ring); i > 0; i--) {
			uint64_t item = 0;
			ck_dequeue(q, NULL, &item, NULL);
			count_item(c, item);
			ck_enqueue(q, NULL, item, NULL);
		}
#endif
#ifdef HAVE_URCU
	else if (STRATEGY_IS(v, "urcu-wfcqueue"))
		wfc_walk(&q->wfc, count_item, c);
#endif
#ifdef HAVE_CONCURRENTQUEUE
	else if (STRATEGY_IS(v, "moodycamel"))
		moody_walk(q, r->count, c);
#endif
}

// Items made are items taken and items still there, in number and in sum. Their order is not looked
// at here: that would cost the loop half a nanosecond an operation, and the tests do.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct queue *q = r->state;
	struct content c = {0};
	walk(q, r, &c);
	uint64_t operations = 0, made = 0, sum = 0;
	for (unsigned i = 0; i < r->count; i++) {
		const struct queue_own *own = r->workers[i]->own;
		uint64_t its = (own->next - own->first) / ITEM_STEP;
		made += its;
		/* The numbers 1 .. its above the worker's bits. */
		sum += its * own->first +
		       (its % 2 ? (its - 1) / 2 * its : its / 2 * (its - 1)) * ITEM_STEP;
		c.count += own->taken;
		c.sum += own->sum;
		operations += done[i] - own->taken;
	}
	int64_t lost = llabs((int64_t)(made - c.count));
	if (!lost && sum != c.sum)
		lost = 1; /* as many, but not the same */
	return lost + llabs((int64_t)(made - q->setting->items - operations));
}

#define STRUCTURE(STRATEGY, NAME, MODEL)                                                           \
	{                                                                                          \
		.strategy = (STRATEGY), .batch = NAME##_batch, .model = (MODEL),                   \
		.operate = NAME##_operate                                                          \
	}

static const struct variant variants[] = {
	STRUCTURE("sequential", sequential, MODEL_QUEUE),
	LOCKED_STRUCTURE("global-lock", global_lock, MODEL_QUEUE, global_lock_operate)
		LOCKED_STRUCTURE("fine-lock", fine_lock, MODEL_QUEUE, fine_lock_operate){
			.strategy = "lock-free",
			.batch = lock_free_reclaimed,
			.model = MODEL_QUEUE,
			.operate = lock_free_operate},
	STRUCTURE("lock-free-ring", lock_free_ring, MODEL_QUEUE),
	{.strategy = "lock-free-faa",
		.batch = lock_free_faa_reclaimed,
		.model = MODEL_QUEUE,
		.operate = lock_free_faa_operate},
	STRUCTURE("relaxed", relaxed, MODEL_BAG),
#ifdef HAVE_CK
	STRUCTURE("ck-ring", ck_ring, MODEL_QUEUE),
#endif
#ifdef HAVE_URCU
	STRUCTURE("urcu-wfcqueue", urcu_wfcqueue, MODEL_QUEUE),
#endif
#ifdef HAVE_CONCURRENTQUEUE
	/* A queue for each worker that enqueues: ordered among the items of one only. */
	STRUCTURE("moodycamel", moodycamel, MODEL_BAG),
#endif
};

static const struct param params[] = {
	{"items", "256", "items in the queue before the first operation", "0..1048576"},
	{"role", "mixed",
		"mixed: each worker enqueues and dequeues in turn; split: even ones enqueue, odd "
		"ones dequeue",
		"mixed|split"},
	RECLAIM_PARAM("hazard"),
	{0},
};

KERNEL(queue,
	.summary = "items passed through a FIFO queue (relaxed, moodycamel: FIFO for each worker)",
	.shared = "one queue of 256 items", .unit = "operations", .standard = true,
	.locks = "mutex ttas mcs", .state_size = sizeof(struct queue),
	.own_size = sizeof(struct queue_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.check = check);
