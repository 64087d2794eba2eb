// SPDX-License-Identifier: BSD-2-Clause
// Scenarios of structures, see scenario.h. A scenario is a handful of operations; that each took
// effect at one moment between its call and its return is checked against a sequential model.
// Compiled against the explorer's hooks, and so that it learns of accesses that are not atomic.
#include "structures.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "structures_list.h"
#include "world.h"

enum { OPERATIONS_MOST = 9, KEYS = 8 }; // of the workers together; keys are 1 .. KEYS - 1

const unsigned explored_count = sizeof structures / sizeof *structures;
const char explored_program[] = "explore-structures", explored_option[] = "structure";
const unsigned explored_states = 100000;
const int explored_preemptions = 3;

struct structure_scenario {
	struct scenario is;
	unsigned models; // a bit for each that it fits
	bool reuses;     // nodes come from free lists, so that they are used again at once
	// As text, "+1" inserts, "-1" removes, "?1" looks up: first, and by each worker.
	const char *first, *does[STRUCTURE_WORKERS_MOST];
};

// An operation of a worker, and what has become of it.
struct event {
	struct operation asked, op;
	bool succeeded, returned;
	unsigned before; // a bit for each operation that had returned when this one was called
};

// The scenario's data, in the world.
struct shared {
	const struct structure_scenario *scenario;
	const struct structure *class;
	void *structure;
	struct event event[OPERATIONS_MOST]; // of each worker as many, in its order
	struct content {
		unsigned count;
		uint64_t value[KEYS]; // of a map by key, 0: absent; else in the order of arrival
	} first;
};
_Static_assert(sizeof(struct shared) <= SCENARIO_SIZE, "SCENARIO_SIZE");

static struct shared *shared(void)
{
	return (struct shared *)world->scenario;
}

bool explored_nodes_from_malloc(void)
{
	return !shared()->scenario->reuses;
}

unsigned explored_workers(void)
{
	return shared()->scenario->is.workers;
}

/* The sequential model. */

static void take_out(struct content *c, unsigned at)
{
	c->count--;
	memmove(&c->value[at], &c->value[at + 1], (KEYS - 1 - at) * sizeof *c->value);
	c->value[KEYS - 1] = 0;
}

static unsigned place_of_smallest(const struct content *c)
{
	unsigned at = 0;
	for (unsigned i = 1; i < c->count; i++)
		if (c->value[i] < c->value[at])
			at = i;
	return at;
}

static bool model_map(struct content *c, struct operation *op)
{
	uint64_t *value = &c->value[op->key], found = *value;
	if (op->verb == VERB_INSERT) {
		if (!found)
			*value = op->value;
		return !found;
	}
	if (op->verb == VERB_REMOVE)
		*value = 0;
	op->value = found;
	return found;
}

// What the operation does to the content, and whether it succeeds. What a bag gives is up to the
// bag: op->value says what was found.
static bool model_operate(const struct structure *class, struct content *c, struct operation *op)
{
	unsigned at = 0;
	if (class->model == MODEL_MAP)
		return model_map(c, op);
	if (class->model == MODEL_NONE) { /* a cell */
		uint64_t found = c->value[0];
		if (op->verb == VERB_INSERT)
			c->value[0] = op->value;
		op->value = found;
		return true;
	}
	if (op->verb == VERB_INSERT) {
		if (class->capacity && c->count == class->capacity)
			return false;
		c->value[c->count++] = class->model == MODEL_PRIORITY_QUEUE ? op->key : op->value;
		return true;
	}
	if (!c->count)
		return false;
	if (class->model == MODEL_STACK)
		at = c->count - 1;
	else if (class->model == MODEL_PRIORITY_QUEUE)
		at = place_of_smallest(c);
	else if (class->model == MODEL_BAG)
		while (c->value[at] != op->value) {
			if (class->lanes && c->value[at] % 10 == op->value % 10)
				return false;
			if (++at == c->count)
				return false;
		}
	op->value = op->key = c->value[at];
	take_out(c, at);
	return true;
}

static bool gives_value(const struct structure *class, enum verb verb)
{
	return verb != VERB_INSERT || class->model == MODEL_NONE;
}

static uint64_t value_of(const struct structure *class, const struct operation *op)
{
	return class->model == MODEL_PRIORITY_QUEUE ? op->key : op->value;
}

// Whether the model, doing what was asked for, gets the same result.
static bool model_agrees(const struct structure *class, struct content *c,
	const struct operation *asked, const struct operation *got, bool succeeded)
{
	struct operation op = class->model == MODEL_BAG ? *got : *asked;
	if (model_operate(class, c, &op) != succeeded)
		return false;
	return !succeeded || !gives_value(class, op.verb) ||
	       value_of(class, &op) == value_of(class, got);
}

