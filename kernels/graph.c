// SPDX-License-Identifier: BSD-2-Clause
// graph: workers search a graph breadth first, level by level, from its busiest vertex; or find its
// connected components by joining trees (union-find, smallest vertex on top; path halving). A fixed
// amount of work: what counts is when the last worker is done (makespan). An operation is an edge
// followed from one of its ends: entries read of the vertices' rows.
// Strategies differ in one thing: how a word that says which vertex is above another is set, if it
// is still what it was. Whether it is worth trying all of them look first, without a lock.
// After Leiserson & Schardl 2010 (levels), Anderson & Woll 1991 (concurrent union-find).
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "locks.h"
#include "structures/graph.h"

enum {
	STRIPES = 1024, // fine-lock: locks, each for every 1024th vertex
	CHUNK = 64,     // vertices taken at once
	FOUND = 512,    // vertices found by a worker before it passes them on
	SPINS = 2000,   // of a wait for others, before it gives the PU away
};

struct network {
	struct graph graph;
	bool components;
	uint32_t root;
	uint32_t *right; // levels, or labels
	uint64_t edges;  // to be followed in all
};

struct search {
	struct any_lock lock;
	LINE_ALIGNED const struct graph *graph;
	_Atomic uint32_t *above; // parents of the search; or the trees of the components
	_Atomic uint32_t *queue; // vertices found, level after level; relaxed: each is written once
				 // in a level and read in the next, with a barrier between
	const struct network *network;
	char *stripe; // fine-lock: cells with nothing but a lock
	/* Who is done with a level waits for the others. */
	LINE_ALIGNED _Atomic uint32_t next;  // vertex, or place in the queue, to be taken
	LINE_ALIGNED _Atomic uint32_t found; // places of the queue that are taken
	LINE_ALIGNED atomic_uint arrived;
	LINE_ALIGNED atomic_uint phase; // levels done
	uint32_t end;                   // of the level; written by the last to arrive
};

struct search_own {
	bool done;
	unsigned count;
	uint32_t found[FOUND]; // not yet in the queue
};

/* The graph. */

static int read_list(struct input *in, struct network *n, const char *path)
{
	struct graph_edges edges = {0};
	size_t line = 0;
	FILE *f = fopen(path, "r");
	int rc = f ? graph_read(&edges, f, &line) : errno;
	if (!f || rc == EIO) {
		snprintf(
			in->error, sizeof in->error, "cannot read '%s': %s", path, strerror(errno));
		rc = EINVAL;
	} else if (rc == EINVAL || rc == E2BIG) {
		snprintf(in->error, sizeof in->error, "'%s', line %zu: %s", path, line,
			rc == E2BIG ? "more than 2^30 edges"
				    : "not an edge: two whole numbers are accepted, or a # before "
				      "a comment");
		rc = EINVAL;
	}
	if (!rc)
		rc = graph_number_vertices(&n->graph, &edges);
	if (!rc)
		rc = graph_build(&n->graph, &edges);
	if (!rc && n->graph.entries == 0) {
		snprintf(
			in->error, sizeof in->error, "'%s' has no edge between two vertices", path);
		rc = EINVAL;
	}
	graph_edges_fini(&edges);
	if (f)
		fclose(f);
	return rc;
}

static int draw(struct input *in, struct network *n)
{
	struct graph_edges edges = {0};
	unsigned scale, degree;
	int rc = input_whole(in, "scale", 3, GRAPH_SCALE_MOST, &scale);
	if (!rc)
		rc = input_whole(in, "degree", 1, 64, &degree);
	if (rc)
		return rc;
	rc = graph_draw(&edges, scale, degree);
	n->graph.vertices = (uint32_t)1 << scale;
	if (!rc)
		rc = graph_build(&n->graph, &edges);
	graph_edges_fini(&edges);
	return rc;
}

static void unprepare(struct input *in)
{
	struct network *n = in->data;
	if (!n)
		return;
	graph_fini(&n->graph);
	free(n->right);
	free(n);
}

static int solve(struct network *n)
{
	const struct graph *g = &n->graph;
	uint32_t *queue = malloc(g->vertices * sizeof *queue);
	n->right = malloc(g->vertices * sizeof *n->right);
	n->root = graph_busiest(g);
	n->edges = g->entries;
	int rc = queue && n->right ? 0 : ENOMEM;
	if (!rc && n->components)
		graph_components(g, n->right, queue);
	else if (!rc)
		n->edges = graph_levels(g, n->root, n->right, queue);
	free(queue);
	return rc;
}

