// SPDX-License-Identifier: BSD-2-Clause
// See search.h and README.md.
#include "search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "world.h"

enum { DEPTH_MOST = 20000, CHOICES_MOST = 32, PREEMPTIONS_MANY = 1 << 20 };

struct choice {
	unsigned char fiber, alternative;
};

// A state on the way from the start to where the search is.
struct frame {
	char *saved, *saved_end;
	unsigned state;
	int last, left; // who moved last; preemptions left
	unsigned count, next;
	bool moved, despaired;
	struct choice choice[CHOICES_MOST];
};

// A state ever seen: how it was reached first, and whether a schedule from it ends well.
struct state {
	unsigned parent;
	struct choice by;
	bool ends;
};

struct edge {
	unsigned from, to;
};

static char *pristine, *snapshots;
static struct frame *frames;
static unsigned depth;

static struct state *states;
static uint64_t *keys; // open addressing: key, and at the same place the state's number
static unsigned *numbers;
static unsigned table_size, state_count;
static struct edge *edges;
static size_t edge_count, edge_room;

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		perror("explore: mmap");
		exit(2);
	}
	return p;
}

void search_begin(void)
{
	world_make();
	pristine = reserve(world_size());
	world_save(pristine);
	snapshots = reserve((size_t)64 << 30);
	frames = reserve(sizeof *frames * (DEPTH_MOST + 1));
}

static void tables_make(unsigned most)
{
	table_size = 1024;
	while (table_size < most * 2)
		table_size *= 2;
	keys = reserve(sizeof *keys * table_size);
	numbers = reserve(sizeof *numbers * table_size);
	states = reserve(sizeof *states * (most + 1));
	state_count = 0;
	edge_count = 0;
}

static void tables_drop(unsigned most)
{
	munmap(keys, sizeof *keys * table_size);
	munmap(numbers, sizeof *numbers * table_size);
	munmap(states, sizeof *states * (most + 1));
}

// The number of the state with this key; *new where it was not seen before.
static unsigned state_of(uint64_t key, bool *new)
{
	key += key == 0;
	unsigned i = (unsigned)(key >> 20) & (table_size - 1);
	while (keys[i] && keys[i] != key)
		i = (i + 1) & (table_size - 1);
	*new = !keys[i];
	if (*new) {
		keys[i] = key;
		numbers[i] = state_count++;
	}
	return numbers[i];
}

static void edge_add(unsigned from, unsigned to)
{
	if (edge_count == edge_room) {
		edge_room = edge_room ? edge_room * 2 : 1 << 16;
		edges = realloc(edges, edge_room * sizeof *edges);
		if (!edges)
			abort();
	}
	edges[edge_count++] = (struct edge){from, to};
}

/* Schedules as text: "m3a12b.1a": main 3 steps, worker a 12, worker b one with its outcome 1. */

static char *schedule_text(const struct choice *c, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0, n; i < count; i += n) {
		for (n = 1; i + n < count && !memcmp(&c[i], &c[i + n], sizeof *c); n++)
			;
		fputc(fiber_letter(c[i].fiber), out);
		if (n > 1)
			fprintf(out, "%zu", n);
		if (c[i].alternative)
			fprintf(out, ".%u", c[i].alternative);
	}
	fclose(out);
	return text;
}

static char *schedule_on_path(void)
{
	struct choice *c = calloc(depth + 1, sizeof *c);
	for (unsigned i = 0; i < depth; i++)
		c[i] = frames[i].choice[frames[i].next - 1];
	char *text = schedule_text(c, depth);
	free(c);
	return text;
}

static char *schedule_to_state(unsigned state)
{
	size_t n = 0;
	for (unsigned s = state; s; s = states[s].parent)
		n++;
	struct choice *c = calloc(n + 1, sizeof *c);
	size_t i = n;
	for (unsigned s = state; s; s = states[s].parent)
		c[--i] = states[s].by;
	char *text = schedule_text(c, n);
	free(c);
	return text;
}

/* Choices. */

static bool can_go_on(unsigned fiber)
{
	const struct fiber *f = &world->fiber[fiber];
	return f->live && world_alternatives(f, false) & 1 && f->op != OP_WAKE;
}

// Whoever moved last first: the search's first way is that of fewest preemptions.
static void list_choices(struct frame *f)
{
	f->count = f->next = 0;
	for (unsigned i = 0; i < world->fibers; i++) {
		unsigned fiber = ((unsigned)f->last + i) % world->fibers;
		if (!world->fiber[fiber].live)
			continue;
		unsigned mask = world_alternatives(&world->fiber[fiber], f->despaired);
		for (unsigned a = 0; a < 8 && f->count < CHOICES_MOST; a++)
			if (mask & 1u << a)
				f->choice[f->count++] =
					(struct choice){(unsigned char)fiber, (unsigned char)a};
	}
}

