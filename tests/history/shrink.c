// SPDX-License-Identifier: BSD-2-Clause
// An impossible history made small. Only what cannot have explained the rest is left out, so that
// what stays is impossible because the whole was:
// - other keys of a map;
// - an operation that changed nothing: a lookup, one that failed;
// - all operations on one value: what a queue, stack, priority queue, bag or key of a map does
//   without it is what it did with it. Not if an insertion failed meanwhile, which may have failed
//   because of this value;
// - of more than two removals of one value, the others.
// Halves are tried first, then quarters, ... then each (A. Zeller, R. Hildebrandt, Simplifying and
// isolating failure-inducing input, 2002).
#include <stdlib.h>
#include <string.h>

#include "history.h"

// What is left out together: events, and what of the content before belongs to them.
struct shrinking {
	struct checker *checker;
	struct history *whole;
	struct history part; // what is left, in memory of its own
	unsigned *unit;      // of each event; then of each item of the content before
	unsigned *unit_seen; // of each lookup that found a value: the value's unit
	bool *dropped;       // by unit
	unsigned units;
};

static bool is_about_value(const struct event *e)
{
	return e->ok && !e->pending && e->verb != VERB_LOOKUP;
}

// Whether both are about the same value: an insertion, a removal, or a lookup that found it.
static bool same_value(const struct event *a, const struct event *b)
{
	return a->ok && b->ok && a->value == b->value && (is_about_value(a) || is_about_value(b)) &&
	       !(a->pending || b->pending);
}

// A value's insertion and removals are one unit, every other operation one of its own. A lookup
// also goes with the value that it found: see is_left.
static void make_units(struct shrinking *s)
{
	const struct history *h = s->whole;
	for (unsigned i = 0; i < h->count; i++) {
		unsigned same = i;
		if (is_about_value(&h->event[i]))
			for (same = 0; !is_about_value(&h->event[same]) ||
				       !same_value(&h->event[same], &h->event[i]);)
				same++;
		s->unit[i] = same < i ? s->unit[same] : s->units++;
	}
	for (unsigned i = 0; i < h->before_count; i++) {
		struct event of_item = {
			.verb = VERB_INSERT, .ok = true, .value = h->before[i].value};
		unsigned same = 0;
		while (same < h->count &&
			!(is_about_value(&h->event[same]) && same_value(&h->event[same], &of_item)))
			same++;
		s->unit[h->count + i] = same < h->count ? s->unit[same] : s->units++;
	}
}

// The unit of the value that a lookup found; its own where nobody inserted that.
static unsigned find_seen(const struct shrinking *s, unsigned lookup)
{
	const struct history *h = s->whole;
	for (unsigned i = 0; i < h->count; i++)
		if (is_about_value(&h->event[i]) && same_value(&h->event[i], &h->event[lookup]))
			return s->unit[i];
	for (unsigned i = 0; i < h->before_count; i++)
		if (h->before[i].value == h->event[lookup].value)
			return s->unit[h->count + i];
	return s->unit[lookup];
}

static bool is_left(const struct shrinking *s, unsigned i)
{
	const struct event *e = &s->whole->event[i];
	bool saw = e->ok && e->verb == VERB_LOOKUP;
	return !s->dropped[s->unit[i]] && !(saw && s->dropped[s->unit_seen[i]]);
}

// Whether a value that is left out may have been inside when an insertion that stays failed.
static bool may_have_been_in_the_way(const struct shrinking *s, unsigned unit)
{
	const struct history *h = s->whole;
	uint64_t from = UINT64_MAX, until = 0;
	bool removed = false;
	for (unsigned i = 0; i < h->count; i++) {
		const struct event *e = &h->event[i];
		if (s->unit[i] != unit)
			continue;
		if (!is_about_value(e))
			return false;
		removed |= e->verb == VERB_REMOVE;
		from = e->call < from ? e->call : from;
		until = e->back > until ? e->back : until;
	}
	for (unsigned i = 0; i < h->before_count; i++)
		if (s->unit[h->count + i] == unit)
			from = 0;
	if (!removed)
		until = UINT64_MAX;
	for (unsigned i = 0; i < h->count; i++) {
		const struct event *e = &h->event[i];
		if (e->verb == VERB_INSERT && !e->ok && !e->excused && is_left(s, i) &&
			e->call <= until && from <= e->back)
			return true;
	}
	return false;
}

static bool has_failed_insertions(const struct shrinking *s)
{
	for (unsigned i = 0; i < s->whole->count; i++) {
		const struct event *e = &s->whole->event[i];
		if (e->verb == VERB_INSERT && !e->ok && !e->excused && is_left(s, i))
			return true;
	}
	return false;
}

static void make_part(struct shrinking *s)
{
	s->part.count = s->part.before_count = 0;
	for (unsigned i = 0; i < s->whole->count; i++)
		if (is_left(s, i))
			s->part.event[s->part.count++] = s->whole->event[i];
	for (unsigned i = 0; i < s->whole->before_count; i++)
		if (!s->dropped[s->unit[s->whole->count + i]])
			s->part.before[s->part.before_count++] = s->whole->before[i];
}

