// SPDX-License-Identifier: BSD-2-Clause
// An undirected graph in compressed rows: the neighbours of each vertex in one array, sorted, each
// once, without loops. Made from pairs of vertices: read from a list of edges, or drawn as R-MAT
// (Chakrabarti, Zhan & Faloutsos 2004) with Graph500's shares. And the two sequential algorithms
// whose results others are compared with.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic.h"

enum { GRAPH_SCALE_MOST = 24, GRAPH_LINE_MOST = 256 };
#define GRAPH_NONE UINT32_MAX       // no vertex
#define GRAPH_EDGES_MOST (1u << 30) // in a list

struct graph {
	uint32_t vertices;
	uint64_t entries;    // of all rows: each edge twice
	uint64_t *row;       // vertices + 1: where each begins
	uint32_t *neighbour; // entries
	uint64_t *name;      // of each vertex, ascending, where it came from a list; or null
};

struct graph_edge {
	uint64_t from, to; // names of the ends
};

struct graph_edges {
	struct graph_edge *edge;
	size_t count, room;
};

static inline void graph_fini(struct graph *g)
{
	free(g->row);
	free(g->neighbour);
	free(g->name);
	memset(g, 0, sizeof *g);
}

static inline void graph_edges_fini(struct graph_edges *e)
{
	free(e->edge);
	memset(e, 0, sizeof *e);
}

static inline int graph_add(struct graph_edges *e, uint64_t from, uint64_t to)
{
	if (e->count == e->room) {
		size_t room = e->room ? 2 * e->room : 1024;
		struct graph_edge *more = realloc(e->edge, room * sizeof *more);
		if (!more)
			return ENOMEM;
		e->edge = more;
		e->room = room;
	}
	e->edge[e->count++] = (struct graph_edge){from, to};
	return 0;
}

/* Lists of edges. */

static inline const char *graph_number(const char *text, uint64_t *number)
{
	char *end;
	text += strspn(text, " \t");
	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno ? NULL : end;
}

// Two numbers a line, blanks or tabs between; lines that are empty or begin with # are left out.
// Returns 0, or a positive errno with *line, the line's number: EINVAL where it is no edge, E2BIG
// where there are too many, EIO where reading failed, ENOMEM.
static inline int graph_read(struct graph_edges *e, FILE *f, size_t *line)
{
	char text[GRAPH_LINE_MOST];
	for (*line = 1; fgets(text, sizeof text, f); ++*line) {
		uint64_t from, to;
		size_t length = strlen(text);
		bool whole = length > 0 && (text[length - 1] == '\n' || feof(f));
		const char *at = text + strspn(text, " \t\r\n");
		if (*at == '#')
			while (!whole && fgets(text, sizeof text, f))
				whole = text[strlen(text) - 1] == '\n';
		if (!*at || *at == '#')
			continue;
		at = graph_number(at, &from);
		at = at && (*at == ' ' || *at == '\t') ? graph_number(at, &to) : NULL;
		if (!at || !whole || at[strspn(at, " \t\r\n")])
			return EINVAL;
		if (e->count == GRAPH_EDGES_MOST)
			return E2BIG;
		if (graph_add(e, from, to))
			return ENOMEM;
	}
	return ferror(f) ? EIO : 0;
}

static inline int graph_by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

// The vertex of that name, by halving; it is there.
static inline uint32_t graph_vertex(const struct graph *g, uint64_t name)
{
	uint32_t low = 0, high = g->vertices;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (g->name[middle] <= name)
			low = middle;
		else
			high = middle;
	}
	return low;
}

// Names to numbers 0 .. vertices - 1, in ascending order.
static inline int graph_number_vertices(struct graph *g, struct graph_edges *e)
{
	uint64_t *all = malloc((2 * e->count + 1) * sizeof *all);
	g->name = all;
	if (!all)
		return ENOMEM;
	for (size_t i = 0; i < e->count; i++) {
		all[2 * i] = e->edge[i].from;
		all[2 * i + 1] = e->edge[i].to;
	}
	qsort(all, 2 * e->count, sizeof *all, graph_by_number);
	for (size_t i = 0; i < 2 * e->count; i++)
		if (i == 0 || all[i] != all[g->vertices - 1])
			all[g->vertices++] = all[i];
	for (size_t i = 0; i < e->count; i++) {
		e->edge[i].from = graph_vertex(g, e->edge[i].from);
		e->edge[i].to = graph_vertex(g, e->edge[i].to);
	}
	return 0;
}

