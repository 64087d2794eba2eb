// SPDX-License-Identifier: BSD-2-Clause
// refcount: workers take references to a few shared objects, keep each for some operations and drop
// it; now and then one replaces an object of its own by a new one, and whoever drops the last
// reference to the old one frees it. That objects die safely costs a shared counter, or does not.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "kernel.h"
#include "locks.h"
#include "structures/nodes.h"
#include "structures/reclaim_epoch.h"
#include "structures/reclaim_hazard.h"

enum { OBJECTS_MOST = 1024, HELD_MOST = 32, DRAWN = 1 << 13, WORDS = 4 };
enum { MERGE = 64 }; // operations after which deferred counts are merged

// A count is in the upper bits of its word, flags in the lower.
enum { ONE = 4, FLAGS = 3 };
enum { PENDING = 1, EXACT = 2 };         // deferred
enum { QUEUED = 1, MERGED = 2 };         // biased
enum { NOBODY = -1, REPLACE = 1 << 15 }; // an owner; a drawn operation

// Lines: what all write, what all read, what the owner writes.
struct object {
	union {
		_Atomic int64_t count; // with the cell's own reference
		char line[64];
	};
	union {
		struct {
			uint64_t word[WORDS]; // the payload: the serial number, in each
			_Atomic int owner;    // biased: who may use `biased`; worker or NOBODY
			unsigned cell;
			struct object *next; // biased: in its owner's queue
		};
		char payload_line[64];
	};
	union {
		int64_t biased; // biased: references that the owner counts
		char owners_line[64];
	};
};

struct choices { // drawn before the measurement: the generator costs the workers nothing
	unsigned objects, held;
	struct {
		uint16_t object;
		bool own, replace;
	} drawn[DRAWN];
};

struct cell { // then (fine-lock) its lock
	_Atomic uintptr_t object;
};

struct queue { // biased: objects that their owner has to merge
	LINE_ALIGNED _Atomic(struct object *) first;
};

struct refcount {
	LINE_ALIGNED struct any_lock lock; // global-lock
	LINE_ALIGNED const struct choices *choices;
	char *cells;
	struct nodes nodes;
	struct reclaim domain; // where a strategy needs one; else without workers
	struct queue *queue;   // biased
	struct worker **workers;
};

struct reference {
	struct object *object;
	uint64_t serial;
};

struct delta { // deferred: what this worker added to an object's count, but did not yet merge
	struct object *object;
	int64_t count;
};

struct refcount_own {
	unsigned at;          // next drawn operation
	unsigned oldest;      // next of `held` to be dropped
	uint64_t serial;      // of the object made last
	uint64_t made, freed; // objects
	uint64_t wrong;       // payloads that were not the object's, objects freed twice
	uint64_t operations;  // all of them
	struct reference held[HELD_MOST];
	struct delta delta[OBJECTS_MOST]; // by cell
	unsigned changed[2 * MERGE];      // cells whose delta is in use
	unsigned changes;
	uint16_t drawn[DRAWN]; // cells, some to REPLACE
};

static int prepare(struct input *in)
{
	double theta, own, replace;
	struct choices *c = malloc(sizeof *c);
	in->data = c;
	if (!c)
		return ENOMEM;
	int rc = input_whole(in, "objects", 1, OBJECTS_MOST, &c->objects);
	if (!rc)
		rc = input_whole(in, "held", 1, HELD_MOST, &c->held);
	if (!rc)
		rc = input_number(in, "theta", 0, 5, &theta);
	if (!rc)
		rc = input_number(in, "own-percent", 0, 100, &own);
	if (!rc)
		rc = input_number(in, "replace-percent", 0, 50, &replace);
	if (rc)
		return rc;
	double weight[OBJECTS_MOST];
	for (unsigned i = 0; i < c->objects; i++)
		weight[i] = pow(i + 1, -theta);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937); /* the default seed: always the same */
	gsl_ran_discrete_t *law = gsl_ran_discrete_preproc(c->objects, weight);
	for (unsigned i = 0; i < DRAWN; i++) {
		c->drawn[i].object = (uint16_t)gsl_ran_discrete(rng, law);
		c->drawn[i].own = gsl_rng_uniform(rng) * 100 < own;
		c->drawn[i].replace = gsl_rng_uniform(rng) * 100 < replace;
	}
	gsl_ran_discrete_free(law);
	gsl_rng_free(rng);
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

