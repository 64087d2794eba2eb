// SPDX-License-Identifier: BSD-2-Clause
// hashmap: workers look up, insert and remove keys of one map. Seven strategies share it, each by
// the same verbs, with the same hash function and the same memory for nodes; libraries' maps
// beside ours.
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "structures/drawn.h"
#include "kernel.h"
#include "locks.h"
#include "structures/reclamation.h"

#include "structures/chain_map.h"
#include "structures/flat_map.h"
#include "structures/line_map.h"
#include "structures/rcu_map.h"
#include "structures/split_ordered.h"
#ifdef HAVE_URCU
#include "structures/map_urcu.h"
#endif
#ifdef HAVE_CK
#include "structures/map_ck.h"
#endif

enum strategy {
	SEQUENTIAL,
	GLOBAL_LOCK,
	FINE_LOCK,
	FINE_LOCK_STRIPED,
	LOCK_FREE,
	LOCK_FREE_BUCKET,
	RCU,
	URCU_RCULFHASH,
	CK_HT,
	CK_HS
};

static const char *const strategy_names[] = {[SEQUENTIAL] = "sequential",
	[GLOBAL_LOCK] = "global-lock",
	[FINE_LOCK] = "fine-lock",
	[FINE_LOCK_STRIPED] = "fine-lock-striped",
	[LOCK_FREE] = "lock-free",
	[LOCK_FREE_BUCKET] = "lock-free-bucket",
	[RCU] = "rcu",
	[URCU_RCULFHASH] = "urcu-rculfhash",
	[CK_HT] = "ck-ht",
	[CK_HS] = "ck-hs"};

struct made { // once per process
	struct drawn *drawn;
	const struct reclaim_class *scheme;
};

// Buckets with locks. fine-lock: a cell has a bucket's chain, then its lock. fine-lock-striped:
// chains by themselves, and cells with a lock for every so many of them.
struct locked_map {
	char *cells;
	struct chain_node **heads; // fine-lock-striped
	size_t buckets, locks;     // powers of two
};

enum { STRIPES_PER_WORKER = 32 };

struct hashmap {
	struct any_lock lock; // global-lock
	LINE_ALIGNED enum strategy strategy;
	const struct drawn *drawn;
	const struct reclaim_class *scheme;
	struct nodes nodes;
	struct reclaim reclaim; // lock-free, rcu
	struct flat_map flat;   // sequential, global-lock
	struct locked_map locked;
	struct rcu_map rcu;
	struct split_ordered split; // lock-free
	struct line_map line;       // lock-free-bucket
#ifdef HAVE_URCU
	struct map_urcu urcu;
#endif
#ifdef HAVE_CK
	struct map_ck_ht ck_ht;
	struct map_ck_hs ck_hs;
#endif
};

struct hashmap_own {
	unsigned at; // next operation
	// What this worker put in less what it took out, modulo 2^64.
	uint64_t count, keys, values;
	uint64_t wrong; // lookups that found another value than the one that belongs to the key
};

static int prepare(struct input *in)
{
	struct made *made = in->data = calloc(1, sizeof *made);
	if (!made)
		return ENOMEM;
	made->scheme = reclaim_chosen(in);
	return made->scheme ? drawn_make(in, 4, 1 << 20, &made->drawn) : EINVAL;
}

static void unprepare(struct input *in)
{
	struct made *made = in->data;
	if (made)
		drawn_free(made->drawn);
	free(made);
}

/* The operations. What only looks does so in one go, whether the key is there or not: which of them
 * it will be is nothing that a branch predictor could know. */

static ALWAYS_INLINE bool changes_nothing(enum verb verb, bool found)
{
	return (verb == VERB_LOOKUP) | (found == (verb == VERB_INSERT));
}

// An operation on its way into a critical section, and its result.
struct request {
	struct hashmap *map;
	struct operation *op;
	unsigned worker;
	struct chain_node **head; // fine-lock*
	bool done;
};

static ALWAYS_INLINE bool flat_apply(struct flat_map *m, struct operation *op)
{
	uint64_t value;
	bool found = flat_map_lookup(m, op->key, &value);
	if (__builtin_expect(changes_nothing(op->verb, found), 1)) {
		op->value = value;
		return found & (op->verb == VERB_LOOKUP);
	}
	if (op->verb == VERB_INSERT)
		return flat_map_insert(m, op->key, op->value);
	op->value = value;
	flat_map_remove(m, op->key);
	return true;
}