static void push(unsigned state, int last, int left)
{
	struct frame *f = &frames[depth];
	f->saved = depth ? frames[depth - 1].saved_end : snapshots;
	f->saved_end = f->saved + world_save(f->saved);
	f->state = state;
	f->last = last;
	f->left = left;
	f->moved = f->despaired = false;
	list_choices(f);
	depth++;
}

// False: the fiber spins and would do so for ever.
static bool carry_out(struct choice c)
{
	if (world->fiber[c.fiber].op == OP_RELAX && c.alternative == 1)
		return world_lose_patience(c.fiber);
	world_step(c.fiber, c.alternative);
	return true;
}

static void describe_all(char *text, size_t size)
{
	size_t at = 0;
	for (unsigned i = 0; i < world->fibers && at < size; i++) {
		char one[200];
		if (!world->fiber[i].live)
			continue;
		world_describe(i, one, sizeof one);
		at += (size_t)snprintf(
			text + at, size - at, "%s%c at %s", at ? "; " : "", fiber_letter(i), one);
	}
}

static void start(const struct scenario *scenario, const void *subject)
{
	world_begin(pristine);
	scenario_prepare(scenario, subject);
	world->timeouts = scenario->workers == 2 ? 2 : 1;
	world->spurious = scenario->workers == 2;
	world->leaps = 1;
}

static bool is_over(void)
{
	return world->fiber[0].done;
}

static const char *left_behind(void)
{
	for (unsigned i = 1; i < world->fibers; i++)
		if (world->fiber[i].live)
			return "a thread that the lock started is still there after fini";
	return NULL;
}

// From every state some schedule must lead to the end. Backwards from those that do.
static void find_trap(struct search_result *r)
{
	unsigned *first = calloc(state_count + 2, sizeof *first);
	unsigned *from = calloc(edge_count + 1, sizeof *from);
	unsigned *todo = calloc(state_count + 1, sizeof *todo);
	if (!first || !from || !todo)
		abort();
	for (size_t i = 0; i < edge_count; i++)
		first[edges[i].to + 1]++;
	for (unsigned i = 0; i < state_count; i++)
		first[i + 1] += first[i];
	for (size_t i = edge_count; i-- > 0;)
		from[first[edges[i].to]++] = edges[i].from;
	/* first[s] is now where s's predecessors end, and s + 1's begin */
	unsigned n = 0;
	for (unsigned i = 0; i < state_count; i++)
		if (states[i].ends)
			todo[n++] = i;
	while (n > 0) {
		unsigned s = todo[--n];
		for (unsigned i = s ? first[s - 1] : 0; i < first[s]; i++)
			if (!states[from[i]].ends) {
				states[from[i]].ends = true;
				todo[n++] = from[i];
			}
	}
	for (unsigned i = 0; i < state_count; i++)
		if (!states[i].ends) {
			snprintf(r->wrong, sizeof r->wrong,
				"livelock: from here on workers move, and no schedule ends");
			r->schedule = schedule_to_state(i);
			break;
		}
	free(first);
	free(from);
	free(todo);
}

static void wrong(struct search_result *r, const char *what)
{
	snprintf(r->wrong, sizeof r->wrong, "%s", what);
	r->schedule = schedule_on_path();
}

// Nobody moved from the frame on top.
static void stuck(struct search_result *r)
{
	char where[600];
	world_restore(frames[depth - 1].saved);
	describe_all(where, sizeof where);
	snprintf(r->wrong, sizeof r->wrong, "nobody can go on: %s", where);
	depth--;
	r->schedule = schedule_on_path();
}

// A sleeper woken for no reason: it may happen, but nobody may need it.
static bool is_luck(struct choice c)
{
	return world->fiber[c.fiber].op == OP_SLEEP && c.alternative == 2;
}

// After a step from frame f: counts what was reached, and goes on there where it is new.
static void arrive(struct frame *f, bool luck, int left, const struct search_limits *limits,
	struct search_result *r)
{
	struct choice by = f->choice[f->next - 1];
	if (is_over()) {
		states[f->state].ends |= !luck;
		if (left_behind())
			wrong(r, left_behind());
		return;
	}
	uint64_t key = world_hash();
	if (limits->preemptions != NO_BOUND)
		key = (key ^ (uint64_t)(by.fiber * 64 + left + 1)) * UINT64_C(0x9e3779b97f4a7c15);
	bool new;
	unsigned state = state_of(key, &new);
	if (!luck)
		edge_add(f->state, state);
	if (!new)
		return;
	states[state] = (struct state){f->state, by, false};
	if (depth == DEPTH_MOST)
		wrong(r, "no end after 20000 steps");
	else if (state_count >= limits->states)
		r->cut = true;
	else
		push(state, by.fiber, left);
}