static ALWAYS_INLINE struct cell *cell_of(struct refcount *r, size_t stride, unsigned i)
{
	return (struct cell *)(r->cells + i * stride);
}

static size_t stride_of(const struct variant *v)
{
	return cell_stride(sizeof(struct cell), STRATEGY_IS(v, "fine-lock") ? v->lock : NULL);
}

enum { STRIDE = 64 }; // of cells without locks

/* Objects. */

// list: the free list to use.
static __attribute__((noinline)) struct object *object_make(
	struct refcount *r, struct worker *w, unsigned list, int owner, unsigned cell)
{
	struct refcount_own *own = w->own;
	struct object *o = nodes_get(&r->nodes, list);
	if (!o)
		abort(); /* out of memory in the middle of an operation */
	own->made++;
	for (unsigned i = 0; i < WORDS; i++)
		o->word[i] = ((uint64_t)w->index + 1) << 40 | own->made;
	/* relaxed, both: published with the object */
	store(&o->count, owner == NOBODY ? ONE : 0, relaxed);
	store(&o->owner, owner, relaxed);
	o->biased = owner == NOBODY ? 0 : 1;
	o->cell = cell;
	return o;
}

static __attribute__((noinline)) void object_free(
	struct refcount *r, struct worker *w, unsigned list, struct object *o)
{
	struct refcount_own *own = w->own;
	own->wrong += o->word[0] == 0; /* freed before */
	own->freed++;
	memset(o->word, 0, sizeof o->word);
	nodes_put(&r->nodes, list, o);
}

// The payload is still the object's to which the reference was taken.
static ALWAYS_INLINE void look_at(struct refcount_own *own, const struct reference *held)
{
	const uint64_t *word = held->object->word, serial = held->serial;
	_Static_assert(WORDS == 4, "all words are compared");
	uint64_t differs =
		(word[0] ^ serial) | (word[1] ^ serial) | (word[2] ^ serial) | (word[3] ^ serial);
	if (__builtin_expect(differs || !serial, 0))
		own->wrong++;
}

// How a strategy counts. lock: null where it has none.
struct counting {
	// slot: which of the held references it will be.
	struct object *(*take)(struct refcount *r, struct worker *w, const struct lock_class *lock,
		unsigned cell, unsigned slot);
	void (*drop)(struct refcount *r, struct worker *w, const struct lock_class *lock,
		struct object *o);
	// Puts a new object into a cell and drops the cell's reference to the old one.
	void (*replace)(
		struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell);
};

// The text of all strategies: the new reference takes the place of the oldest.
static ALWAYS_INLINE void work(struct refcount *r, struct worker *w, uint64_t n,
	const struct lock_class *lock, const struct counting *counting)
{
	struct refcount_own *own = w->own;
	for (uint64_t i = 0; i < n; i++) {
		unsigned drawn = own->drawn[own->at++ % DRAWN];
		if (drawn & REPLACE) {
			counting->replace(r, w, lock, drawn & (REPLACE - 1));
			continue;
		}
		unsigned slot = own->oldest;
		struct reference *held = &own->held[slot];
		own->oldest = slot + 1 == r->choices->held ? 0 : slot + 1;
		if (held->object) {
			look_at(own, held);
			counting->drop(r, w, lock, held->object);
		}
		held->object = counting->take(r, w, lock, drawn, slot);
		held->serial = held->object->word[0];
		look_at(own, held);
	}
	own->operations += n;
}

/* Plain counts: of one worker alone, or under a lock, which orders the relaxed accesses. */

static ALWAYS_INLINE struct object *take_plainly(struct cell *cell)
{
	struct object *o = (struct object *)load(&cell->object, relaxed);
	store(&o->count, load(&o->count, relaxed) + ONE, relaxed);
	return o;
}

static ALWAYS_INLINE void drop_plainly(
	struct refcount *r, struct worker *w, unsigned list, struct object *o)
{
	int64_t left = load(&o->count, relaxed) - ONE;
	store(&o->count, left, relaxed);
	if (left == 0)
		object_free(r, w, list, o);
}

static ALWAYS_INLINE void replace_plainly(
	struct refcount *r, struct worker *w, unsigned list, struct cell *cell, unsigned number)
{
	struct object *new = object_make(r, w, list, NOBODY, number);
	struct object *old = (struct object *)load(&cell->object, relaxed);
	store(&cell->object, (uintptr_t) new, relaxed);
	drop_plainly(r, w, list, old);
}