static inline void global_section(void *map, void *request)
{
	struct request *q = request;
	q->done = flat_apply(&((struct hashmap *)map)->flat, q->op);
}

static __attribute__((noinline)) bool chain_change(struct request *q)
{
	struct nodes *nodes = &q->map->nodes;
	struct operation *op = q->op;
	struct chain_node *node;
	if (op->verb == VERB_INSERT) {
		node = nodes_get(nodes, q->worker);
		if (!node)
			return false;
		node->key = op->key;
		node->value = op->value;
		if (chain_insert(q->head, node))
			return true;
		nodes_put(nodes, q->worker, node);
		return false;
	}
	node = chain_remove(q->head, op->key);
	if (!node)
		return false;
	op->value = node->value;
	nodes_put(nodes, q->worker, node);
	return true;
}

static inline void chain_section(void *unused, void *request)
{
	struct request *q = request;
	(void)unused;
	q->done = q->op->verb == VERB_LOOKUP ? chain_lookup(q->head, q->op->key, &q->op->value)
					     : chain_change(q);
}

static ALWAYS_INLINE bool global_lock_apply(
	struct hashmap *h, struct worker *w, struct operation *op, const struct lock_class *lock)
{
	struct request q = {.map = h, .op = op};
	lock_execute(lock, &h->lock, &w->node[0], global_section, h, &q);
	return q.done;
}

static ALWAYS_INLINE bool fine_lock_apply(struct hashmap *h, struct worker *w, struct operation *op,
	const struct lock_class *lock, bool striped)
{
	const struct locked_map *m = &h->locked;
	struct request q = {.map = h, .op = op, .worker = w->index};
	const size_t data = striped ? 0 : sizeof *q.head, hash = map_hash(op->key);
	char *cell = m->cells + (hash & (m->locks - 1)) * cell_stride(data, lock);
	q.head = striped ? &m->heads[hash & (m->buckets - 1)] : (struct chain_node **)cell;
	lock_execute(lock, cell_lock(cell, data), &w->node[0], chain_section, NULL, &q);
	return q.done;
}

static ALWAYS_INLINE bool lock_free_apply(struct hashmap *h, struct worker *w, struct operation *op,
	const struct reclaim_class *scheme)
{
	struct reclaim_worker *me = &h->reclaim.worker[w->index];
	struct split_ordered *m = &h->split;
	bool done;
	/* cppcheck-suppress ctunullpointer ; work() comes here with a scheme only */
	scheme->enter(me);
	if (op->verb == VERB_LOOKUP)
		done = split_ordered_lookup(scheme, m, me, op->key, &op->value);
	else if (op->verb == VERB_INSERT)
		done = split_ordered_insert(scheme, m, me, op->key, op->value);
	else
		done = split_ordered_remove(scheme, m, me, op->key, &op->value);
	scheme->leave(me);
	return done;
}

static ALWAYS_INLINE bool line_apply(struct line_map *m, unsigned worker, struct operation *op)
{
	struct line_found f = line_map_lookup(m, worker, op->key);
	uint64_t value = f.value;
	bool done;
	if (__builtin_expect(changes_nothing(op->verb, f.found), 1)) {
		op->value = value;
		return f.found & (op->verb == VERB_LOOKUP);
	}
	if (op->verb == VERB_INSERT)
		return line_map_insert(m, worker, op->key, op->value);
	done = line_map_remove(m, worker, op->key, &value);
	op->value = value;
	return done;
}

static ALWAYS_INLINE bool rcu_apply(struct hashmap *h, struct worker *w, struct operation *op,
	const struct reclaim_class *scheme)
{
	struct reclaim_worker *me = &h->reclaim.worker[w->index];
	struct rcu_map *m = &h->rcu;
	uint64_t value = 0;
	scheme->enter(me);
	bool done, found = rcu_map_lookup(scheme, m, me, op->key, &value);
	if (__builtin_expect(changes_nothing(op->verb, found), 1)) {
		op->value = value;
		done = found & (op->verb == VERB_LOOKUP);
	} else if (op->verb == VERB_INSERT) {
		done = rcu_map_insert(m, w->index, op->key, op->value);
	} else {
		uint64_t removed = 0;
		done = rcu_map_remove(m, me, op->key, &removed);
		op->value = removed;
	}
	scheme->leave(me);
	return done;
}