static int prepare(struct input *in)
{
	const char *path = input_text(in, "input"), *algorithm = input_text(in, "algorithm");
	struct network *n = calloc(1, sizeof *n);
	in->data = n;
	if (!n)
		return ENOMEM;
	n->components = strcmp(algorithm, "components") == 0;
	if (!n->components && strcmp(algorithm, "bfs")) {
		snprintf(in->error, sizeof in->error, "'%s' is none of bfs|components", algorithm);
		return EINVAL;
	}
	int rc = *path ? read_list(in, n, path) : draw(in, n);
	if (!rc)
		rc = solve(n);
	snprintf(in->note, sizeof in->note, "%u vertices, %llu edges, %llu ends of edges followed",
		n->graph.vertices, (unsigned long long)(n->graph.entries / 2),
		(unsigned long long)n->edges);
	return rc;
}

/* Setting a word, the one thing that strategies do in different ways. */

struct change {
	_Atomic uint32_t *word;
	uint32_t from, to;
	bool made;
};

static inline void change_word(void *state, void *change)
{
	struct change *c = change;
	(void)state;
	/* relaxed: read without the lock by those who only look, and decide nothing by it */
	c->made = load(c->word, relaxed) == c->from;
	if (c->made)
		store(c->word, c->to, relaxed);
}

enum way { ALONE, BY_LOCK, BY_STRIPE, BY_EXCHANGE };

static ALWAYS_INLINE void *stripe(
	const struct search *s, const struct lock_class *lock, uint32_t vertex)
{
	return s->stripe + vertex % STRIPES * cell_stride(0, lock);
}

// Puts `to` above the vertex if `from` is there. False: it is not.
static ALWAYS_INLINE bool set_above(struct search *s, struct worker *w, enum way way,
	const struct lock_class *lock, uint32_t vertex, uint32_t from, uint32_t to)
{
	struct change c = {&s->above[vertex], from, to, false};
	switch (way) {
	case ALONE:
		change_word(NULL, &c);
		break;
	case BY_LOCK:
		lock_execute(lock, &s->lock, &w->node[0], change_word, NULL, &c);
		break;
	case BY_STRIPE:
		lock_execute(lock, stripe(s, lock, vertex), &w->node[0], change_word, NULL, &c);
		break;
	case BY_EXCHANGE:
		/* relaxed: the word says all; what it leads to never changes, or is such a word */
		c.made = compare_exchange(c.word, &from, to, relaxed, relaxed);
		break;
	}
	return c.made;
}

/* Working together. */

// Waits for all workers; the last to arrive starts the next level of the search, if any is left.
static void next_level(struct search *s, struct worker *w)
{
	unsigned phase = load(&s->phase, relaxed); /* relaxed: cannot change before all arrive */
	/* A0: acquire, release; the last to arrive sees what the others found */
	if (fetch_add(&s->arrived, 1, acq_rel) == w->count - 1) {
		/* relaxed, all of them: A1 publishes them */
		store(&s->arrived, 0, relaxed);
		store(&s->next, s->network->components ? 0 : s->end, relaxed);
		s->end = load(&s->found, relaxed);
		store(&s->phase, phase + 1, release); /* A1: release; pairs with A2 */
		return;
	}
	unsigned spins = 0;
	while (load(&s->phase, acquire) == phase) { /* A2: acquire; pairs with A1 */
		if (++spins < SPINS)
			cpu_relax();
		else
			sched_yield();
	}
}

static ALWAYS_INLINE bool take_chunk(struct search *s, uint32_t end, uint32_t *at, uint32_t *until)
{
	if (load(&s->next, relaxed) >= end) /* relaxed: a chunk is only a number */
		return false;
	*at = fetch_add(&s->next, CHUNK, relaxed);
	*until = end - *at < CHUNK ? end : *at + CHUNK;
	return *at < end;
}

static __attribute__((noinline)) void pass_on(struct search *s, struct search_own *own)
{
	/* relaxed: the places are the worker's own; A0 publishes what is put there */
	uint32_t at = fetch_add(&s->found, own->count, relaxed);
	for (unsigned i = 0; i < own->count; i++)
		store(&s->queue[at + i], own->found[i], relaxed);
	own->count = 0;
}