static ALWAYS_INLINE struct object *take_alone(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)w;
	(void)lock;
	(void)slot;
	return take_plainly(cell_of(r, STRIDE, cell));
}

static ALWAYS_INLINE void drop_alone(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	(void)lock;
	drop_plainly(r, w, 0, o);
}

static ALWAYS_INLINE void replace_alone(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	(void)lock;
	replace_plainly(r, w, 0, cell_of(r, STRIDE, cell), cell);
}

static const struct counting plain_alone = {take_alone, drop_alone, replace_alone};

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	work(state, w, n, NULL, &plain_alone);
	return n;
}

struct request {
	struct cell *cell;
	struct object *object; // taken, or to be dropped
	struct worker *w;
	unsigned list, number; // free list; of the cell
};

static inline void take_section(void *state, void *request)
{
	(void)state;
	struct request *q = request;
	q->object = take_plainly(q->cell);
}

static inline void drop_section(void *state, void *request)
{
	struct request *q = request;
	drop_plainly(state, q->w, q->list, q->object);
}

static inline void replace_section(void *state, void *request)
{
	struct request *q = request;
	replace_plainly(state, q->w, q->list, q->cell, q->number);
}

// fine: the lock at the object's cell, else one for all.
static ALWAYS_INLINE struct object *request(struct refcount *r, struct worker *w,
	const struct lock_class *lock, bool fine, unsigned cell, struct object *o,
	void (*section)(void *, void *))
{
	size_t stride = cell_stride(sizeof(struct cell), fine ? lock : NULL);
	struct request q = {cell_of(r, stride, cell), o, w, fine ? w->index : 0, cell};
	lock_execute(lock, fine ? cell_lock(q.cell, sizeof *q.cell) : &r->lock, &w->node[0],
		section, r, &q);
	return q.object;
}

static ALWAYS_INLINE struct object *take_global(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)slot;
	return request(r, w, lock, false, cell, NULL, take_section);
}

static ALWAYS_INLINE void drop_global(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	request(r, w, lock, false, o->cell, o, drop_section);
}

static ALWAYS_INLINE void replace_global(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	request(r, w, lock, false, cell, NULL, replace_section);
}

static const struct counting plain_global = {take_global, drop_global, replace_global};

static ALWAYS_INLINE struct object *take_fine(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)slot;
	return request(r, w, lock, true, cell, NULL, take_section);
}

static ALWAYS_INLINE void drop_fine(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	request(r, w, lock, true, o->cell, o, drop_section);
}

static ALWAYS_INLINE void replace_fine(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	request(r, w, lock, true, cell, NULL, replace_section);
}

static const struct counting plain_fine = {take_fine, drop_fine, replace_fine};

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	work(state, w, n, lock, &plain_global);
	return n;
}
LOCKED_BATCH(global_lock)

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	work(state, w, n, lock, &plain_fine);
	return n;
}
LOCKED_BATCH(fine_lock)

/* Atomic counts. Between finding an object in its cell and counting, a worker is inside an epoch,
 * and the cell's own reference is dropped when all who were inside have left (Anderson, Blelloch &
 * Wei, Concurrent deferred reference counting, 2021). So whoever finds an object may add to its
 * count without asking whether it is 0. */

static ALWAYS_INLINE struct object *find(struct refcount *r, struct worker *w, unsigned cell)
{
	return (struct object *)epoch_protect(
		&r->domain.worker[w->index], 0, &cell_of(r, STRIDE, cell)->object);
}

// Puts a new object into a cell. Returns the old one, which still has the cell's reference.
static ALWAYS_INLINE struct object *put_new(
	struct refcount *r, struct worker *w, int owner, unsigned cell)
{
	uintptr_t new = (uintptr_t)object_make(r, w, w->index, owner, cell);
	/* A0: acq_rel; pairs with the acquire that finds the object, and with itself */
	return (struct object *)exchange(&cell_of(r, STRIDE, cell)->object, new, acq_rel);
}

static ALWAYS_INLINE void replace_with(
	struct refcount *r, struct worker *w, int owner, unsigned cell)
{
	struct reclaim_worker *me = &r->domain.worker[w->index];
	epoch_enter(me);
	epoch_retire(me, put_new(r, w, owner, cell));
	epoch_leave(me);
}