#ifdef HAVE_URCU
static ALWAYS_INLINE bool map_urcu_apply(struct map_urcu *m, unsigned worker, struct operation *op)
{
	if (op->verb == VERB_LOOKUP)
		return map_urcu_lookup(m, op->key, &op->value);
	return op->verb == VERB_INSERT ? map_urcu_insert(m, worker, op->key, op->value)
				       : map_urcu_remove(m, worker, op->key, &op->value);
}
#endif

#ifdef HAVE_CK
static ALWAYS_INLINE bool map_ck_ht_apply(struct map_ck_ht *m, struct operation *op)
{
	if (op->verb == VERB_LOOKUP)
		return map_ck_ht_lookup(m, op->key, &op->value);
	return op->verb == VERB_INSERT ? map_ck_ht_insert(m, op->key, op->value)
				       : map_ck_ht_remove(m, op->key, &op->value);
}

static ALWAYS_INLINE bool map_ck_hs_apply(
	struct map_ck_hs *m, unsigned worker, struct operation *op)
{
	if (op->verb == VERB_LOOKUP)
		return map_ck_hs_lookup(m, op->key, &op->value);
	return op->verb == VERB_INSERT ? map_ck_hs_insert(m, worker, op->key, op->value)
				       : map_ck_hs_remove(m, worker, op->key, &op->value);
}
#endif

// Where the strategy is a constant, one of these remains.
static ALWAYS_INLINE bool apply(struct hashmap *h, struct worker *w, struct operation *op,
	enum strategy strategy, const struct lock_class *lock, const struct reclaim_class *scheme)
{
	switch (strategy) {
	case SEQUENTIAL:
		return flat_apply(&h->flat, op);
	case GLOBAL_LOCK:
		return global_lock_apply(h, w, op, lock);
	case FINE_LOCK:
		return fine_lock_apply(h, w, op, lock, false);
	case FINE_LOCK_STRIPED:
		return fine_lock_apply(h, w, op, lock, true);
	case LOCK_FREE:
		return lock_free_apply(h, w, op, scheme);
	case LOCK_FREE_BUCKET:
		return line_apply(&h->line, w->index, op);
	case RCU:
		return rcu_apply(h, w, op, scheme);
#ifdef HAVE_URCU
	case URCU_RCULFHASH:
		return map_urcu_apply(&h->urcu, w->index, op);
#endif
#ifdef HAVE_CK
	case CK_HT:
		return map_ck_ht_apply(&h->ck_ht, op);
	case CK_HS:
		return map_ck_hs_apply(&h->ck_hs, w->index, op);
#endif
	default:
		return false;
	}
}

// Around each batch.
static ALWAYS_INLINE void online(struct hashmap *h, struct worker *w, enum strategy strategy,
	const struct reclaim_class *scheme)
{
	if (strategy == LOCK_FREE || strategy == RCU)
		scheme->online(&h->reclaim.worker[w->index]);
#ifdef HAVE_URCU
	if (strategy == URCU_RCULFHASH)
		map_urcu_online();
#endif
#ifdef HAVE_CK
	if (strategy == CK_HS)
		map_ck_hs_online(&h->ck_hs, w->index);
#endif
}

static ALWAYS_INLINE void offline(struct hashmap *h, struct worker *w, enum strategy strategy,
	const struct reclaim_class *scheme)
{
	if (strategy == LOCK_FREE || strategy == RCU)
		scheme->offline(&h->reclaim.worker[w->index]);
#ifdef HAVE_URCU
	if (strategy == URCU_RCULFHASH)
		map_urcu_offline();
#endif
#ifdef HAVE_CK
	if (strategy == CK_HS)
		map_ck_hs_offline(&h->ck_hs, w->index);
#endif
}

// Notes a change that was made.
static ALWAYS_INLINE void note(struct hashmap_own *own, const struct operation *op)
{
	uint64_t sign = op->verb == VERB_INSERT ? 1 : (uint64_t)-1;
	own->count += sign;
	own->keys += sign * op->key;
	own->values += sign * op->value;
}

// The text of all strategies. A key's value is the key.
static ALWAYS_INLINE uint64_t work(struct hashmap *h, struct worker *w, uint64_t n,
	enum strategy strategy, const struct lock_class *lock, const struct reclaim_class *scheme)
{
	struct hashmap_own *own = w->own;
	const struct drawn *drawn = h->drawn;
	uint64_t done = 0, wrong = 0;
	unsigned at = own->at;
	online(h, w, strategy, scheme);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t next = drawn_next(drawn, &at);
		struct operation op = {drawn_verb(next), drawn_key(next), drawn_key(next)};
		bool looks = op.verb == VERB_LOOKUP;
		bool success = apply(h, w, &op, strategy, lock, scheme);
		done += success | looks;
		wrong += success & looks & (op.value != op.key);
		if (success & !looks)
			note(own, &op);
	}
	offline(h, w, strategy, scheme);
	own->at = at;
	own->wrong += wrong;
	w->failed += n - done;
	return done;
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	return work(state, w, n, SEQUENTIAL, NULL, NULL);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, GLOBAL_LOCK, lock, NULL);
}
LOCKED_BATCH(global_lock)

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, FINE_LOCK, lock, NULL);
}
LOCKED_BATCH(fine_lock)

