// SPDX-License-Identifier: BSD-2-Clause
// The checker of histories: by hand, against one that tries all orders, and on histories that are
// possible because they were made from a sequential program.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { HANGS_AFTER_S = 120, EVENTS_MOST = 400, TINY = 6, ITEMS_MOST = 2 * EVENTS_MOST };

static struct checker *checker;

static int set_up(void **state)
{
	(void)state;
	checker = checker_create();
	return checker ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	checker_destroy(checker);
	return 0;
}

/* Histories by hand. */

#define INSERTS(WORKER, KEY, VALUE, FROM, TO)                                                      \
	{                                                                                          \
		.verb = VERB_INSERT, .worker = WORKER, .ok = true, .key = KEY, .value = VALUE,     \
		.call = FROM, .back = TO                                                           \
	}
#define REMOVES(WORKER, KEY, VALUE, FROM, TO)                                                      \
	{                                                                                          \
		.verb = VERB_REMOVE, .worker = WORKER, .ok = (VALUE) != 0, .key = KEY,             \
		.value = VALUE, .call = FROM, .back = TO                                           \
	}
#define FINDS(WORKER, KEY, VALUE, FROM, TO)                                                        \
	{                                                                                          \
		.verb = VERB_LOOKUP, .worker = WORKER, .ok = (VALUE) != 0, .key = KEY,             \
		.value = VALUE, .call = FROM, .back = TO                                           \
	}
#define FAILS_TO_INSERT(WORKER, KEY, VALUE, FROM, TO)                                              \
	{                                                                                          \
		.verb = VERB_INSERT, .worker = WORKER, .key = KEY, .value = VALUE, .call = FROM,   \
		.back = TO                                                                         \
	}
#define PENDING(VERB, WORKER, VALUE, FROM)                                                         \
	{                                                                                          \
		.verb = VERB, .worker = WORKER, .value = VALUE, .call = FROM, .pending = true      \
	}

struct example {
	const char *claim;
	enum model model;
	enum verdict verdict;
	unsigned capacity;
	struct item before[3];
	struct event event[8];
};