/* Breadth-first search. */

static ALWAYS_INLINE uint64_t visit_neighbours(
	struct search *s, struct worker *w, enum way way, const struct lock_class *lock, uint32_t v)
{
	const struct graph *g = s->graph;
	struct search_own *own = w->own;
	for (uint64_t i = g->row[v], end = g->row[v + 1]; i < end; i++) {
		uint32_t to = g->neighbour[i];
		/* relaxed: whoever was first is as good; once set it stays */
		if (load(&s->above[to], relaxed) != GRAPH_NONE ||
			!set_above(s, w, way, lock, to, GRAPH_NONE, v))
			continue;
		own->found[own->count++] = to;
		if (own->count == FOUND)
			pass_on(s, own);
	}
	return graph_degree(g, v);
}

static ALWAYS_INLINE uint64_t search_levels(
	struct search *s, struct worker *w, enum way way, const struct lock_class *lock)
{
	struct search_own *own = w->own;
	uint64_t edges = 0;
	for (;;) {
		uint32_t at, until, end = s->end;
		while (take_chunk(s, end, &at, &until))
			for (; at < until; at++) /* relaxed: A1 has brought them */
				edges += visit_neighbours(
					s, w, way, lock, load(&s->queue[at], relaxed));
		if (own->count > 0)
			pass_on(s, own);
		next_level(s, w);
		if (s->end == end)
			return edges; /* nothing new was found */
	}
}

// The honest program for one worker: one queue, no levels.
static uint64_t search_alone(struct search *s)
{
	const struct graph *g = s->graph;
	uint32_t count = 1;
	uint64_t edges = 0;
	/* relaxed, all of them: one worker; plain instructions */
	for (uint32_t at = 0; at < count; at++) {
		uint32_t v = load(&s->queue[at], relaxed);
		for (uint64_t i = g->row[v], end = g->row[v + 1]; i < end; i++) {
			uint32_t to = g->neighbour[i];
			if (load(&s->above[to], relaxed) != GRAPH_NONE)
				continue;
			store(&s->above[to], v, relaxed);
			store(&s->queue[count++], to, relaxed);
		}
		edges += graph_degree(g, v);
	}
	return edges;
}

/* Components. Above each vertex is a smaller one of its component, or itself: a root. Trees are
 * joined by setting what is above a root. */

static ALWAYS_INLINE uint32_t find_root(struct search *s, uint32_t v)
{
	/* relaxed: whatever is above v, now or earlier, is smaller and of its component; so a store
	 * that comes late does no harm to what it overwrites. Roots are never stored to. */
	for (;;) {
		uint32_t up = load(&s->above[v], relaxed);
		uint32_t top = load(&s->above[up], relaxed);
		if (up == top)
			return up;
		store(&s->above[v], top, relaxed);
		v = top;
	}
}

static ALWAYS_INLINE void join(struct search *s, struct worker *w, enum way way,
	const struct lock_class *lock, uint32_t a, uint32_t b)
{
	for (;;) {
		a = find_root(s, a);
		b = find_root(s, b);
		if (a == b)
			return;
		uint32_t low = a < b ? a : b, high = a < b ? b : a;
		if (set_above(s, w, way, lock, high, high, low))
			return;
	}
}

// Then each vertex is put below its root, the component's smallest vertex.
static ALWAYS_INLINE uint64_t join_edges(
	struct search *s, struct worker *w, enum way way, const struct lock_class *lock)
{
	const struct graph *g = s->graph;
	uint64_t edges = 0;
	uint32_t at, until;
	while (take_chunk(s, g->vertices, &at, &until))
		for (; at < until; at++) {
			for (uint64_t i = g->row[at]; i < g->row[at + 1]; i++)
				if (g->neighbour[i] < at) /* once for each edge */
					join(s, w, way, lock, at, g->neighbour[i]);
			edges += graph_degree(g, at);
		}
	next_level(s, w);
	while (take_chunk(s, g->vertices, &at, &until))
		for (; at < until; at++)
			store(&s->above[at], find_root(s, at), relaxed); /* relaxed: as there */
	return edges;
}

/* Strategies. */