static ALWAYS_INLINE uint64_t fine_lock_striped(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	return work(state, w, n, FINE_LOCK_STRIPED, lock, NULL);
}
LOCKED_BATCH(fine_lock_striped)

static const struct reclaim_class *scheme_of(const struct hashmap *h)
{
	return h->scheme;
}

static ALWAYS_INLINE uint64_t lock_free(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	return work(state, w, n, LOCK_FREE, NULL, scheme);
}
RECLAIMED_BATCH(lock_free, scheme_of)

static uint64_t lock_free_bucket(void *state, struct worker *w, uint64_t n)
{
	return work(state, w, n, LOCK_FREE_BUCKET, NULL, NULL);
}

static ALWAYS_INLINE uint64_t rcu(
	void *state, struct worker *w, uint64_t n, const struct reclaim_class *scheme)
{
	return work(state, w, n, RCU, NULL, scheme);
}
RECLAIMED_BATCH(rcu, scheme_of)

#ifdef HAVE_URCU
static uint64_t urcu_rculfhash(void *state, struct worker *w, uint64_t n)
{
	return work(state, w, n, URCU_RCULFHASH, NULL, NULL);
}
#endif

#ifdef HAVE_CK
static uint64_t ck_ht(void *state, struct worker *w, uint64_t n)
{
	return work(state, w, n, CK_HT, NULL, NULL);
}

static uint64_t ck_hs(void *state, struct worker *w, uint64_t n)
{
	return work(state, w, n, CK_HS, NULL, NULL);
}
#endif

// One operation in any strategy.
static bool operate(void *state, struct worker *w, struct operation *op)
{
	struct hashmap *h = state;
	online(h, w, h->strategy, h->scheme);
	struct operation tried = *op; /* its value is undefined where it fails */
	bool success = apply(h, w, &tried, h->strategy, w->lock, h->scheme);
	if (success && op->verb != VERB_LOOKUP)
		note(w->own, &tried);
	if (success)
		*op = tried;
	offline(h, w, h->strategy, h->scheme);
	return success;
}

/* Making and checking. */

static bool is_fine(enum strategy s)
{
	return s == FINE_LOCK || s == FINE_LOCK_STRIPED;
}

static size_t data_of(enum strategy s)
{
	return s == FINE_LOCK ? sizeof(struct chain_node *) : 0;
}

// Both fine-lock strategies are sized for the load: as many buckets as keys.
static int create_locked(struct hashmap *h, const struct run *r)
{
	struct locked_map *m = &h->locked;
	const struct lock_class *lock = r->variant->lock;
	bool striped = h->strategy == FINE_LOCK_STRIPED;
	size_t data = data_of(h->strategy), stride = cell_stride(data, lock);
	m->buckets = map_power(h->drawn->keys);
	size_t stripes = map_power((size_t)STRIPES_PER_WORKER * r->count);
	m->locks = striped && stripes < m->buckets ? stripes : m->buckets;
	size_t bytes = (m->locks * stride + LINE_PAIR - 1) & ~(size_t)(LINE_PAIR - 1);
	m->cells = aligned_alloc(LINE_PAIR, bytes);
	if (!m->cells)
		return ENOMEM;
	memset(m->cells, 0, bytes);
	if (striped && !(m->heads = calloc(m->buckets, sizeof *m->heads)))
		return ENOMEM;
	int rc = 0;
	for (size_t i = 0; i < m->locks && !rc; i++)
		rc = lock->init(cell_lock(m->cells + i * stride, data), r->team);
	return rc;
}

static struct chain_node *chain_of(const struct hashmap *h, const struct variant *v, size_t bucket)
{
	const struct locked_map *m = &h->locked;
	return m->heads ? m->heads[bucket]
			: *(struct chain_node **)(m->cells +
						  bucket * cell_stride(
								   data_of(h->strategy), v->lock));
}

