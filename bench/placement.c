// SPDX-License-Identifier: BSD-2-Clause
// Orders the allowed PUs of a machine, finds the boundaries in that order, and proposes worker
// counts. Pure: everything follows from struct machine.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "placement.h"

static const char *const names[PLACEMENTS] = {"compact", "spread", "smt", "none"};

const char *placement_name(enum placement p)
{
	return (unsigned)p < PLACEMENTS ? names[p] : "unknown";
}

int placement_parse(const char *text, enum placement *p, struct error *e)
{
	for (int i = 0; i < PLACEMENTS; i++) {
		if (!strcmp(text, names[i])) {
			*p = (enum placement)i;
			return 0;
		}
	}
	return error_set(e, EINVAL,
		"placement '%.200s' is unknown; give compact, spread, smt or none", text);
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

// One PU while it is sorted. Where PUs are dealt round robin, the groups of a scope take turns.
struct slot {
	unsigned index; // into m->pu
	uint64_t scope, group;
	unsigned position; // in the order so far
	unsigned turn;     // of its group, from 0
	unsigned first;    // position of its group's first slot: orders the groups of a turn
};

static int by_group(const void *a, const void *b)
{
	const struct slot *s = a, *t = b;
	int order = compare(s->scope, t->scope);

	if (!order)
		order = compare(s->group, t->group);
	return order ? order : compare(s->position, t->position);
}

static int by_turn(const void *a, const void *b)
{
	const struct slot *s = a, *t = b;
	int order = compare(s->scope, t->scope);

	if (!order)
		order = compare(s->turn, t->turn);
	return order ? order : compare(s->first, t->first);
}

static void deal(struct slot *slots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		slots[i].position = (unsigned)i;
	qsort(slots, n, sizeof *slots, by_group);
	for (size_t i = 0; i < n; i++) {
		bool same = i && slots[i].scope == slots[i - 1].scope &&
			    slots[i].group == slots[i - 1].group;
		slots[i].turn = same ? slots[i - 1].turn + 1 : 0;
		slots[i].first = same ? slots[i - 1].first : slots[i].position;
	}
	qsort(slots, n, sizeof *slots, by_turn);
}

static unsigned group_of(const struct machine_pu *pu, bool numa)
{
	return numa ? pu->numa : pu->package;
}

// How many packages (or NUMA nodes) have allowed PUs: those of which an earlier PU is not.
static unsigned count_groups(const struct machine *m, bool numa)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->allowed_pus; i++) {
		unsigned j = 0;
		while (group_of(&m->pu[j], numa) != group_of(&m->pu[i], numa))
			j++;
		n += j == i;
	}
	return n;
}

// The larger of package and NUMA node is the one of which there are fewer: either may hold
// several of the other.
static bool numa_is_larger(const struct machine *m)
{
	return count_groups(m, true) < count_groups(m, false);
}

// Deals the compact order round robin, innermost level first. Siblings and core kinds are
// dealt apart from each other, so that they stay behind each other as in the compact order.
static void spread(const struct machine *m, struct slot *slots)
{
	size_t n = m->allowed_pus;
	bool numa_outermost = numa_is_larger(m);

	for (size_t i = 0; i < n; i++) {
		const struct machine_pu *pu = &m->pu[slots[i].index];
		slots[i].scope = slots[i].scope << 32 | group_of(pu, numa_outermost);
		slots[i].group = group_of(pu, !numa_outermost);
	}
	deal(slots, n);
	for (size_t i = 0; i < n; i++) {
		slots[i].group = slots[i].scope & UINT32_MAX;
		slots[i].scope >>= 32;
	}
	deal(slots, n);
}

void placement_order(const struct machine *m, enum placement p, unsigned *order)
{
	struct slot *slots = calloc(m->allowed_pus, sizeof *slots);

	for (unsigned i = 0; i < m->allowed_pus; i++) {
		order[i] = i;
		if (!slots)
			continue;
		// Logical order keeps the siblings of a core together; faster kinds come
		// before it, and but for `smt` all first siblings before any second one.
		const struct machine_pu *pu = &m->pu[i];
		unsigned rank = p == PLACEMENT_SMT ? 0 : pu->smt_rank;
		uint64_t class = (uint64_t)rank * m->kinds + (m->kinds - 1 - (unsigned)pu->kind);
		slots[i] = (struct slot){.index = i, .scope = class, .position = i};
	}
	if (!slots)
		return;
	qsort(slots, m->allowed_pus, sizeof *slots, by_group);
	if (p == PLACEMENT_SPREAD)
		spread(m, slots);
	for (unsigned i = 0; i < m->allowed_pus; i++)
		order[i] = slots[i].index;
	free(slots);
}

// True if the k-th PU of an order is the first of its package or NUMA node.
static bool opens_group(const struct machine *m, const unsigned *order, unsigned k, bool numa)
{
	unsigned group = group_of(&m->pu[order[k]], numa);

	for (unsigned i = k; i-- > 0;)
		if (group_of(&m->pu[order[i]], numa) == group)
			return false;
	return true;
}

enum level { LEVEL_SMT, LEVEL_KIND, LEVEL_PACKAGE, LEVEL_NUMA, LEVELS, LEVEL_NONE = LEVELS };