static ALWAYS_INLINE struct object *take_atomically(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)lock;
	(void)slot;
	epoch_enter(&r->domain.worker[w->index]);
	struct object *o = find(r, w, cell);
	fetch_add(&o->count, ONE, relaxed); /* relaxed: the cell's reference keeps it alive */
	epoch_leave(&r->domain.worker[w->index]);
	return o;
}

static ALWAYS_INLINE void drop_atomically(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	(void)lock;
	/* A1: acq_rel; pairs with itself: all uses happen before the freeing */
	if (fetch_sub(&o->count, ONE, acq_rel) == ONE)
		object_free(r, w, w->index, o);
}

static ALWAYS_INLINE void replace_atomically(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	(void)lock;
	replace_with(r, w, NOBODY, cell);
}

static const struct counting atomic_counting = {
	take_atomically, drop_atomically, replace_atomically};

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	work(state, w, n, NULL, &atomic_counting);
	return n;
}

static void all_left_atomic(void *state, unsigned worker, void *object)
{
	struct refcount *r = state;
	drop_atomically(r, r->workers[worker], NULL, object);
}

/* Biased counts: the worker that made an object counts its own references plainly, the others
 * atomically. When the owner's count ends at 0 the object has one count for all (MERGED); where
 * the others' falls below 0, because they drop what the owner took, they ask the owner to merge.
 * References are found as above. Source: J. Choi, T. Shull & J. Torrellas, Biased reference
 * counting, 2018. */

static ALWAYS_INLINE bool owns(const struct worker *w, struct object *o)
{
	/* relaxed: only the owner finds itself there, and only the owner changes that */
	return load(&o->owner, relaxed) == (int)w->index;
}

// The owner's references, all of them, become everybody's. Frees the object if there are none.
static __attribute__((noinline)) void merge(
	struct refcount *r, struct worker *w, struct object *o, bool from_queue)
{
	int64_t seen = load(&o->count, relaxed), merged; /* relaxed: the exchange orders */
	int64_t biased = owns(w, o) ? o->biased * ONE : 0;
	store(&o->owner, NOBODY, relaxed); /* relaxed: see owns */
	do {
		merged = (seen + biased) | MERGED;
		if (from_queue)
			merged &= ~(int64_t)QUEUED;
		/* B0: acq_rel; pairs with itself and B1: as A1 */
	} while (!compare_exchange_weak(&o->count, &seen, merged, acq_rel, relaxed));
	if (merged == MERGED)
		object_free(r, w, w->index, o);
}

static __attribute__((noinline)) void ask_owner(struct refcount *r, struct object *o, int owner)
{
	struct queue *q = &r->queue[owner];
	struct object *first = load(&q->first, relaxed); /* relaxed: B2 orders */
	do
		o->next = first;
	/* B2: release; pairs with B3 */
	while (!compare_exchange_weak(&q->first, &first, o, release, relaxed));
}

static ALWAYS_INLINE void merge_queue(struct refcount *r, struct worker *w)
{
	struct queue *q = &r->queue[w->index];
	if (!load(&q->first, relaxed)) /* relaxed: next time */
		return;
	struct object *o = exchange(&q->first, NULL, acquire); /* B3: acquire; pairs with B2 */
	while (o) {
		struct object *next = o->next;
		merge(r, w, o, true);
		o = next;
	}
}

static ALWAYS_INLINE struct object *take_biased(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)lock;
	(void)slot;
	epoch_enter(&r->domain.worker[w->index]);
	struct object *o = find(r, w, cell);
	if (owns(w, o))
		o->biased++;
	else
		fetch_add(&o->count, ONE, relaxed); /* relaxed: as in take_atomically */
	epoch_leave(&r->domain.worker[w->index]);
	return o;
}

// Of an object that somebody else owns, or nobody. Whoever takes the count below 0 first asks the
// owner, and an object in a queue is freed from there.
static ALWAYS_INLINE void drop_shared(struct refcount *r, struct worker *w, struct object *o)
{
	int64_t seen = load(&o->count, relaxed), left; /* relaxed: the exchange orders */
	int owner;
	do {
		owner = load(&o->owner, relaxed); /* relaxed: who it was while not MERGED */
		left = seen - ONE;
		if (left < 0 && !(seen & (QUEUED | MERGED)))
			left |= QUEUED;
		/* B1: acq_rel; pairs with itself and B0: as A1 */
	} while (!compare_exchange_weak(&o->count, &seen, left, acq_rel, relaxed));
	if (left == MERGED)
		object_free(r, w, w->index, o);
	else if ((left ^ seen) & QUEUED)
		ask_owner(r, o, owner);
}