/* Compressed rows. */

// Row and neighbour of the transposed graph: those of `g`, rows in order, so that each new row is
// sorted.
static inline int graph_transpose(struct graph *g)
{
	uint64_t *row = calloc((size_t)g->vertices + 2, sizeof *row);
	uint32_t *neighbour = malloc((g->entries + 1) * sizeof *neighbour);
	if (!row || !neighbour) {
		free(row);
		free(neighbour);
		return ENOMEM;
	}
	for (uint64_t i = 0; i < g->entries; i++)
		row[g->neighbour[i] + 2]++;
	for (size_t v = 2; v <= (size_t)g->vertices; v++)
		row[v] += row[v - 1];
	/* row[v + 1] is where the next entry of v goes; in the end, where v + 1 begins. */
	for (uint32_t v = 0; v < g->vertices; v++)
		for (uint64_t i = g->row[v]; i < g->row[v + 1]; i++)
			neighbour[row[g->neighbour[i] + 1]++] = v;
	free(g->row);
	free(g->neighbour);
	g->row = row;
	g->neighbour = neighbour;
	return 0;
}

// In sorted rows: each neighbour once.
static inline void graph_drop_doubles(struct graph *g)
{
	uint64_t kept = 0;
	for (uint32_t v = 0; v < g->vertices; v++) {
		uint64_t begin = g->row[v], end = g->row[v + 1];
		g->row[v] = kept;
		for (uint64_t i = begin; i < end; i++)
			if (i == begin || g->neighbour[i] != g->neighbour[kept - 1])
				g->neighbour[kept++] = g->neighbour[i];
	}
	g->row[g->vertices] = g->entries = kept;
}

// From edges between vertices 0 .. g->vertices - 1. Returns 0 or ENOMEM.
static inline int graph_build(struct graph *g, const struct graph_edges *e)
{
	g->row = calloc((size_t)g->vertices + 2, sizeof *g->row);
	g->neighbour = malloc((2 * e->count + 1) * sizeof *g->neighbour);
	if (!g->row || !g->neighbour)
		return ENOMEM;
	for (size_t i = 0; i < e->count; i++)
		if (e->edge[i].from != e->edge[i].to) {
			g->row[e->edge[i].from + 2]++;
			g->row[e->edge[i].to + 2]++;
		}
	for (size_t v = 2; v <= (size_t)g->vertices; v++)
		g->row[v] += g->row[v - 1];
	for (size_t i = 0; i < e->count; i++)
		if (e->edge[i].from != e->edge[i].to) {
			g->neighbour[g->row[e->edge[i].from + 1]++] = (uint32_t)e->edge[i].to;
			g->neighbour[g->row[e->edge[i].to + 1]++] = (uint32_t)e->edge[i].from;
		}
	g->entries = g->row[g->vertices];
	int rc = graph_transpose(g);
	if (!rc)
		graph_drop_doubles(g);
	return rc;
}

/* R-MAT. */

// splitmix64 (Steele, Lea & Flood 2014).
static inline uint64_t graph_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