/* Operations. */

static const struct explore_site verb_site[] = {
	[VERB_LOOKUP] = {__FILE__, __LINE__, "calls lookup"},
	[VERB_INSERT] = {__FILE__, __LINE__, "calls insert"},
	[VERB_REMOVE] = {__FILE__, __LINE__, "calls remove"},
};

// The next operation of the text; values tell who inserted them. Null at the end.
static const char *read_operation(const char *text, unsigned who, struct operation *op)
{
	while (*text == ' ')
		text++;
	if (!*text)
		return NULL;
	op->verb = *text == '+' ? VERB_INSERT : *text == '-' ? VERB_REMOVE : VERB_LOOKUP;
	op->key = isdigit((unsigned char)text[1]) ? (uint64_t)text[1] - '0' : 0;
	op->value = op->verb == VERB_INSERT ? op->key * 10 + who : 0;
	return text + 1 + (op->key > 0);
}

static bool operate(unsigned worker, struct operation *op)
{
	struct shared *s = shared();
	return s->class->operate(s->structure, worker, op);
}

static void go_online(unsigned worker)
{
	struct reclaim *r =
		shared()->class->domain ? shared()->class->domain(shared()->structure) : NULL;
	if (r)
		r->class->online(&r->worker[worker]);
}

static void go_offline(unsigned worker)
{
	struct reclaim *r =
		shared()->class->domain ? shared()->class->domain(shared()->structure) : NULL;
	if (r)
		r->class->offline(&r->worker[worker]);
}

// By main, while all workers rest: the model must agree at once.
static bool operate_alone(struct content *c, struct operation *op)
{
	struct operation wanted = *op;
	bool succeeded = operate(0, op);
	if (!model_agrees(shared()->class, c, &wanted, op, succeeded))
		explore_fail("alone, %s of %llu %s with %llu", verb_site[op->verb].text + 6,
			(unsigned long long)wanted.key, succeeded ? "succeeds" : "fails",
			(unsigned long long)value_of(shared()->class, op));
	return succeeded;
}

static bool is_same(const struct structure *class, const struct content *a, const struct content *b)
{
	if (class->model != MODEL_BAG && class->model != MODEL_PRIORITY_QUEUE)
		return !memcmp(a, b, sizeof *a);
	struct content left = *a; /* what is in it counts, not in which order it came */
	for (unsigned i = 0; i < b->count; i++) {
		unsigned at = 0;
		while (at < left.count && left.value[at] != b->value[i])
			at++;
		if (at == left.count)
			return false;
		take_out(&left, at);
	}
	return left.count == 0;
}

/* Linearizability: is there an order of the operations, none before one that had returned when it
 * was called, in which the model gets the same results? */

static bool is_explained(const struct content *c, unsigned done, const struct content *end)
{
	struct shared *s = shared();
	bool all = true;
	for (unsigned i = 0; i < OPERATIONS_MOST; i++) {
		const struct event *e = &s->event[i];
		if (!e->returned || done & 1u << i)
			continue;
		all = false;
		struct content next = *c;
		if (!(e->before & ~done) &&
			model_agrees(s->class, &next, &e->asked, &e->op, e->succeeded) &&
			is_explained(&next, done | 1u << i, end))
			return true;
	}
	return all && is_same(s->class, c, end);
}

static size_t say_events(char *text, size_t size)
{
	struct shared *s = shared();
	size_t at = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < OPERATIONS_MOST; i++) {
		const struct event *e = &s->event[i];
		if (!e->returned || at >= size)
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%c: %s", at ? ", " : "",
			"abc"[i / (OPERATIONS_MOST / STRUCTURE_WORKERS_MOST)],
			verb_site[e->asked.verb].text + 6);
		if (at < size && e->asked.key)
			at += (size_t)snprintf(text + at, size - at, " %u", (unsigned)e->asked.key);
		if (at < size && e->succeeded && gives_value(s->class, e->op.verb))
			at += (size_t)snprintf(text + at, size - at, " gives %u",
				(unsigned)value_of(s->class, &e->op));
		else if (at < size && !e->succeeded)
			at += (size_t)snprintf(text + at, size - at, " fails");
	}
	return at;
}

/* What the fibers do. */