static ALWAYS_INLINE void drop_biased(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	(void)lock;
	if (!owns(w, o))
		drop_shared(r, w, o);
	else if (--o->biased == 0)
		merge(r, w, o, false);
}

static ALWAYS_INLINE void replace_biased(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	(void)lock;
	replace_with(r, w, (int)w->index, cell);
}

static const struct counting biased_counting = {take_biased, drop_biased, replace_biased};

static uint64_t biased(void *state, struct worker *w, uint64_t n)
{
	merge_queue(state, w);
	work(state, w, n, NULL, &biased_counting);
	return n;
}

static void all_left_biased(void *state, unsigned worker, void *object)
{
	struct refcount *r = state;
	drop_biased(r, r->workers[worker], NULL, object);
}

/* Deferred counts: a worker notes by how much it changed which object's count, and merges that
 * after some operations, during which it is inside an epoch. A count that is 0 may lack references
 * that others took and did not merge yet; all that could take any have merged an epoch later, since
 * the object was out of its cell before its count could become 0. Then the count is EXACT: it is
 * freed, or will be by whoever brings it to 0 again. After L. P. Deutsch & D. Bobrow, 1976. */

static ALWAYS_INLINE void merge_delta(
	struct refcount *r, struct worker *w, struct object *o, int64_t delta)
{
	if (delta == 0)
		return;
	/* C0: acq_rel; pairs with itself and C2: all uses happen before the freeing */
	int64_t seen = fetch_add(&o->count, delta, acq_rel) + delta;
	if (seen & ~(int64_t)FLAGS)
		return;
	if (seen & EXACT) {
		object_free(r, w, w->index, o);
		return;
	}
	while (!(seen & PENDING))
		/* C1: relaxed: what others must see is in the bag's epoch */
		if (compare_exchange_weak(&o->count, &seen, seen | PENDING, relaxed, relaxed)) {
			epoch_retire(&r->domain.worker[w->index], o);
			break;
		}
}

static void all_merged(void *state, unsigned worker, void *object)
{
	struct refcount *r = state;
	struct object *o = object;
	/* C2: acq_rel; pairs with C0 */
	int64_t seen = fetch_add(&o->count, EXACT - PENDING, acq_rel);
	if (!(seen & ~(int64_t)FLAGS))
		object_free(r, r->workers[worker], worker, o);
}

static void merge_deltas(struct refcount *r, struct worker *w)
{
	struct refcount_own *own = w->own;
	for (unsigned i = 0; i < own->changes; i++) {
		struct delta *d = &own->delta[own->changed[i]];
		merge_delta(r, w, d->object, d->count);
		d->object = NULL;
	}
	own->changes = 0;
}

static ALWAYS_INLINE void defer(
	struct refcount *r, struct worker *w, struct object *o, int64_t change)
{
	struct refcount_own *own = w->own;
	struct delta *d = &own->delta[o->cell];
	if (d->object != o) {
		if (d->object)
			merge_delta(r, w, d->object, d->count); /* the cell has a new object */
		else
			own->changed[own->changes++] = o->cell;
		*d = (struct delta){o, 0};
	}
	d->count += change;
}

static ALWAYS_INLINE struct object *take_deferred(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)lock;
	(void)slot;
	struct object *o = find(r, w, cell);
	defer(r, w, o, ONE);
	return o;
}

static ALWAYS_INLINE void drop_deferred(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	(void)lock;
	defer(r, w, o, -ONE);
}

static ALWAYS_INLINE void replace_deferred(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	(void)lock;
	defer(r, w, put_new(r, w, NOBODY, cell), -ONE);
}

static const struct counting deferred_counting = {take_deferred, drop_deferred, replace_deferred};

static uint64_t deferred(void *state, struct worker *w, uint64_t n)
{
	struct refcount *r = state;
	for (uint64_t left = n, some; left > 0; left -= some) {
		some = left < MERGE ? left : MERGE;
		epoch_enter(&r->domain.worker[w->index]);
		work(r, w, some, NULL, &deferred_counting);
		merge_deltas(r, w);
		epoch_leave(&r->domain.worker[w->index]);
	}
	return n;
}