static void destroy_locked(struct hashmap *h, const struct variant *v)
{
	struct locked_map *m = &h->locked;
	size_t data = data_of(h->strategy), stride = cell_stride(data, v->lock);
	if (!m->cells || (h->strategy == FINE_LOCK_STRIPED && !m->heads))
		m->buckets = m->locks = 0;
	for (size_t i = 0; i < m->buckets; i++)
		for (struct chain_node *n = chain_of(h, v, i), *next; n; n = next) {
			next = n->next;
			nodes_put(&h->nodes, 0, n);
		}
	for (size_t i = 0; i < m->locks; i++)
		v->lock->fini(cell_lock(m->cells + i * stride, data));
	free(m->cells);
	free(m->heads);
}

static size_t node_size(enum strategy s)
{
	switch (s) {
	case SEQUENTIAL:
	case GLOBAL_LOCK:
		return sizeof(struct flat_bucket);
	case FINE_LOCK:
	case FINE_LOCK_STRIPED:
		return sizeof(struct chain_node);
	case LOCK_FREE_BUCKET:
		return sizeof(struct line_bucket);
	case RCU:
		return sizeof(struct rcu_node);
	default:
		return 4 * sizeof(uint64_t); /* a link or two, key, value */
	}
}

static int create_structure(struct hashmap *h, const struct run *r)
{
	int rc = 0;
	if (h->strategy == LOCK_FREE || h->strategy == RCU)
		rc = reclaim_init(&h->reclaim, h->scheme, r->count, nodes_reclaimed, &h->nodes);
	if (rc)
		return rc;
	switch (h->strategy) {
	case GLOBAL_LOCK:
		rc = r->variant->lock->init(&h->lock, r->team);
		return rc ? rc : flat_map_init(&h->flat, &h->nodes);
	case SEQUENTIAL:
		return flat_map_init(&h->flat, &h->nodes);
	case FINE_LOCK:
	case FINE_LOCK_STRIPED:
		return create_locked(h, r);
	case LOCK_FREE:
		return split_ordered_init(&h->split, &h->nodes, r->count);
	case LOCK_FREE_BUCKET:
		return line_map_init(&h->line, &h->nodes, r->count);
	case RCU:
		return rcu_map_init(&h->rcu, h->drawn->keys, &h->nodes);
#ifdef HAVE_URCU
	case URCU_RCULFHASH:
		return map_urcu_init(&h->urcu, h->drawn->keys, &h->nodes, r->count);
#endif
#ifdef HAVE_CK
	case CK_HT:
		return map_ck_ht_init(&h->ck_ht);
	case CK_HS:
		return map_ck_hs_init(&h->ck_hs, &h->nodes, r->count);
#endif
	default:
		return ENOTSUP;
	}
}

static enum strategy strategy_of(const struct variant *v)
{
	unsigned s = 0;
	while (!STRATEGY_IS(v, strategy_names[s]))
		s++;
	return (enum strategy)s;
}

static int create(struct run *r)
{
	struct hashmap *h = r->state;
	const struct made *made = r->input->data;
	struct worker *first = r->workers[0];
	h->strategy = strategy_of(r->variant);
	h->drawn = made->drawn;
	h->scheme = made->scheme;
	int rc = nodes_init(&h->nodes, node_size(h->strategy), r->count);
	if (!rc)
		rc = create_structure(h, r);
	for (unsigned i = 0; i < r->count; i++)
		((struct hashmap_own *)r->workers[i]->own)->at = drawn_start(h->drawn, i, r->count);
	for (unsigned key = 0; !rc && key < h->drawn->range; key++)
		if (h->drawn->within[key])
			rc = operate(h, first, &(struct operation){VERB_INSERT, key, key}) ? 0
											   : ENOMEM;
	return rc;
}

static void destroy(struct run *r)
{
	struct hashmap *h = r->state;
	if (!h->nodes.worker)
		return;
	if (is_fine(h->strategy))
		destroy_locked(h, r->variant);
	if (h->strategy == GLOBAL_LOCK)
		r->variant->lock->fini(&h->lock);
	if (h->strategy == SEQUENTIAL || h->strategy == GLOBAL_LOCK)
		flat_map_fini(&h->flat);
	if (h->strategy == LOCK_FREE)
		split_ordered_fini(&h->split);
	if (h->strategy == LOCK_FREE_BUCKET)
		line_map_fini(&h->line);
	if (h->strategy == RCU)
		rcu_map_fini(&h->rcu);
#ifdef HAVE_URCU
	if (h->strategy == URCU_RCULFHASH)
		map_urcu_fini(&h->urcu);
#endif
#ifdef HAVE_CK
	if (h->strategy == CK_HT)
		map_ck_ht_fini(&h->ck_ht);
	if (h->strategy == CK_HS)
		map_ck_hs_fini(&h->ck_hs);
#endif
	reclaim_fini(&h->reclaim);
	nodes_fini(&h->nodes);
}

