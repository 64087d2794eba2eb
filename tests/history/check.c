// SPDX-License-Identifier: BSD-2-Clause
// Looks for an order that explains a history: takes, as long as the model agrees, any operation
// that no other had returned before; goes back where the next to happen is the return of one not
// taken (J. Wing, C. Gong, Testing and verifying concurrent objects, 1993). Never twice from the
// same set of operations taken and the same content (G. Lowe, Testing for linearizability, 2017).
// Maps key by key (A. Horn, D. Kroening, Faster linearizability checking via P-compositionality,
// 2015). Values come out of a queue or stack in an order that the history tells: one is not put
// where another would keep it from coming out in time. Otherwise insertions that overlap could be
// taken in any order, to be found wrong much later.
#include <stdlib.h>
#include <string.h>

#include "history.h"

enum { STATES_FIRST = 1 << 12, STATES_MOST = 1 << 22 };

// A state that was seen: which operations were taken, and the content. Two are held to be equal
// where 128 bits of hash are.
struct state {
	uint64_t taken, content;
	uint64_t search; // which search saw it; 0: none
};

// The call or the return of an operation, in a list by time of those not taken.
struct moment {
	const struct event *event;
	struct moment *next, *before, *back; // back: of a call, its return
	uint64_t time;
	bool is_call;
};

// A value inside, and when it was removed: between these times, or after all others.
struct inside {
	uint32_t value;
	uint64_t out_call, out_back;
};

// What an operation did to the content.
enum change { CHANGE_NONE, CHANGE_PUT, CHANGE_TAKE };
struct step {
	struct moment *call;
	enum change change;
	unsigned at;
	struct inside item;
};

struct checker {
	struct state *state; // a power of two of them, half of them free
	size_t states, states_used;
	uint64_t search;
	size_t room; // for events and content
	struct moment *moment, **sorted;
	struct step *step;
	struct event *event;
	struct inside *item;
	struct inside *removal; // by value
	/* Of the search under way: */
	const struct history *history;
	struct moment first; // before all moments
	unsigned items, removals;
	bool any_pending;
	uint64_t taken;
};

struct checker *checker_create(void)
{
	struct checker *c = calloc(1, sizeof *c);
	if (c)
		c->state = calloc(STATES_FIRST, sizeof *c->state);
	if (!c || !c->state) {
		free(c);
		return NULL;
	}
	c->states = STATES_FIRST;
	return c;
}

void checker_destroy(struct checker *c)
{
	if (!c)
		return;
	free(c->state);
	free(c->moment);
	free(c->sorted);
	free(c->step);
	free(c->event);
	free(c->item);
	free(c->removal);
	free(c);
}

static void *more(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);
	if (!p)
		abort(); /* some kilobytes in a test */
	return p;
}

static void make_room(struct checker *c, size_t room)
{
	if (room <= c->room)
		return;
	c->room = 2 * room;
	c->moment = more(c->moment, 2 * c->room * sizeof *c->moment);
	c->sorted = more(c->sorted, 2 * c->room * sizeof *c->sorted);
	c->step = more(c->step, c->room * sizeof *c->step);
	c->event = more(c->event, c->room * sizeof *c->event);
	c->item = more(c->item, c->room * sizeof *c->item);
	c->removal = more(c->removal, c->room * sizeof *c->removal);
}

// The finaliser of splitmix64 (Steele and others 2014).
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* States that were seen. */

static struct state *find(struct state *table, size_t size, const struct state *s)
{
	size_t at = (s->taken ^ s->content * 3) & (size - 1);
	while (table[at].search == s->search &&
		(table[at].taken != s->taken || table[at].content != s->content))
		at = (at + 1) & (size - 1);
	return &table[at];
}

static void grow(struct checker *c)
{
	size_t size = 2 * c->states;
	struct state *table = calloc(size, sizeof *table);
	if (!table)
		abort();
	for (size_t i = 0; i < c->states; i++)
		if (c->state[i].search == c->search)
			*find(table, size, &c->state[i]) = c->state[i];
	free(c->state);
	c->state = table;
	c->states = size;
}

// Whether the search comes here for the first time.
static bool is_new(struct checker *c)
{
	struct state s = {.taken = c->taken, .search = c->search, .content = c->items};
	for (unsigned i = 0; i < c->items; i++)
		s.content = mix(s.content * 0x9e3779b97f4a7c15u + c->item[i].value);
	struct state *place = find(c->state, c->states, &s);
	if (place->search == c->search)
		return false;
	*place = s;
	if (++c->states_used * 2 > c->states && c->states < 2 * (size_t)STATES_MOST)
		grow(c);
	return true;
}

/* The sequential structures. The content is an array: of a queue the oldest first, of a stack the
 * youngest last, of the others in ascending order, so that equal contents look equal. */

static void put(struct checker *c, unsigned at, struct inside item)
{
	memmove(&c->item[at + 1], &c->item[at], (c->items - at) * sizeof *c->item);
	c->item[at] = item;
	c->items++;
}