/* No counts: a reference is a hazard pointer. To drop it is to reuse its slot. */

static ALWAYS_INLINE struct object *take_hazard(struct refcount *r, struct worker *w,
	const struct lock_class *lock, unsigned cell, unsigned slot)
{
	(void)lock;
	return (struct object *)hazard_protect(
		&r->domain.worker[w->index], slot, &cell_of(r, STRIDE, cell)->object);
}

static ALWAYS_INLINE void drop_hazard(
	struct refcount *r, struct worker *w, const struct lock_class *lock, struct object *o)
{
	(void)r;
	(void)w;
	(void)lock;
	(void)o;
}

static ALWAYS_INLINE void replace_hazard(
	struct refcount *r, struct worker *w, const struct lock_class *lock, unsigned cell)
{
	(void)lock;
	hazard_retire(&r->domain.worker[w->index], put_new(r, w, NOBODY, cell));
}

static const struct counting hazard_counting = {take_hazard, drop_hazard, replace_hazard};

static uint64_t hazard(void *state, struct worker *w, uint64_t n)
{
	work(state, w, n, NULL, &hazard_counting);
	return n;
}

static void nobody_holds(void *state, unsigned worker, void *object)
{
	struct refcount *r = state;
	object_free(r, r->workers[worker], worker, object);
}

/* The kernel. */

static const struct method {
	const char *strategy;
	const struct counting *counting;     // of workers at rest: no locks
	const struct reclaim_class *reclaim; // null: none
	void (*free)(void *state, unsigned worker, void *object);
} methods[] = {
	{"sequential", &plain_alone, NULL, NULL},
	{"global-lock", &plain_alone, NULL, NULL},
	{"fine-lock", &plain_alone, NULL, NULL},
	{"lock-free", &atomic_counting, &epoch_reclaim, all_left_atomic},
	{"biased", &biased_counting, &epoch_reclaim, all_left_biased},
	{"deferred", &deferred_counting, &epoch_reclaim, all_merged},
	{"hazard", &hazard_counting, &hazard_reclaim, nobody_holds},
};

static const struct method *method_of(const struct run *r)
{
	const struct method *m = methods;
	while (!STRATEGY_IS(r->variant, m->strategy))
		m++;
	return m;
}

// Worker `index` draws the same operations as the others from its own place on; but where one is to
// be of its own, or a replacement, the object is the one of its own that is about as popular.
static void draw(struct refcount_own *own, const struct choices *c, unsigned index, unsigned count)
{
	own->at = DRAWN / count * index;
	for (unsigned i = 0; i < DRAWN; i++) {
		unsigned object = c->drawn[i].object;
		if (c->drawn[i].own || c->drawn[i].replace) {
			object = object / count * count + index;
			if (object >= c->objects)
				object = index % c->objects;
		}
		own->drawn[i] = (uint16_t)(object | (c->drawn[i].replace ? REPLACE : 0));
	}
}

static int create_cells(struct run *r, struct refcount *s)
{
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock"), biased = s->queue;
	size_t stride = stride_of(r->variant);
	size_t size = (s->choices->objects * stride + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1);
	char *cells = aligned_alloc(LINE_PAIR, size);
	if (!cells)
		return ENOMEM;
	memset(cells, 0, size);
	s->cells = cells;
	int rc = lock && !fine ? lock->init(&s->lock, r->team) : 0;
	for (unsigned i = 0; i < s->choices->objects && !rc; i++) {
		struct cell *cell = cell_of(s, stride, i);
		struct worker *owner = r->workers[i % r->count];
		unsigned list = fine || !lock ? owner->index : 0;
		struct object *o =
			object_make(s, owner, list, biased ? (int)owner->index : NOBODY, i);
		store(&cell->object, (uintptr_t)o, relaxed); /* relaxed: no worker is there yet */
		rc = fine ? lock->init(cell_lock(cell, sizeof *cell), r->team) : 0;
	}
	return rc;
}