struct content {
	unsigned range;
	unsigned char *seen; // of each key
	uint64_t count, keys, values;
	int64_t wrong; // keys that are there twice, or cannot be there
};

static void visit(void *context, uint64_t key, uint64_t value)
{
	struct content *c = context;
	c->count++;
	c->keys += key;
	c->values += value;
	if (key >= c->range || c->seen[key]++)
		c->wrong++;
}

static void walk(struct hashmap *h, const struct variant *v, struct content *c)
{
	switch (h->strategy) {
	case SEQUENTIAL:
	case GLOBAL_LOCK:
		flat_map_walk(&h->flat, visit, c);
		break;
	case LOCK_FREE:
		split_ordered_walk(&h->split, visit, c);
		break;
	case LOCK_FREE_BUCKET:
		line_map_walk(&h->line, visit, c);
		break;
	case RCU:
		rcu_map_walk(&h->rcu, visit, c);
		break;
#ifdef HAVE_URCU
	case URCU_RCULFHASH:
		map_urcu_walk(&h->urcu, visit, c);
		break;
#endif
#ifdef HAVE_CK
	case CK_HT:
		map_ck_ht_walk(&h->ck_ht, visit, c);
		break;
	case CK_HS:
		map_ck_hs_walk(&h->ck_hs, visit, c);
		break;
#endif
	default:
		for (size_t i = 0; i < h->locked.buckets; i++)
			for (struct chain_node *n = chain_of(h, v, i); n; n = n->next)
				visit(c, n->key, n->value);
	}
}

// The map must hold what was put in less what was taken out: as many keys, none of them twice, and
// of keys and of values the same sum.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct hashmap *h = r->state;
	struct content c = {.range = h->drawn->range};
	struct hashmap_own all = {0};
	(void)done;
	c.seen = calloc(c.range, 1);
	if (!c.seen)
		return 1; /* nothing is known of the map: not good enough */
	walk(h, r->variant, &c);
	free(c.seen);
	for (unsigned i = 0; i < r->count; i++) {
		const struct hashmap_own *own = r->workers[i]->own;
		all.count += own->count;
		all.keys += own->keys;
		all.values += own->values;
		all.wrong += own->wrong;
	}
	int64_t lost = llabs((int64_t)(all.count - c.count)) + c.wrong + (int64_t)all.wrong;
	return lost ? lost : all.keys != c.keys || all.values != c.values;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential, .model = MODEL_MAP, .operate = operate},
	LOCKED_STRUCTURE("global-lock", global_lock, MODEL_MAP, operate) LOCKED_STRUCTURE(
		"fine-lock", fine_lock, MODEL_MAP, operate) LOCKED_STRUCTURE("fine-lock-striped",
		fine_lock_striped, MODEL_MAP, operate){.strategy = "lock-free",
		.batch = lock_free_reclaimed,
		.model = MODEL_MAP,
		.operate = operate},
	{.strategy = "lock-free-bucket",
		.batch = lock_free_bucket,
		.model = MODEL_MAP,
		.operate = operate},
	{.strategy = "rcu", .batch = rcu_reclaimed, .model = MODEL_MAP, .operate = operate},
#ifdef HAVE_URCU
	{.strategy = "urcu-rculfhash",
		.batch = urcu_rculfhash,
		.model = MODEL_MAP,
		.operate = operate},
#endif
#ifdef HAVE_CK
	{.strategy = "ck-ht", .batch = ck_ht, .model = MODEL_MAP, .operate = operate},
	{.strategy = "ck-hs", .batch = ck_hs, .model = MODEL_MAP, .operate = operate},
#endif
};

static const struct param params[] = {
	DRAWN_PARAMS("16384", "4..1048576"),
	RECLAIM_PARAM("epoch"),
	{0},
};

KERNEL(hashmap, .summary = "one hash map: lookups, insertions and removals",
	.shared = "a map of 16384 keys", .unit = "operations", .standard = true,
	.locks = "mutex ttas mcs", .state_size = sizeof(struct hashmap),
	.own_size = sizeof(struct hashmap_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.check = check);