void search(const struct scenario *scenario, const void *subject,
	const struct search_limits *limits, struct search_result *r)
{
	bool new;
	*r = (struct search_result){0};
	tables_make(limits->states);
	start(scenario, subject);
	depth = 0;
	push(state_of(world_hash(), &new), 0,
		limits->preemptions == NO_BOUND ? PREEMPTIONS_MANY : limits->preemptions);
	while (depth > 0 && !r->wrong[0] && !r->cut) {
		struct frame *f = &frames[depth - 1];
		world_restore(f->saved);
		if (f->next == f->count) {
			if (!f->moved && f->despaired) {
				stuck(r);
			} else if (!f->moved) {
				f->despaired = true;
				list_choices(f);
			} else {
				depth--;
			}
			continue;
		}
		struct choice c = f->choice[f->next++];
		bool preempts = c.fiber != f->last && can_go_on((unsigned)f->last);
		int left = limits->preemptions == NO_BOUND ? f->left : f->left - preempts;
		if (left < 0) {
			r->bounded = true;
			continue;
		}
		bool luck = is_luck(c);
		if (!carry_out(c))
			continue;
		f->moved |= !luck;
		r->steps++;
		if (explore_failure[0])
			wrong(r, explore_failure);
		else
			arrive(f, luck, left, limits, r);
	}
	r->states = state_count;
	if (!r->wrong[0] && !r->cut && limits->preemptions == NO_BOUND)
		find_trap(r);
	tables_drop(limits->states);
}

/* Replaying. */

static const char *read_choice(const char *at, struct choice *c, unsigned *times)
{
	for (c->fiber = 0; c->fiber < FIBERS && fiber_letter(c->fiber) != *at; c->fiber++)
		;
	if (c->fiber == FIBERS)
		return NULL;
	char *end;
	*times = (unsigned)strtoul(++at, &end, 10);
	*times = end == at ? 1 : *times;
	c->alternative = 0;
	at = end;
	if (*at == '.') {
		c->alternative = (unsigned char)strtoul(++at, &end, 10);
		at = end;
	}
	return at;
}

static bool is_possible(struct choice c)
{
	const struct fiber *f = &world->fiber[c.fiber];
	return f->live && world_alternatives(f, true) & 1u << c.alternative;
}

static bool print_step(unsigned number, struct choice c)
{
	char what[200];
	const struct fiber *f = &world->fiber[c.fiber];
	enum op_kind op = f->op;
	world_describe(c.fiber, what, sizeof what);
	printf("%5u  %c  %s", number, fiber_letter(c.fiber), what);
	if (!carry_out(c)) {
		puts(": would spin for ever");
		return false;
	}
	if (op >= OP_LOAD && op <= OP_CAS_WEAK && op != OP_STORE)
		printf("  found %#" PRIx64, explore_found);
	if (op == OP_RELAX)
		printf(c.alternative ? "  runs out of patience" : "  sees a change");
	else if (c.alternative)
		printf("  outcome %u", c.alternative);
	putchar('\n');
	return true;
}

int replay(const struct scenario *scenario, const void *subject, const char *schedule)
{
	unsigned number = 0, times;
	struct choice c;
	start(scenario, subject);
	for (const char *at = schedule; *at && !explore_failure[0];) {
		at = read_choice(at, &c, &times);
		if (!at) {
			fprintf(stderr, "explore: not a schedule: %s\n", schedule);
			return 2;
		}
		for (; times > 0 && !explore_failure[0]; times--) {
			if (!is_possible(c) || !print_step(++number, c)) {
				fprintf(stderr, "explore: step %u: %c cannot do that now\n", number,
					fiber_letter(c.fiber));
				return 2;
			}
		}
	}
	if (explore_failure[0])
		printf("wrong: %s\n", explore_failure);
	else if (is_over())
		printf("the end%s%s\n", left_behind() ? ": " : "",
			left_behind() ? left_behind() : "");
	else {
		char where[600];
		describe_all(where, sizeof where);
		printf("now: %s\n", where);
	}
	return explore_failure[0] != '\0';
}