// 2^scale vertices and `degree` edges for each; always the same for the same numbers. Vertices are
// shuffled, since otherwise the popular ones come first.
static inline int graph_draw(struct graph_edges *e, unsigned scale, unsigned degree)
{
	/* Of each quarter of the matrix: 0.57, 0.19, 0.19, 0.05, in parts of 65536. */
	enum { A = 37356, B = A + 12452, C = B + 12452 };
	uint64_t state = 1;
	uint32_t vertices = (uint32_t)1 << scale, *deal = malloc(vertices * sizeof *deal);
	if (!deal)
		return ENOMEM;
	for (uint32_t v = 0; v < vertices; v++)
		deal[v] = v;
	for (uint32_t v = vertices; v-- > 1;) {
		uint32_t other = (uint32_t)(graph_random(&state) % (v + 1)), kept = deal[v];
		deal[v] = deal[other];
		deal[other] = kept;
	}
	int rc = 0;
	for (uint64_t i = 0; i < (uint64_t)vertices * degree && !rc; i++) {
		uint32_t from = 0, to = 0;
		uint64_t bits = 0;
		for (unsigned level = 0; level < scale; level++, bits >>= 16) {
			if (level % 4 == 0)
				bits = graph_random(&state);
			unsigned part = bits & 0xffff;
			from = 2 * from + (part >= B);
			to = 2 * to + ((part >= A && part < B) || part >= C);
		}
		rc = graph_add(e, deal[from], deal[to]);
	}
	free(deal);
	return rc;
}

/* Sequential algorithms. */

static inline uint64_t graph_degree(const struct graph *g, uint32_t v)
{
	return g->row[v + 1] - g->row[v];
}

static inline uint32_t graph_busiest(const struct graph *g)
{
	uint32_t best = 0;
	for (uint32_t v = 1; v < g->vertices; v++)
		if (graph_degree(g, v) > graph_degree(g, best))
			best = v;
	return best;
}

// How far each vertex is from the root; GRAPH_NONE where there is no way. queue has room for all
// vertices. Returns how many entries of rows were read.
static inline uint64_t graph_levels(
	const struct graph *g, uint32_t root, uint32_t *level, uint32_t *queue)
{
	uint64_t read = 0;
	uint32_t count = 1;
	memset(level, 0xff, g->vertices * sizeof *level);
	level[root] = 0;
	queue[0] = root;
	for (uint32_t at = 0; at < count; at++) {
		uint32_t v = queue[at];
		for (uint64_t i = g->row[v]; i < g->row[v + 1]; i++)
			if (level[g->neighbour[i]] == GRAPH_NONE) {
				level[g->neighbour[i]] = level[v] + 1;
				queue[count++] = g->neighbour[i];
			}
		read += graph_degree(g, v);
	}
	return read;
}

// The smallest vertex that each is connected with, which names the component.
static inline void graph_components(const struct graph *g, uint32_t *label, uint32_t *queue)
{
	memset(label, 0xff, g->vertices * sizeof *label);
	for (uint32_t first = 0; first < g->vertices; first++) {
		uint32_t count = 0;
		if (label[first] != GRAPH_NONE)
			continue;
		label[first] = first;
		queue[count++] = first;
		while (count > 0) {
			uint32_t v = queue[--count];
			for (uint64_t i = g->row[v]; i < g->row[v + 1]; i++)
				if (label[g->neighbour[i]] == GRAPH_NONE) {
					label[g->neighbour[i]] = first;
					queue[count++] = g->neighbour[i];
				}
		}
	}
}

static inline bool graph_has_edge(const struct graph *g, uint32_t v, uint32_t to)
{
	uint64_t low = g->row[v], high = g->row[v + 1];
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (g->neighbour[middle] < to)
			low = middle + 1;
		else
			high = middle;
	}
	return low < g->row[v + 1] && g->neighbour[low] == to;
}

// How many vertices are not where a breadth-first search from root puts them: the parents must be
// neighbours, one level closer to the root, which is its own parent; `level` as graph_levels made
// it.
static inline uint64_t graph_wrong_parents(
	const struct graph *g, uint32_t root, const uint32_t *level, const _Atomic uint32_t *parent)
{
	uint64_t wrong = load(&parent[root], relaxed) != root; /* relaxed: all at rest */
	for (uint32_t v = 0; v < g->vertices; v++) {
		uint32_t up = load(&parent[v], relaxed);
		if (v == root)
			continue;
		if (up == GRAPH_NONE || level[v] == GRAPH_NONE)
			wrong += up != level[v];
		else
			wrong += up >= g->vertices || level[up] + 1 != level[v] ||
				 !graph_has_edge(g, v, up);
	}
	return wrong;
}