static int create(struct run *r)
{
	struct refcount *s = r->state;
	const struct method *m = method_of(r);
	s->choices = r->input->data;
	s->workers = r->workers;
	int rc = nodes_init(&s->nodes, sizeof(struct object), r->count);
	if (!rc && m->reclaim)
		rc = reclaim_init(&s->domain, m->reclaim, r->count, m->free, s);
	if (!rc && m->counting == &biased_counting) {
		s->queue = aligned_alloc(LINE_PAIR, r->count * sizeof *s->queue);
		rc = s->queue ? 0 : ENOMEM;
		if (s->queue)
			memset(s->queue, 0, r->count * sizeof *s->queue);
	}
	for (unsigned i = 0; i < r->count; i++)
		draw(r->workers[i]->own, s->choices, i, r->count);
	return rc ? rc : create_cells(r, s);
}

// Drops all references but the cells', and frees what nobody has.
static void settle(struct run *r)
{
	struct refcount *s = r->state;
	const struct method *m = method_of(r);
	for (unsigned i = 0; i < r->count; i++) {
		struct worker *w = r->workers[i];
		struct refcount_own *own = w->own;
		for (unsigned j = 0; j < HELD_MOST; j++)
			if (own->held[j].object) {
				look_at(own, &own->held[j]);
				m->counting->drop(s, w, NULL, own->held[j].object);
				own->held[j].object = NULL;
				merge_deltas(s, w);
			}
		if (s->domain.worker)
			m->reclaim->offline(&s->domain.worker[i]);
	}
	if (s->domain.worker)
		m->reclaim->fini(&s->domain);
	for (unsigned i = 0; s->queue && i < r->count; i++)
		merge_queue(s, r->workers[i]);
}

static void destroy(struct run *r)
{
	struct refcount *s = r->state;
	const struct lock_class *lock = r->variant->lock;
	bool fine = STRATEGY_IS(r->variant, "fine-lock");
	if (s->cells) {
		settle(r);
		for (unsigned i = 0; i < s->choices->objects; i++) {
			struct cell *cell = cell_of(s, stride_of(r->variant), i);
			uintptr_t o = load(&cell->object, relaxed); /* relaxed: at rest */
			if (o)
				nodes_put(&s->nodes, 0, (void *)o);
			if (fine)
				lock->fini(cell_lock(cell, sizeof *cell));
		}
		if (lock && !fine)
			lock->fini(&s->lock);
	}
	reclaim_fini(&s->domain);
	nodes_fini(&s->nodes);
	free(s->queue);
	free(s->cells);
}

// When all references are dropped each object in a cell has the cell's, and every other object that
// was ever made has been freed, once; and nobody found a payload other than that of its object.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct refcount *s = r->state;
	int64_t lost = 0, alive = -(int64_t)s->choices->objects, operations = 0;
	settle(r);
	for (unsigned i = 0; i < r->count; i++) {
		const struct refcount_own *own = r->workers[i]->own;
		lost += (int64_t)own->wrong;
		alive += (int64_t)(own->made - own->freed);
		operations += (int64_t)(done[i] - own->operations);
	}
	for (unsigned i = 0; i < s->choices->objects; i++) {
		struct cell *cell = cell_of(s, stride_of(r->variant), i);
		/* relaxed, all: at rest */
		struct object *o = (struct object *)load(&cell->object, relaxed);
		int64_t count = load(&o->count, relaxed) / ONE;
		if (load(&o->owner, relaxed) != NOBODY)
			count += o->biased;
		lost += llabs(count - 1);
	}
	return lost + llabs(alive) + llabs(operations);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock) LOCKED_VARIANTS("fine-lock", fine_lock){
		.strategy = "lock-free", .batch = lock_free},
	{.strategy = "biased", .batch = biased},
	{.strategy = "deferred", .batch = deferred},
	{.strategy = "hazard", .batch = hazard},
};

static const struct param params[] = {
	{"objects", "16", "number of objects at a time", "1..1024"},
	{"theta", "0.99", "skew of Zipf's law; 0: all objects alike", "0..5 (real)"},
	{"own-percent", "50", "share of references that go to objects of the worker's own",
		"0..100 (real)"},
	{"replace-percent", "0.1", "share of operations that replace an object by a new one",
		"0..50 (real)"},
	{"held", "4", "references that a worker holds at a time", "1..32"},
	{0},
};

KERNEL(refcount, .summary = "references to shared objects; who drops the last one frees the object",
	.shared = "16 objects", .unit = "references", .locks = "mutex ttas mcs",
	.state_size = sizeof(struct refcount), .own_size = sizeof(struct refcount_own),
	.params = params, VARIANTS(variants), .prepare = prepare, .unprepare = unprepare,
	.create = create, .destroy = destroy, .check = check);