static void *worker(void *argument)
{
	struct shared *s = shared();
	unsigned me = (unsigned)(uintptr_t)argument;
	struct event *e = &s->event[me * (OPERATIONS_MOST / STRUCTURE_WORKERS_MOST)];
	const char *text = s->scenario->does[me];
	go_online(me);
	for (struct operation op; (text = read_operation(text, me + 1, &op)); e++) {
		uint64_t nothing = 0;
		explore_plain_load(&nothing, &verb_site[op.verb]);
		for (unsigned i = 0; i < OPERATIONS_MOST; i++)
			e->before |= (unsigned)s->event[i].returned << i;
		e->asked = op;
		e->succeeded = operate(me, &op);
		e->op = op;
		e->returned = true;
	}
	go_offline(me);
	return NULL;
}

// Takes everything out, worker 0 by name: what the structure contained.
static void drain(struct content *c)
{
	struct shared *s = shared();
	memset(c, 0, sizeof *c);
	struct operation op = {VERB_REMOVE, 0, 0};
	if (s->class->model == MODEL_NONE) {
		op.verb = VERB_LOOKUP;
		operate(0, &op);
		c->value[0] = op.value;
		return;
	}
	if (s->class->model == MODEL_MAP) {
		for (op.key = 1; op.key < KEYS; op.key++)
			if (operate(0, &op))
				c->value[op.key] = op.value;
		return;
	}
	while (operate(0, &op)) {
		if (c->count == KEYS)
			explore_fail("it gives more than was put in");
		c->value[c->count++] = value_of(s->class, &op);
		if (s->class->model == MODEL_PRIORITY_QUEUE && c->count > 1 &&
			c->value[c->count - 1] < c->value[c->count - 2])
			explore_fail("alone, it does not give the smallest first");
	}
	if (s->class->model == MODEL_STACK)
		for (unsigned i = 0; i < c->count / 2; i++) {
			uint64_t v = c->value[i];
			c->value[i] = c->value[c->count - 1 - i];
			c->value[c->count - 1 - i] = v;
		}
}

static void check_explained(const struct content *end)
{
	char events[300], content[100] = "";
	if (is_explained(&shared()->first, 0, end))
		return;
	say_events(events, sizeof events);
	for (unsigned i = 0, at = 0; i < KEYS && at < sizeof content; i++)
		if (end->value[i])
			at += (unsigned)snprintf(
				content + at, sizeof content - at, " %u", (unsigned)end->value[i]);
	explore_fail("no order explains the results: %s; then there is%s", events,
		content[0] ? content : " nothing");
}

// A structure that was used by many still does what one asks for.
static void use_alone(void)
{
	struct content c = {0};
	if (shared()->class->model == MODEL_NONE)
		drain(&c);
	for (unsigned i = 1; i <= 2; i++)
		operate_alone(&c, &(struct operation){VERB_INSERT, i, i * 10});
	if (shared()->class->model == MODEL_MAP)
		operate_alone(&c, &(struct operation){VERB_LOOKUP, 1, 0});
	for (unsigned i = 1; i <= 3 && shared()->class->model != MODEL_NONE; i++)
		operate_alone(&c, &(struct operation){VERB_REMOVE, i, 0});
}

// Memory is given back while the structure is used, not at the end only.
static void check_frees(void)
{
	const struct shared *s = shared();
	if (!s->class->reclaim || s->scenario->reuses)
		return;
	for (unsigned i = 0; i < world->blocks; i++)
		if (world->block[i].freed)
			return;
	explore_fail("nothing that was retired is freed");
}

static void check_heap(void)
{
	for (unsigned i = 0; i < world->blocks; i++)
		if (!world->block[i].freed)
			explore_fail("%u bytes are not freed after fini", world->block[i].size);
}

static void *run_scenario(void *argument)
{
	struct shared *s = argument;
	struct content end;
	s->structure = malloc(s->class->size);
	world->alone = true;
	if (s->class->init(s->structure, s->class->reclaim))
		explore_fail("init fails");
	go_online(0);
	const char *text = s->scenario->first;
	for (struct operation op; (text = read_operation(text, 0, &op));)
		operate_alone(&s->first, &op);
	go_offline(0);
	world->alone = false;
	for (unsigned i = 0; i < s->scenario->is.workers; i++)
		fiber_start(i + 1, worker, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < s->scenario->is.workers; i++)
		pthread_join(i + 1, NULL);
	world->alone = true;
	go_online(0);
	drain(&end);
	check_explained(&end);
	for (unsigned i = 0; i < 4; i++)
		use_alone();
	check_frees();
	go_offline(0);
	s->class->fini(s->structure);
	free(s->structure);
	check_heap();
	return NULL;
}

#define FOR(MODEL) (1u << MODEL_##MODEL)
#define FOR_BAGS (FOR(QUEUE) | FOR(STACK) | FOR(PRIORITY_QUEUE) | FOR(BAG))