// All of it in one batch, since workers wait for each other inside.
static ALWAYS_INLINE uint64_t work(
	struct search *s, struct worker *w, enum way way, const struct lock_class *lock)
{
	struct search_own *own = w->own;
	if (own->done)
		return 0;
	own->done = true;
	if (s->network->components)
		return join_edges(s, w, way, lock);
	return way == ALONE ? search_alone(s) : search_levels(s, w, way, lock);
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	return work(state, w, ALONE, NULL);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	(void)n;
	return work(state, w, BY_LOCK, lock);
}
LOCKED_BATCH(global_lock)

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	(void)n;
	return work(state, w, BY_STRIPE, lock);
}
LOCKED_BATCH(fine_lock)

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	return work(state, w, BY_EXCHANGE, NULL);
}

/* The state. */

static int create_stripes(struct run *r, struct search *s)
{
	const struct lock_class *lock = r->variant->lock;
	size_t stride = cell_stride(0, lock);
	int rc = 0;
	s->stripe = aligned_alloc(LINE_PAIR, STRIPES * stride);
	if (!s->stripe)
		return ENOMEM;
	memset(s->stripe, 0, STRIPES * stride);
	for (uint32_t i = 0; i < STRIPES && !rc; i++)
		rc = lock->init(stripe(s, lock, i), r->team);
	return rc;
}

static int create(struct run *r)
{
	struct search *s = r->state;
	s->network = r->input->data;
	s->graph = &s->network->graph;
	s->above = malloc(s->graph->vertices * sizeof *s->above);
	s->queue = malloc(s->graph->vertices * sizeof *s->queue);
	if (!s->above || !s->queue)
		return ENOMEM;
	if (STRATEGY_IS(r->variant, "fine-lock"))
		return create_stripes(r, s);
	return r->variant->lock ? r->variant->lock->init(&s->lock, r->team) : 0;
}

static void destroy(struct run *r)
{
	struct search *s = r->state;
	const struct lock_class *lock = r->variant->lock;
	if (lock && !STRATEGY_IS(r->variant, "fine-lock"))
		lock->fini(&s->lock);
	for (uint32_t i = 0; s->stripe && i < STRIPES; i++)
		lock->fini(stripe(s, lock, i));
	free(s->stripe);
	free((void *)s->above);
	free((void *)s->queue);
}

// relaxed, all of them: the common start publishes them.
static void begin(struct run *r)
{
	struct search *s = r->state;
	const struct network *n = s->network;
	for (uint32_t v = 0; v < s->graph->vertices; v++)
		store(&s->above[v], n->components ? v : GRAPH_NONE, relaxed);
	store(&s->above[n->root], n->root, relaxed);
	store(&s->queue[0], n->root, relaxed);
	store(&s->next, 0, relaxed);
	store(&s->found, 1, relaxed);
	store(&s->arrived, 0, relaxed);
	s->end = 1;
	for (unsigned i = 0; i < r->count; i++) {
		struct search_own *own = r->workers[i]->own;
		own->done = false;
		own->count = 0;
	}
}

static int64_t check(struct run *r, const uint64_t *done)
{
	const struct search *s = r->state;
	const struct network *n = s->network;
	int64_t edges = 0, wrong = 0;
	for (unsigned i = 0; i < r->count; i++)
		edges += (int64_t)done[i];
	if (!n->components)
		wrong = (int64_t)graph_wrong_parents(s->graph, n->root, n->right, s->above);
	for (uint32_t v = 0; n->components && v < s->graph->vertices; v++)
		wrong += load(&s->above[v], relaxed) != n->right[v]; /* relaxed: all at rest */
	return wrong + llabs(edges - (int64_t)n->edges);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock) LOCKED_VARIANTS("fine-lock", fine_lock){
		.strategy = "lock-free", .batch = lock_free},
};

static const struct param params[] = {
	{"algorithm", "bfs", "breadth-first search or connected components", "bfs|components"},
	{"input", "", "file with edges (default: a graph drawn as R-MAT)",
		"a readable file: two numbers a line, comments after #"},
	{"scale", "17", "a drawn graph has 2^scale vertices", "3..24"},
	{"degree", "16", "and so many edges for each vertex", "1..64"},
	{0},
};

KERNEL(graph, .summary = "searches a graph breadth first, or finds its components",
	.shared = "what is above each vertex, and the vertices found", .unit = "edges",
	.kind = KERNEL_MAKESPAN, .locks = "mutex ttas mcs", .state_size = sizeof(struct search),
	.own_size = sizeof(struct search_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.begin = begin, .check = check);