static const struct example examples[] = {
	{"nothing happened", MODEL_QUEUE, POSSIBLE, 0, {{0}}, {{0}}},
	{"a queue gives the oldest", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 1, 5, 6),
			REMOVES(0, 0, 2, 7, 8), REMOVES(0, 0, 0, 9, 10)}},
	{"a queue does not give the younger first", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 2, 5, 6),
			REMOVES(0, 0, 1, 7, 8)}},
	{"unless the insertions overlapped", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 4), INSERTS(1, 0, 2, 3, 5), REMOVES(0, 0, 2, 6, 7),
			REMOVES(0, 0, 1, 8, 9)}},
	{"at equal times they do", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 4), INSERTS(1, 0, 2, 4, 5), REMOVES(0, 0, 2, 6, 7),
			REMOVES(0, 0, 1, 8, 9)}},
	{"or the removals", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 2, 5, 8),
			REMOVES(1, 0, 1, 6, 7)}},
	{"a queue gives what it held", MODEL_QUEUE, POSSIBLE, 0, {{0, 1}, {0, 2}},
		{REMOVES(0, 0, 1, 1, 2), REMOVES(0, 0, 2, 3, 4)}},
	{"in its order", MODEL_QUEUE, IMPOSSIBLE, 0, {{0, 1}, {0, 2}},
		{REMOVES(0, 0, 2, 1, 2), REMOVES(0, 0, 1, 3, 4)}},
	{"a queue gives nothing twice", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), REMOVES(0, 0, 1, 3, 6), REMOVES(1, 0, 1, 4, 5)}},
	{"a queue gives nothing before it has it", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{REMOVES(1, 0, 1, 1, 2), INSERTS(0, 0, 1, 3, 4)}},
	{"a queue is not empty with a value inside", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), REMOVES(1, 0, 0, 3, 4), REMOVES(0, 0, 1, 5, 6)}},
	{"but between two values", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), REMOVES(1, 0, 0, 3, 8), REMOVES(0, 0, 1, 5, 6),
			INSERTS(0, 0, 2, 7, 9)}},
	{"not where one was always inside", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), REMOVES(1, 0, 0, 3, 8), INSERTS(0, 0, 2, 4, 5),
			REMOVES(0, 0, 1, 6, 7)}},
	/* Herlihy and Wing's figure of a queue of which each value alone is in order. */
	{"each overlap is used once", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(1, 0, 2, 3, 6), INSERTS(0, 0, 3, 4, 5),
			REMOVES(1, 0, 2, 7, 10), REMOVES(0, 0, 3, 8, 9)}},
	{"a full queue takes nothing", MODEL_QUEUE, POSSIBLE, 2, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), FAILS_TO_INSERT(0, 0, 3, 5, 6),
			REMOVES(0, 0, 1, 7, 8)}},
	{"and takes it when it has room", MODEL_QUEUE, IMPOSSIBLE, 2, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 1, 5, 6),
			FAILS_TO_INSERT(0, 0, 3, 7, 8)}},
	{"an insertion under way may have happened", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{PENDING(VERB_INSERT, 0, 1, 1), REMOVES(1, 0, 1, 3, 4)}},
	{"or not", MODEL_QUEUE, POSSIBLE, 0, {{0}},
		{PENDING(VERB_INSERT, 0, 1, 1), REMOVES(1, 0, 0, 3, 4)}},
	{"but not undone", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{PENDING(VERB_INSERT, 0, 1, 1), REMOVES(1, 0, 1, 3, 4), REMOVES(1, 0, 1, 5, 6)}},
	{"nor before its call", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{PENDING(VERB_INSERT, 0, 1, 5), REMOVES(1, 0, 1, 3, 4)}},
	{"a removal under way may have taken the value", MODEL_QUEUE, POSSIBLE, 0, {{0, 1}, {0, 2}},
		{PENDING(VERB_REMOVE, 0, 0, 1), REMOVES(1, 0, 2, 3, 4), REMOVES(1, 0, 0, 5, 6)}},
	{"one value", MODEL_QUEUE, IMPOSSIBLE, 0, {{0, 1}, {0, 2}, {0, 3}},
		{PENDING(VERB_REMOVE, 0, 0, 1), REMOVES(1, 0, 3, 3, 4)}},
	{"a stack gives the youngest", MODEL_STACK, POSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 2, 5, 6),
			REMOVES(0, 0, 1, 7, 8), REMOVES(0, 0, 0, 9, 10)}},
	{"a stack does not give the oldest", MODEL_STACK, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 1, 5, 6),
			REMOVES(0, 0, 2, 7, 8)}},
	{"even if the younger stays", MODEL_STACK, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), INSERTS(0, 0, 2, 3, 4), REMOVES(0, 0, 1, 5, 6)}},
	{"an insertion and a removal that overlap meet", MODEL_STACK, POSSIBLE, 0, {{0, 1}},
		{INSERTS(0, 0, 2, 1, 6), REMOVES(1, 0, 2, 2, 3), REMOVES(1, 0, 1, 4, 5)}},
	{"a stack gives what it held", MODEL_STACK, POSSIBLE, 0, {{0, 1}, {0, 2}},
		{REMOVES(0, 0, 2, 1, 2), REMOVES(0, 0, 1, 3, 4)}},
	{"a priority queue gives the smallest", MODEL_PRIORITY_QUEUE, POSSIBLE, 0, {{0, 5}},
		{INSERTS(0, 0, 3, 1, 2), INSERTS(0, 0, 4, 3, 4), REMOVES(0, 0, 3, 5, 6),
			REMOVES(0, 0, 4, 7, 8), REMOVES(0, 0, 5, 9, 10)}},
	{"and no other", MODEL_PRIORITY_QUEUE, IMPOSSIBLE, 0, {{0, 5}},
		{INSERTS(0, 0, 3, 1, 2), REMOVES(1, 0, 5, 3, 4), REMOVES(0, 0, 3, 5, 6)}},
	{"unless it came meanwhile", MODEL_PRIORITY_QUEUE, POSSIBLE, 0, {{0, 5}},
		{INSERTS(0, 0, 3, 1, 4), REMOVES(1, 0, 5, 2, 3), REMOVES(0, 0, 3, 5, 6)}},
	{"a bag gives any", MODEL_BAG, POSSIBLE, 0, {{0, 1}, {0, 2}, {0, 3}},
		{REMOVES(0, 0, 2, 1, 2), REMOVES(0, 0, 1, 3, 4), REMOVES(0, 0, 3, 5, 6)}},
	{"once", MODEL_BAG, IMPOSSIBLE, 0, {{0, 1}, {0, 2}},
		{REMOVES(0, 0, 2, 1, 2), REMOVES(1, 0, 2, 1, 2)}},
	{"what it has", MODEL_BAG, IMPOSSIBLE, 0, {{0, 1}}, {REMOVES(0, 0, 2, 1, 2)}},
	{"a bag may fail while another is at work", MODEL_BAG, POSSIBLE, 0, {{0, 1}},
		{INSERTS(0, 0, 2, 1, 4), REMOVES(1, 0, 0, 2, 3)}},
	{"not alone", MODEL_BAG, IMPOSSIBLE, 0, {{0, 1}},
		{INSERTS(0, 0, 2, 1, 4), REMOVES(1, 0, 0, 5, 6)}},
	{"a map gives what was put in", MODEL_MAP, POSSIBLE, 0, {{0}},
		{INSERTS(0, 1, 7, 1, 2), FINDS(1, 1, 7, 3, 4), FINDS(1, 2, 0, 5, 6),
			REMOVES(0, 1, 7, 7, 8), FINDS(0, 1, 0, 9, 10)}},
	{"under its key", MODEL_MAP, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 1, 7, 1, 2), FINDS(1, 2, 7, 3, 4)}},
	{"as it was put in", MODEL_MAP, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 1, 7, 1, 2), FINDS(1, 1, 8, 3, 4)}},
	{"of two lookups during an insertion the second may find it", MODEL_MAP, POSSIBLE, 0, {{0}},
		{INSERTS(0, 1, 7, 1, 6), FINDS(1, 1, 0, 2, 3), FINDS(1, 1, 7, 4, 5)}},
	{"not the first alone", MODEL_MAP, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 1, 7, 1, 6), FINDS(1, 1, 7, 2, 3), FINDS(1, 1, 0, 4, 5)}},
	{"nor a third of another worker", MODEL_MAP, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 1, 7, 1, 8), FINDS(1, 1, 7, 2, 3), FINDS(2, 1, 0, 4, 5)}},
	{"a present key is not inserted", MODEL_MAP, IMPOSSIBLE, 0, {{1, 7}},
		{INSERTS(0, 1, 8, 1, 2)}},
	{"an absent key is", MODEL_MAP, IMPOSSIBLE, 0, {{1, 7}},
		{REMOVES(0, 1, 7, 1, 2), FAILS_TO_INSERT(0, 1, 8, 3, 4)}},
	{"a removed value is gone", MODEL_MAP, IMPOSSIBLE, 0, {{1, 7}},
		{REMOVES(0, 1, 7, 1, 2), FINDS(1, 1, 7, 3, 4)}},
	{"two removals do not both find it", MODEL_MAP, IMPOSSIBLE, 0, {{1, 7}},
		{REMOVES(0, 1, 7, 1, 3), REMOVES(1, 1, 7, 2, 4)}},
	/* Two workers that insert and then look for the other's key: stores that wait in a core. */
	{"one of two workers sees the other", MODEL_QUEUE, IMPOSSIBLE, 0, {{0}},
		{INSERTS(0, 0, 1, 1, 2), REMOVES(0, 0, 0, 3, 5), INSERTS(1, 0, 2, 1, 2),
			REMOVES(1, 0, 0, 3, 4)}},
};