static const struct structure_scenario scenarios[] = {
	/* A cell, by which schemes of reclamation are tried alone: + swaps. */
	{{"swap-and-look", "a node is retired while another reads it", 2}, FOR(NONE), false, "+1",
		{"+2 +3", "? ?"}},
	{{"swap-swap", "two retire, and both read", 2}, FOR(NONE), false, "+1", {"+2 +3", "+4 ?"}},
	{{"swap-reuse", "a node is used again while another reads", 2}, FOR(NONE), true, "+1",
		{"+2 +3", "? ?"}},
	{{"swap-thrice", "what was retired first is freed while another reads", 2}, FOR(NONE),
		false, "+1", {"+2 +3 +4", "?"}},

	{{"insert-same", "two insert one key", 2}, FOR(MAP), false, "", {"+2 ?2", "+2 -2"}},
	{{"remove-same", "two remove one key", 2}, FOR(MAP), false, "+1 +2 +3", {"-2 ?2", "-2 +2"}},
	{{"neighbours", "insertion beside a removal", 2}, FOR(MAP), false, "+1 +3",
		{"-1 ?3", "+2 -3"}},
	{{"remove-pair", "neighbours are removed together", 2}, FOR(MAP), false, "+1 +2 +3",
		{"-1", "-2 ?3"}},
	{{"remove-walked", "a node is removed while another walks over it", 2}, FOR(MAP), false,
		"+1 +2 +3", {"-1 -2 -3", "?3"}},
	{{"remove-walked-back", "the same, from the other end", 2}, FOR(MAP), false, "+1 +2 +3",
		{"-3 -2", "?1"}},
	{{"remove-walked-far", "the same, with neighbours in a hash map's bucket", 2}, FOR(MAP),
		false, "+5 +6 +7", {"-6 -5 -7", "?5"}},
	{{"come-back", "a removed key comes back in the same node", 2}, FOR(MAP), true, "+1 +2",
		{"-1 +1", "-2 ?1"}},
	{{"grow", "many keys at once", 2}, FOR(MAP), false, "+1 +2", {"+3 +4", "+5 ?1"}},

	{{"pairs", "both insert and remove, from empty", 2}, FOR_BAGS, false, "", {"+1 -", "+2 -"}},
	{{"one-item", "two remove one item", 2}, FOR_BAGS, false, "+1", {"- +2", "-"}},
	{{"producer", "one inserts, one removes", 2}, FOR_BAGS, false, "", {"+1 +2", "- -"}},
	{{"drain", "two take all there is", 2}, FOR_BAGS, false, "+1 +2 +3", {"- -", "- -"}},
	{{"drain-walked", "two removed nodes are freed while another stands before them", 2},
		FOR_BAGS, false, "+1 +2 +3", {"- - -", "-"}},
	{{"aba", "a node comes back while another removes", 2}, FOR_BAGS, true, "+1 +2",
		{"-", "- - +3"}},
	{{"aba-insert", "a node comes back while another inserts", 2}, FOR_BAGS, true, "+1",
		{"+2 -", "- +3 -"}},
	{{"aba-three", "a node comes back, and not the one behind it", 3}, FOR(STACK), true,
		"+1 +2 +3", {"-", "- +4", "-"}},
	{{"meet", "a push and a pop lose the head to a third", 3}, FOR(STACK), true, "+1 +2",
		{"+3", "-", "-"}},
	{{"meet-two", "two pushes and a pop", 3}, FOR(STACK), true, "+1", {"+3", "-", "+4"}},
	{{"full", "insertion where there is no room", 2}, FOR_BAGS, false, "+1 +2",
		{"+3 -", "- +4"}},
};
const unsigned scenario_count = sizeof scenarios / sizeof *scenarios;

const struct scenario *scenario_at(unsigned number)
{
	return &scenarios[number].is;
}

const void *explored_subject(unsigned number)
{
	return &structures[number];
}

const char *explored_name(const void *subject)
{
	return ((const struct structure *)subject)->name;
}

// Qsbr, which is epochs with fewer announcements, not with every structure.
bool explored_by_default(const void *subject)
{
	const struct structure *class = subject;
	return class->reclaim != &qsbr_reclaim || strncmp(class->name, "cell", 4) == 0 ||
	       strncmp(class->name, "list_lockfree", 13) == 0;
}

bool scenario_applies(const struct scenario *scenario, const void *subject)
{
	const struct structure *class = subject;
	return ((const struct structure_scenario *)scenario)->models & 1u << class->model;
}

void scenario_prepare(const struct scenario *scenario, const void *subject)
{
	struct shared *s = shared();
	s->scenario = (const struct structure_scenario *)scenario;
	s->class = subject;
	fiber_start(0, run_scenario, s);
}