// What has been filled so far while an order is walked.
struct walk {
	const struct machine *m;
	const unsigned *order;
	bool smt, only_smt, numa_is_larger;
	unsigned groups[LEVELS]; // packages and NUMA nodes opened so far
	int slowest;
};

// What the k-th worker begins, if anything; the widest of several.
static enum level step(struct walk *w, unsigned k)
{
	const struct machine_pu *pu = &w->m->pu[w->order[k]];
	bool sibling = !w->smt && pu->smt_rank > 0;
	bool slower = k && pu->kind < w->slowest;
	bool package = opens_group(w->m, w->order, k, false);
	bool numa = opens_group(w->m, w->order, k, true);

	w->smt |= sibling;
	if (!k || slower)
		w->slowest = pu->kind;
	w->groups[LEVEL_PACKAGE] += package;
	w->groups[LEVEL_NUMA] += numa;
	if (!k)
		return LEVEL_NONE;
	if (sibling)
		return LEVEL_SMT;
	if (w->only_smt)
		return LEVEL_NONE;
	if (slower)
		return LEVEL_KIND;
	if (package && !(numa && w->numa_is_larger))
		return LEVEL_PACKAGE;
	return numa ? LEVEL_NUMA : LEVEL_NONE;
}

static void describe(const struct walk *w, enum level level, struct boundary *b)
{
	switch (level) {
	case LEVEL_SMT:
		snprintf(b->what, sizeof b->what, "SMT");
		break;
	case LEVEL_KIND:
		if (w->m->kinds == 2)
			snprintf(b->what, sizeof b->what, "E-cores");
		else
			snprintf(b->what, sizeof b->what, "core kind %d",
				(int)w->m->kinds - w->slowest);
		break;
	case LEVEL_PACKAGE:
		snprintf(b->what, sizeof b->what, "package %u", w->groups[level]);
		break;
	default:
		snprintf(b->what, sizeof b->what, "NUMA node %u", w->groups[LEVEL_NUMA]);
	}
}

// A boundary as found, with what is needed to choose worker counts by it.
struct found {
	struct boundary b;
	enum level level;
	unsigned filled; // groups of its level that are full before it
};

// Returns an array of *n boundaries, or null where there are none or memory is short.
static struct found *find_boundaries(const struct machine *m, enum placement p, size_t *n)
{
	unsigned *order = malloc(m->allowed_pus * sizeof *order);
	struct found *found = calloc(m->allowed_pus, sizeof *found);

	*n = 0;
	if (!order || !found) {
		free(order);
		free(found);
		return NULL;
	}
	placement_order(m, p, order);
	struct walk w = {.m = m, .order = order, .only_smt = p == PLACEMENT_NONE};
	w.numa_is_larger = numa_is_larger(m);
	for (unsigned k = 0; k < m->allowed_pus; k++) {
		enum level level = step(&w, k);
		if (level == LEVEL_NONE)
			continue;
		struct found *f = &found[(*n)++];
		f->level = level;
		f->b.after = k;
		f->filled = w.groups[level] - 1;
		describe(&w, level, &f->b);
	}
	free(order);
	return found;
}

size_t placement_boundaries(
	const struct machine *m, enum placement p, struct boundary *b, size_t max)
{
	size_t n;
	struct found *found = find_boundaries(m, p, &n);

	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++)
		b[i] = found[i].b;
	free(found);
	return n;
}

// Worker counts in the making: ascending, no doubles, none above limit.
struct counts {
	unsigned *value;
	size_t n, max;
	unsigned limit;
};

static void add(struct counts *c, unsigned value)
{
	size_t at = c->n;

	while (at && c->value[at - 1] > value)
		at--;
	bool there = at && c->value[at - 1] == value;
	if (there || !value || value > c->limit || c->n == c->max)
		return;
	memmove(c->value + at + 1, c->value + at, (c->n - at) * sizeof *c->value);
	c->value[at] = value;
	c->n++;
}

static bool is_power_of_two(unsigned x)
{
	return x && !(x & (x - 1));
}

static void add_boundaries(struct counts *c, const struct found *found, size_t n)
{
	unsigned of_level[LEVELS] = {0};

	for (size_t i = 0; i < n; i++)
		of_level[found[i].level]++;
	for (size_t i = 0; i < n; i++) {
		const struct found *f = &found[i];
		if (of_level[f->level] > 8 && !is_power_of_two(f->filled))
			continue;
		add(c, f->b.after);
		add(c, f->b.after + 1);
	}
}

size_t placement_counts(const struct machine *m, enum placement p, unsigned *counts, size_t max)
{
	struct counts c = {.value = counts, .max = max, .limit = m->allowed_pus};
	size_t n;
	struct found *found = find_boundaries(m, p, &n);

	add(&c, m->allowed_cores);
	add(&c, m->allowed_pus);
	for (unsigned power = 1; power <= m->allowed_cores; power *= 2) {
		add(&c, power);
		if (power > 1 && power + power / 2 <= m->allowed_cores)
			add(&c, power + power / 2);
	}
	add_boundaries(&c, found, n);
	free(found);
	return c.n;
}
