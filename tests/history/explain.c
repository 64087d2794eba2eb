// SPDX-License-Identifier: BSD-2-Clause
// An impossible history in words and as a picture.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

// The life of a value, as far as is certain.
struct life {
	uint32_t value;
	bool inserted, removed;
	uint64_t in_call, in_back;   // of its insertion; 0: it was there before
	uint64_t out_call, out_back; // of its removal; UINT64_MAX: none
	unsigned removals;
};

static struct life life_of(const struct history *h, uint32_t value)
{
	struct life l = {.value = value, .out_call = UINT64_MAX, .out_back = UINT64_MAX};
	for (unsigned i = 0; i < h->before_count; i++)
		l.inserted |= h->before[i].value == value;
	for (unsigned i = 0; i < h->count; i++) {
		const struct event *e = &h->event[i];
		if (!e->ok || e->value != value)
			continue;
		if (e->verb == VERB_INSERT) {
			l.inserted = true;
			l.in_call = e->call;
			l.in_back = e->back;
		} else if (e->verb == VERB_REMOVE && l.removals++ == 0) {
			l.removed = true;
			l.out_call = e->call;
			l.out_back = e->back;
		}
	}
	return l;
}

// Inside before the operation began and until after it returned.
static bool is_inside_throughout(const struct life *l, const struct event *e)
{
	return l->inserted && l->in_back < e->call && l->out_call > e->back;
}

static bool is_own(const struct life *l, const struct event *e)
{
	return e->ok && e->value == l->value;
}

// Why a cannot have been left inside when b came out.
static const char *wrong_order(
	enum model model, const struct life *a, const struct life *b, const struct event *out)
{
	bool a_waits = a->inserted && a->out_call > out->back;
	if (!is_own(b, out) || a->value == b->value)
		return NULL;
	if (model == MODEL_QUEUE && a_waits && a->in_back < b->in_call)
		return "had been inserted before it and was still inside";
	if (model == MODEL_STACK && a_waits && a->in_call > b->in_back && a->in_back < out->call)
		return "had been inserted after it and was still inside";
	if (model == MODEL_PRIORITY_QUEUE && is_inside_throughout(a, out) && a->value < b->value)
		return "is smaller and was inside";
	return NULL;
}

// What is wrong about one removal or lookup that found something; false: nothing is seen.
static bool explain_found(const struct history *h, const struct event *e, char *text, size_t size)
{
	struct life l = life_of(h, e->value);
	const char *what = e->verb == VERB_REMOVE ? "was removed" : "was found";
	if (!l.inserted)
		snprintf(text, size,
			"%" PRIu32 " %s though it was not inside and nobody inserted it", e->value,
			what);
	else if (l.removals > 1)
		snprintf(text, size, "%" PRIu32 " was removed twice", e->value);
	else if (e->back < l.in_call)
		snprintf(text, size, "%" PRIu32 " %s before it was inserted", e->value, what);
	else if (e->verb == VERB_LOOKUP && l.out_back < e->call)
		snprintf(text, size, "%" PRIu32 " was found after it had been removed", e->value);
	else
		return false;
	return true;
}

// What is wrong about an operation beside a value that another operation is about.
static bool explain_beside(
	const struct history *h, const struct event *e, uint32_t value, char *text, size_t size)
{
	struct life a = life_of(h, value), b = life_of(h, e->value);
	const char *why = NULL;
	if (!e->ok && e->verb != VERB_INSERT && !e->excused && is_inside_throughout(&a, e))
		snprintf(text, size, "a %s found nothing while %" PRIu32 " was inside",
			e->verb == VERB_REMOVE ? "removal" : "lookup", value);
	else if (e->ok && e->verb == VERB_INSERT && h->model == MODEL_MAP && !is_own(&a, e) &&
		 is_inside_throughout(&a, e))
		snprintf(text, size, "%" PRIu32 " was inserted while %" PRIu32 " was inside",
			e->value, value);
	else if (e->ok && e->verb == VERB_INSERT && h->model == MODEL_MAP && !is_own(&a, e) &&
		 a.inserted && a.out_call > b.in_back && b.out_call > a.in_back)
		snprintf(text, size,
			"%" PRIu32 " and %" PRIu32
			" were inserted, neither after the other was removed",
			value, e->value);
	else if (e->ok && e->verb == VERB_REMOVE && (why = wrong_order(h->model, &a, &b, e)))
		snprintf(text, size, "%" PRIu32 " was removed though %" PRIu32 " %s", e->value,
			value, why);
	else
		return false;
	return true;
}

// An insertion into a map where nothing can have been in its way.
static bool explain_failure(const struct history *h, const struct event *e, char *text, size_t size)
{
	if (h->model != MODEL_MAP || e->verb != VERB_INSERT || e->ok || e->pending)
		return false;
	for (unsigned i = 0; i < h->count; i++)
		if (h->event[i].ok && h->event[i].verb == VERB_INSERT)
			return false;
	if (h->before_count)
		return false;
	snprintf(text, size, "the insertion of %" PRIu32 " failed though nothing was inside",
		e->value);
	return true;
}