static struct history history_of(const struct example *x, struct event *event, struct item *before)
{
	struct history h = {
		.model = x->model, .capacity = x->capacity, .before = before, .event = event};
	memcpy(event, x->event, sizeof x->event);
	memcpy(before, x->before, sizeof x->before);
	while (h.count < COUNT(x->event) && event[h.count].call)
		h.count++;
	while (h.before_count < COUNT(x->before) && before[h.before_count].value)
		h.before_count++;
	history_excuse(&h);
	return h;
}

static void the_classic_examples_are_judged_right(void **state)
{
	(void)state;
	struct event event[8];
	struct item before[3];
	for (size_t i = 0; i < COUNT(examples); i++) {
		struct history h = history_of(&examples[i], event, before);
		if (history_check(checker, &h) != examples[i].verdict)
			fail_msg("%s", examples[i].claim);
	}
}

/* Random histories. */

static uint64_t seed = 88172645463325252u;

static unsigned below(unsigned limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 32) % limit;
}

// The sequential structures once more, written otherwise than the checker's.
struct plain {
	enum model model;
	unsigned capacity, count;
	struct item item[ITEMS_MOST]; // in the order of insertion
};

static int plain_at(const struct plain *p, const struct event *e)
{
	int at = p->model == MODEL_STACK ? (int)p->count - 1 : p->count ? 0 : -1;
	if (p->model == MODEL_PRIORITY_QUEUE)
		for (unsigned i = 1; i < p->count; i++)
			at = p->item[i].value < p->item[at].value ? (int)i : at;
	if (p->model == MODEL_MAP)
		for (at = (int)p->count - 1; at >= 0 && p->item[at].key != e->key;)
			at--;
	if (p->model == MODEL_BAG && e->ok) {
		for (at = (int)p->count - 1; at >= 0 && p->item[at].value != e->value;)
			at--;
	}
	return at;
}