// Leaves out units from .. from + count - 1, if what stays is impossible.
static bool drop(struct shrinking *s, unsigned from, unsigned count)
{
	bool was[s->units], allowed = true, news = false;
	memcpy(was, s->dropped, sizeof was);
	for (unsigned i = from; i < from + count && i < s->units; i++) {
		news |= !s->dropped[i];
		s->dropped[i] = true;
	}
	for (unsigned i = from; i < from + count && i < s->units && news && allowed; i++)
		allowed = !has_failed_insertions(s) || !may_have_been_in_the_way(s, i);
	make_part(s);
	if (news && allowed && history_check(s->checker, &s->part) == IMPOSSIBLE)
		return true;
	memcpy(s->dropped, was, sizeof was);
	return false;
}

static void drop_all_that_can_be(struct shrinking *s)
{
	bool again = true;
	for (unsigned size = (s->units + 1) / 2; size > 1; size = (size + 1) / 2)
		for (unsigned from = 0; from < s->units; from += size)
			drop(s, from, size);
	while (again) {
		again = false;
		for (unsigned i = 0; i < s->units; i++)
			again |= drop(s, i, 1);
	}
}

// Keeps the first key that is impossible by itself.
static void keep_one_key(struct checker *c, struct history *h)
{
	struct event *event = malloc((h->count + 1) * sizeof *event);
	struct history of_key = *h;
	of_key.event = event;
	for (unsigned i = 0; event && i < h->count; i++) {
		of_key.count = 0;
		for (unsigned j = 0; j < h->count; j++)
			if (h->event[j].key == h->event[i].key)
				event[of_key.count++] = h->event[j];
		if (history_check(c, &of_key) == IMPOSSIBLE) {
			uint32_t key = event[0].key;
			unsigned items = 0;
			memcpy(h->event, event, of_key.count * sizeof *event);
			h->count = of_key.count;
			for (unsigned j = 0; j < h->before_count; j++)
				if (h->before[j].key == key)
					h->before[items++] = h->before[j];
			h->before_count = items;
			break;
		}
	}
	free(event);
}

static int shrinking_init(struct shrinking *s, struct checker *c, struct history *h)
{
	size_t most = (size_t)h->count + h->before_count + 1;
	*s = (struct shrinking){.checker = c, .whole = h, .part = *h};
	s->part.event = malloc(most * sizeof *s->part.event);
	s->part.before = malloc(most * sizeof *s->part.before);
	s->unit = calloc(most, sizeof *s->unit);
	s->unit_seen = calloc(most, sizeof *s->unit_seen);
	s->dropped = calloc(most, sizeof *s->dropped);
	if (!s->part.event || !s->part.before || !s->unit || !s->unit_seen || !s->dropped)
		return -1;
	make_units(s);
	for (unsigned i = 0; i < h->count; i++)
		s->unit_seen[i] = find_seen(s, i);
	return 0;
}

// The whole becomes what is left.
static void shrinking_fini(struct shrinking *s, bool made)
{
	struct history *h = s->whole;
	if (made) {
		make_part(s);
		memcpy(h->event, s->part.event, s->part.count * sizeof *h->event);
		memcpy(h->before, s->part.before, s->part.before_count * sizeof *h->before);
		h->count = s->part.count;
		h->before_count = s->part.before_count;
	}
	free(s->part.event);
	free(s->part.before);
	free(s->unit);
	free(s->unit_seen);
	free(s->dropped);
}

// A structure whose links go round gives a value again and again: two removals of it are impossible
// already.
static void keep_two_removals(struct history *h)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < h->count; i++) {
		const struct event *e = &h->event[i];
		unsigned earlier = 0;
		for (unsigned j = 0; j < kept && e->ok && e->verb == VERB_REMOVE; j++)
			earlier += h->event[j].ok && h->event[j].verb == VERB_REMOVE &&
				   h->event[j].value == e->value;
		if (earlier < 2)
			h->event[kept++] = *e;
	}
	h->count = kept;
}

void history_shrink(struct checker *c, struct history *h)
{
	struct shrinking s;
	keep_two_removals(h);
	if (h->model == MODEL_MAP)
		keep_one_key(c, h);
	bool made = shrinking_init(&s, c, h) == 0;
	if (made)
		drop_all_that_can_be(&s);
	shrinking_fini(&s, made);
}

void history_leave_out(struct history *h, uint64_t which)
{
	struct shrinking s;
	bool made = shrinking_init(&s, NULL, h) == 0;
	for (unsigned i = 0; made && i < s.units; i++) {
		s.dropped[i] = which >> i % 64 & 1;
		for (unsigned j = 0; j <= i && s.dropped[i]; j++)
			s.dropped[i] = !s.dropped[j] || !has_failed_insertions(&s) ||
				       !may_have_been_in_the_way(&s, j);
	}
	shrinking_fini(&s, made);
}