static bool explain_one(const struct history *h, char *text, size_t size)
{
	for (unsigned i = 0; i < h->count; i++)
		if (h->event[i].ok && h->event[i].verb != VERB_INSERT &&
			explain_found(h, &h->event[i], text, size))
			return true;
	for (unsigned i = 0; i < h->count; i++) {
		if (explain_failure(h, &h->event[i], text, size))
			return true;
		for (unsigned j = 0; j < h->count; j++)
			if (h->event[j].ok &&
				explain_beside(h, &h->event[i], h->event[j].value, text, size))
				return true;
		for (unsigned j = 0; j < h->before_count; j++)
			if (explain_beside(h, &h->event[i], h->before[j].value, text, size))
				return true;
	}
	return false;
}

// What is left to say where no pattern fits: which values it is about.
static void name_values(const struct history *h, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "the values");
	for (unsigned i = 0; i < h->count && used < size; i++)
		if (h->event[i].value)
			used += (size_t)snprintf(
				text + used, size - used, " %" PRIu32, h->event[i].value);
}

void history_explain(const struct history *h, char *text, size_t size)
{
	char part[160];
	if (!explain_one(h, part, sizeof part))
		name_values(h, part, sizeof part);
	snprintf(text, size, "%s: no order of these %u operations explains their results", part,
		h->count);
}

/* The picture. */

static int by_call(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->call < y->call ? -1 : x->call > y->call;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

// Each moment has a column of its own, whatever lay between.
enum { COLUMN = 3 };

static unsigned column(const uint64_t *moments, unsigned count, uint64_t moment)
{
	unsigned before = 0, distinct = 0;
	for (; before < count && moments[before] < moment; before++)
		distinct += before == 0 || moments[before] != moments[before - 1];
	return COLUMN * distinct;
}

static void describe(const struct history *h, const struct event *e, char *text, size_t size)
{
	bool keyed = h->model == MODEL_MAP;
	char given[48] = "", result[32];
	if (keyed && e->verb == VERB_INSERT)
		snprintf(given, sizeof given, "%" PRIu32 ", %" PRIu32, e->key, e->value);
	else if (keyed || e->verb == VERB_INSERT)
		snprintf(given, sizeof given, "%" PRIu32, keyed ? e->key : e->value);
	snprintf(result, sizeof result, "%" PRIu32, e->value);
	static const char *const verbs[] = {"lookup", "insert", "remove"};
	snprintf(text, size, "%s(%s) %s", verbs[e->verb], given,
		e->pending               ? "..."
		: !e->ok                 ? e->verb == VERB_INSERT ? "fails" : "finds nothing"
		: e->verb == VERB_INSERT ? ""
					 : result);
}

static void print_bar(const struct event *e, unsigned from, unsigned to, FILE *out)
{
	fprintf(out, "%*s", (int)from, "");
	fputc('|', out);
	for (unsigned i = from + 1; i < to; i++)
		fputc('-', out);
	fputs(e->pending ? ">\n" : "|\n", out);
}

static void print_before(const struct history *h, const char *prefix, FILE *out)
{
	fprintf(out, "%sbefore:%s", prefix, h->before_count ? "" : " empty");
	for (unsigned i = 0; i < h->before_count; i++)
		if (h->model == MODEL_MAP)
			fprintf(out, " %" PRIu32 ":%" PRIu32, h->before[i].key, h->before[i].value);
		else
			fprintf(out, " %" PRIu32, h->before[i].value);
	if (h->capacity)
		fprintf(out, " (room for %u)", h->capacity);
	fputc('\n', out);
}

void history_print(const struct history *h, const char *prefix, FILE *out)
{
	uint64_t moments[2 * h->count + 1];
	char text[96];
	struct event *sorted = malloc((h->count + 1) * sizeof *sorted);
	if (!sorted)
		return;
	memcpy(sorted, h->event, h->count * sizeof *sorted);
	qsort(sorted, h->count, sizeof *sorted, by_call);
	for (unsigned i = 0; i < h->count; i++) {
		moments[2 * i] = sorted[i].call;
		moments[2 * i + 1] = sorted[i].pending ? UINT64_MAX : sorted[i].back;
	}
	qsort(moments, 2 * (size_t)h->count, sizeof *moments, by_value);
	print_before(h, prefix, out);
	for (unsigned i = 0; i < h->count; i++) {
		const struct event *e = &sorted[i];
		describe(h, e, text, sizeof text);
		fprintf(out, "%sworker %u  %-26s", prefix, e->worker, text);
		print_bar(e, column(moments, 2 * h->count, e->call),
			column(moments, 2 * h->count, e->pending ? UINT64_MAX : e->back), out);
	}
	free(sorted);
}