static struct inside take(struct checker *c, unsigned at)
{
	struct inside item = c->item[at];
	c->items--;
	memmove(&c->item[at], &c->item[at + 1], (c->items - at) * sizeof *c->item);
	return item;
}

static unsigned place_for(const struct checker *c, uint32_t value)
{
	unsigned at = c->items;
	if (c->history->model == MODEL_BAG || c->history->model == MODEL_PRIORITY_QUEUE)
		while (at > 0 && c->item[at - 1].value > value)
			at--;
	return at;
}

// Which is next to be removed; for a bag, the one that was.
static unsigned place_of(const struct checker *c, uint32_t value)
{
	unsigned at = 0;
	if (c->history->model == MODEL_STACK)
		return c->items - 1;
	if (c->history->model == MODEL_BAG)
		while (at + 1 < c->items && c->item[at].value != value)
			at++;
	return at;
}

static int by_value(const void *a, const void *b)
{
	const struct inside *x = a, *y = b;
	return x->value < y->value ? -1 : x->value > y->value;
}

static void list_removals(struct checker *c, unsigned events)
{
	c->removals = 0;
	c->any_pending = false;
	for (unsigned i = 0; i < events; i++) {
		const struct event *e = &c->event[i];
		c->any_pending |= e->pending;
		if (e->verb == VERB_REMOVE && e->ok && !e->pending)
			c->removal[c->removals++] = (struct inside){e->value, e->call, e->back};
	}
	qsort(c->removal, c->removals, sizeof *c->removal, by_value);
}

static struct inside fate_of(const struct checker *c, uint32_t value)
{
	struct inside item = {.value = value, .out_call = UINT64_MAX, .out_back = UINT64_MAX};
	const struct inside *found = bsearch(&item, c->removal, c->removals, sizeof item, by_value);
	if (!found && c->any_pending) /* that may be its removal */
		item.out_call = 0;
	return found ? *found : item;
}

// Whether one that is inside was removed before this one, though this one would come out first; or
// the reverse.
static bool comes_out_wrong(const struct checker *c, const struct inside *item)
{
	bool wrong = false;
	for (unsigned i = 0; i < c->items && !wrong; i++) {
		const struct inside *other = &c->item[i];
		if (c->history->model == MODEL_QUEUE)
			wrong = item->out_back < other->out_call;
		else if (c->history->model == MODEL_STACK)
			wrong = other->out_back < item->out_call;
	}
	return wrong;
}

static bool insert(struct checker *c, const struct event *e, struct step *s)
{
	bool is_full = c->history->model == MODEL_MAP
			       ? c->items > 0
			       : c->history->capacity && c->items >= c->history->capacity;
	if (e->pending ? is_full : !e->ok)
		return is_full || e->excused;
	if (is_full)
		return false;
	struct inside item = fate_of(c, e->value);
	if (comes_out_wrong(c, &item))
		return false;
	*s = (struct step){.change = CHANGE_PUT, .at = place_for(c, e->value)};
	put(c, s->at, item);
	return true;
}

static bool remove_one(struct checker *c, const struct event *e, struct step *s)
{
	if (e->pending ? c->items == 0 : !e->ok)
		return c->items == 0 || e->excused;
	if (c->items == 0)
		return false;
	unsigned at = place_of(c, e->value);
	if (!e->pending && c->item[at].value != e->value)
		return false;
	*s = (struct step){.change = CHANGE_TAKE, .at = at, .item = take(c, at)};
	return true;
}

static bool look_up(const struct checker *c, const struct event *e)
{
	return e->pending || (e->ok ? c->items > 0 && c->item[0].value == e->value : c->items == 0);
}

// Whether the operation can give its result now; then it has been done.
static bool carry_out(struct checker *c, const struct event *e, struct step *s)
{
	*s = (struct step){.change = CHANGE_NONE};
	return e->verb == VERB_INSERT   ? insert(c, e, s)
	       : e->verb == VERB_REMOVE ? remove_one(c, e, s)
					: look_up(c, e);
}

static void undo(struct checker *c, const struct step *s)
{
	if (s->change == CHANGE_PUT)
		take(c, s->at);
	else if (s->change == CHANGE_TAKE)
		put(c, s->at, s->item);
}

/* The search. */

static int by_time(const void *a, const void *b)
{
	const struct moment *x = *(struct moment *const *)a, *y = *(struct moment *const *)b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return y->is_call - x->is_call; /* at the same time: they overlap */
}