// Does it and fills in the result.
static void plain_do(struct plain *p, struct event *e)
{
	int at = plain_at(p, e);
	if (e->verb == VERB_INSERT) {
		e->ok = p->model == MODEL_MAP ? at < 0 : !p->capacity || p->count < p->capacity;
		if (e->ok)
			p->item[p->count++] = (struct item){e->key, e->value};
		return;
	}
	e->ok = at >= 0;
	e->value = at >= 0 ? p->item[at].value : 0;
	if (at >= 0 && e->verb == VERB_REMOVE) {
		p->count--;
		for (unsigned i = (unsigned)at; i < p->count; i++)
			p->item[i] = p->item[i + 1];
	}
}

static bool gives(struct plain *p, const struct event *e)
{
	struct event again = *e;
	plain_do(p, &again);
	return (again.ok == e->ok && (e->verb == VERB_INSERT || again.value == e->value)) ||
	       (e->excused && !e->ok);
}

// Tries all orders, without a thought.
static bool some_order_explains(const struct history *h, const struct plain *p, unsigned done)
{
	if (done == (1u << h->count) - 1)
		return true;
	for (unsigned i = 0; i < h->count; i++) {
		bool is_first = !(done & 1u << i);
		for (unsigned j = 0; j < h->count; j++)
			is_first &= (done & 1u << j) || h->event[j].back >= h->event[i].call;
		struct plain next;
		memcpy(&next, p, offsetof(struct plain, item) + p->count * sizeof *p->item);
		if (!is_first)
			continue;
		bool excused = h->event[i].excused && !h->event[i].ok;
		if ((excused || gives(&next, &h->event[i])) &&
			some_order_explains(h, &next, done | 1u << i))
			return true;
	}
	return false;
}

static bool is_possible(const struct history *h)
{
	struct plain p = {.model = h->model, .capacity = h->capacity, .count = h->before_count};
	memcpy(p.item, h->before, h->before_count * sizeof *h->before);
	return some_order_explains(h, &p, 0);
}

// A sequential run by some workers, whose operations take effect at 100, 200, ...; then each is
// stretched as far as it does not meet its worker's others. `far`: how far at most.
static void make_possible(struct history *h, unsigned count, unsigned workers, unsigned far)
{
	uint64_t last[8] = {0};
	struct plain p = {.model = h->model, .capacity = h->capacity, .count = h->before_count};
	memcpy(p.item, h->before, h->before_count * sizeof *h->before);
	for (unsigned i = 0; i < count; i++) {
		struct event *e = &h->event[i];
		unsigned kind = below(10);
		uint64_t now = 100 * (i + 100), earliest;
		*e = (struct event){.worker = below(workers), .value = 10 + i};
		e->verb = kind < 5 ? VERB_INSERT : VERB_REMOVE;
		if (h->model == MODEL_MAP) {
			e->key = 1 + below(3);
			e->verb = kind < 4 ? VERB_LOOKUP : e->verb;
		}
		if (h->model == MODEL_PRIORITY_QUEUE)
			e->value = (10 + i) * 7919 % 1009;
		if (h->model == MODEL_BAG && e->verb == VERB_REMOVE && p.count) {
			e->value = p.item[below(p.count)].value;
			e->ok = true;
		}
		plain_do(&p, e);
		earliest = last[e->worker] + 1 > now - far ? last[e->worker] + 1 : now - far;
		e->call = earliest + below((unsigned)(now - earliest) + 1);
		e->back = now + below(far);
		/* until the worker's next, at the latest; known when that is drawn */
		for (unsigned j = 0; j < i; j++)
			if (h->event[j].worker == e->worker && h->event[j].back >= e->call) {
				uint64_t middle = 100 * (j + 100);
				h->event[j].back = middle + below((unsigned)(now - middle));
				e->call = h->event[j].back + 1;
			}
		last[e->worker] = now;
	}
	h->count = count;
	history_excuse(h);
}

static void draw_before(struct history *h)
{
	h->before_count = below(3);
	for (unsigned i = 0; i < h->before_count; i++)
		h->before[i] = (struct item){1 + i, 2 + i};
}

static const enum model models[] = {
	MODEL_MAP, MODEL_QUEUE, MODEL_STACK, MODEL_PRIORITY_QUEUE, MODEL_BAG};

static void what_a_sequential_program_did_is_possible(void **state)
{
	(void)state;
	static struct event event[EVENTS_MOST];
	struct item before[3];
	for (unsigned i = 0; i < 1500; i++) {
		struct history h = {.event = event, .before = before};
		h.model = models[i % COUNT(models)];
		h.capacity = h.model != MODEL_MAP && below(3) == 0 ? 3 + below(3) : 0;
		draw_before(&h);
		make_possible(&h, 1 + below(120), 1 + below(4), 50 + below(450));
		assert_int_equal(history_check(checker, &h), POSSIBLE);
	}
}

// Changes a result: another value, none, or those of two swapped.
static void spoil(struct history *h)
{
	struct event *e = &h->event[below(h->count)], *other = &h->event[below(h->count)];
	if (e->verb == VERB_INSERT)
		e->ok = !e->ok;
	else if (e->ok && other->ok && other->verb != VERB_INSERT && below(2)) {
		uint32_t value = e->value;
		e->value = other->value;
		other->value = value;
	} else {
		e->ok = !e->ok;
		e->value = e->ok ? 2 + below(12) : 0;
	}
	history_excuse(h);
}

static void the_checker_agrees_with_trying_all_orders(void **state)
{
	(void)state;
	struct event event[TINY];
	struct item before[3];
	unsigned possible = 0, impossible = 0;
	for (unsigned i = 0; i < 30000; i++) {
		struct history h = {.event = event, .before = before};
		h.model = models[i % COUNT(models)];
		h.capacity = h.model != MODEL_MAP && below(3) == 0 ? 2 : 0;
		draw_before(&h);
		make_possible(&h, 2 + below(TINY - 1), 2 + below(2), 50 + below(350));
		spoil(&h);
		bool expected = is_possible(&h);
		enum verdict verdict = history_check(checker, &h);
		if (verdict != (expected ? POSSIBLE : IMPOSSIBLE)) {
			history_print(&h, "# ", stdout);
			fail_msg("model %d: the checker says %d", h.model, verdict);
		}
		possible += expected;
		impossible += !expected;
	}
	/* Both kinds were there. */
	assert_true(possible > 3000);
	assert_true(impossible > 3000);
}

/* Shrinking. */

static bool is_among(const struct event *e, const struct history *h)
{
	for (unsigned i = 0; i < h->count; i++)
		if (memcmp(&h->event[i], e, sizeof *e) == 0)
			return true;
	return false;
}

static void a_shrunk_history_is_a_part_that_is_impossible_by_itself(void **state)
{
	(void)state;
	static struct event event[EVENTS_MOST], whole[EVENTS_MOST];
	struct item before[3];
	unsigned shrunk = 0, tiny = 0;
	for (unsigned i = 0; i < 3000; i++) {
		struct history h = {.event = event, .before = before}, all;
		h.model = models[i % COUNT(models)];
		h.capacity = h.model != MODEL_MAP && below(3) == 0 ? 3 : 0;
		draw_before(&h);
		make_possible(&h, 10 + below(60), 1 + below(4), 50 + below(450));
		spoil(&h);
		if (history_check(checker, &h) != IMPOSSIBLE)
			continue;
		memcpy(whole, event, h.count * sizeof *event);
		all = h;
		all.event = whole;
		history_shrink(checker, &h);
		assert_int_equal(history_check(checker, &h), IMPOSSIBLE);
		for (unsigned j = 0; j < h.count; j++)
			assert_true(is_among(&h.event[j], &all));
		if (h.count <= TINY)
			assert_false(is_possible(&h));
		shrunk++;
		tiny += h.count <= TINY;
	}
	assert_true(shrunk > 500);
	assert_true(tiny * 10 > shrunk * 6);
}