static void link_moments(struct checker *c, unsigned events)
{
	for (unsigned i = 0; i < events; i++) {
		const struct event *e = &c->event[i];
		struct moment *call = &c->moment[2 * i], *back = call + 1;
		*call = (struct moment){.event = e, .back = back, .time = e->call, .is_call = true};
		*back = (struct moment){.event = e, .time = e->pending ? UINT64_MAX : e->back};
		c->sorted[2 * i] = call;
		c->sorted[2 * i + 1] = back;
	}
	qsort(c->sorted, 2 * (size_t)events, sizeof *c->sorted, by_time);
	struct moment *last = &c->first;
	for (unsigned i = 0; i < 2 * events; i++) {
		last->next = c->sorted[i];
		c->sorted[i]->before = last;
		last = c->sorted[i];
	}
	last->next = NULL;
}

static void unlink_moment(struct moment *m)
{
	m->before->next = m->next;
	if (m->next)
		m->next->before = m->before;
}

static void relink_moment(struct moment *m)
{
	m->before->next = m;
	if (m->next)
		m->next->before = m;
}

static uint64_t hash_of(const struct checker *c, const struct event *e)
{
	return mix((uint64_t)(e - c->event) + 1);
}

// Over c->event[0 .. events - 1], from the content c->item.
static enum verdict search(struct checker *c, unsigned events)
{
	unsigned steps = 0, left = 0;
	for (unsigned i = 0; i < events; i++)
		left += !c->event[i].pending;
	link_moments(c, events);
	c->search++;
	c->states_used = 0;
	c->taken = 0;
	struct moment *m = c->first.next;
	while (left > 0) {
		struct step *s = &c->step[steps];
		if (m->is_call && carry_out(c, m->event, s)) {
			c->taken ^= hash_of(c, m->event);
			if (is_new(c)) {
				s->call = m;
				steps++;
				left -= !m->event->pending;
				unlink_moment(m);
				unlink_moment(m->back);
				m = c->first.next;
				continue;
			}
			c->taken ^= hash_of(c, m->event);
			undo(c, s);
		} else if (!m->is_call) {
			if (steps == 0)
				return IMPOSSIBLE;
			s = &c->step[--steps];
			m = s->call;
			undo(c, s);
			c->taken ^= hash_of(c, m->event);
			left += !m->event->pending;
			relink_moment(m->back);
			relink_moment(m);
		}
		if (c->states_used > STATES_MOST)
			return UNDECIDED;
		m = m->next;
	}
	return POSSIBLE;
}

static enum verdict check_key(struct checker *c, uint32_t key)
{
	const struct history *h = c->history;
	unsigned events = 0;
	c->items = 0;
	for (unsigned i = 0; i < h->before_count; i++)
		if (h->before[i].key == key)
			c->item[c->items++] = (struct inside){.value = h->before[i].value};
	for (unsigned i = 0; i < h->count; i++)
		if (h->event[i].key == key)
			c->event[events++] = h->event[i];
	list_removals(c, events);
	return search(c, events);
}

static enum verdict check_map(struct checker *c)
{
	const struct history *h = c->history;
	enum verdict verdict = POSSIBLE;
	for (unsigned i = 0; i < h->count; i++) {
		unsigned earlier = 0;
		while (h->event[earlier].key != h->event[i].key)
			earlier++;
		enum verdict of_key = earlier == i ? check_key(c, h->event[i].key) : POSSIBLE;
		if (of_key == IMPOSSIBLE)
			return IMPOSSIBLE;
		if (of_key == UNDECIDED)
			verdict = UNDECIDED;
	}
	return verdict;
}

enum verdict history_check(struct checker *c, const struct history *h)
{
	make_room(c, (size_t)h->count + h->before_count + 1);
	c->history = h;
	if (h->model == MODEL_MAP)
		return check_map(c);
	c->items = 0;
	for (unsigned i = 0; i < h->count; i++)
		c->event[i] = h->event[i];
	list_removals(c, h->count);
	for (unsigned i = 0; i < h->before_count; i++) {
		uint32_t value = h->before[i].value;
		put(c, place_for(c, value), fate_of(c, value));
	}
	return search(c, h->count);
}

/* What overlaps. */

static int by_call(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->call < y->call ? -1 : x->call > y->call;
}

// Sorts the events by call, and marks those that overlap another worker's.
static void mark_overlapping(struct event *e, unsigned count, bool *marked)
{
	qsort(e, count, sizeof *e, by_call);
	memset(marked, 0, count * sizeof *marked);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = i + 1; j < count && e[j].call <= e[i].back; j++)
			if (e[i].worker != e[j].worker)
				marked[i] = marked[j] = true;
}

void history_excuse(struct history *h)
{
	bool marked[h->count + 1];
	if (h->model != MODEL_BAG)
		return;
	mark_overlapping(h->event, h->count, marked);
	for (unsigned i = 0; i < h->count; i++)
		h->event[i].excused = !h->event[i].ok && marked[i];
}

unsigned history_overlapping(const struct history *h)
{
	bool marked[h->count + 1];
	unsigned overlapping = 0;
	mark_overlapping(h->event, h->count, marked);
	for (unsigned i = 0; i < h->count; i++)
		overlapping += marked[i];
	return overlapping;
}