// The rule by which operations are left out never makes an impossible history of a possible one.
static void leaving_out_by_the_rules_keeps_a_history_possible(void **state)
{
	(void)state;
	struct event event[TINY], whole[TINY];
	struct item before[3], whole_before[3];
	for (unsigned i = 0; i < 20000; i++) {
		struct history h = {.event = event, .before = before}, all;
		h.model = models[i % COUNT(models)];
		h.capacity = h.model != MODEL_MAP && below(3) == 0 ? 2 : 0;
		draw_before(&h);
		make_possible(&h, 2 + below(TINY - 1), 2 + below(2), 50 + below(350));
		spoil(&h);
		all = h;
		memcpy(whole, event, sizeof event);
		memcpy(whole_before, before, sizeof before);
		all.event = whole;
		all.before = whole_before;
		history_leave_out(&h, below(1u << 12));
		if (!is_possible(&h) && is_possible(&all)) {
			history_print(&all, "# whole ", stdout);
			history_print(&h, "# part  ", stdout);
			fail_msg("model %d: a part of a possible history is impossible", h.model);
		}
	}
}

static void what_is_wrong_is_said_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *claim, *said;
	} expected[] = {
		{"a queue does not give the younger first",
			"2 was removed though 1 had been inserted before it"},
		{"a queue gives nothing twice", "1 was removed twice"},
		{"a queue gives nothing before it has it", "1 was removed before it was inserted"},
		{"a queue is not empty with a value inside", "found nothing while 1 was inside"},
		{"a stack does not give the oldest",
			"1 was removed though 2 had been inserted after it"},
		{"and no other", "5 was removed though 3 is smaller"},
		{"what it has", "2 was removed though it was not inside"},
		{"under its key", "7 was found though it was not inside"},
		{"a present key is not inserted", "8 was inserted while 7 was inside"},
		{"a removed value is gone", "7 was found after it had been removed"},
	};
	struct event event[8];
	struct item before[3];
	char text[256];
	unsigned found = 0;
	for (size_t i = 0; i < COUNT(examples); i++)
		for (size_t j = 0; j < COUNT(expected); j++) {
			if (strcmp(examples[i].claim, expected[j].claim) != 0)
				continue;
			struct history h = history_of(&examples[i], event, before);
			history_shrink(checker, &h);
			history_explain(&h, text, sizeof text);
			if (!strstr(text, expected[j].said))
				fail_msg("%s: '%s'", examples[i].claim, text);
			found++;
		}
	assert_int_equal(found, COUNT(expected));
}

static void a_history_is_drawn_as_a_line_an_operation(void **state)
{
	(void)state;
	struct event event[] = {
		REMOVES(1, 0, 0, 2, 5), INSERTS(0, 0, 7, 1, 3), PENDING(VERB_INSERT, 2, 8, 4)};
	struct history h = {.model = MODEL_QUEUE, .capacity = 3, .event = event, .count = 3};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	history_print(&h, "# ", out);
	fclose(out);
	assert_string_equal(text, "# before: empty (room for 3)\n"
				  "# worker 0  insert(7)                 |-----|\n"
				  "# worker 1  remove() finds nothing       |--------|\n"
				  "# worker 2  insert(8) ...                      |----->\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_classic_examples_are_judged_right),
		cmocka_unit_test(what_a_sequential_program_did_is_possible),
		cmocka_unit_test(the_checker_agrees_with_trying_all_orders),
		cmocka_unit_test(a_shrunk_history_is_a_part_that_is_impossible_by_itself),
		cmocka_unit_test(leaving_out_by_the_rules_keeps_a_history_possible),
		cmocka_unit_test(what_is_wrong_is_said_in_words),
		cmocka_unit_test(a_history_is_drawn_as_a_line_an_operation),
	};
	alarm(HANGS_AFTER_S);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
