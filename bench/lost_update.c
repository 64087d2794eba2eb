// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "lost_update.h"

// Of a long story its beginning and its end are drawn: about an iteration of a short loop each.
enum { COLUMN = 34, HEAD = 18, TAIL = 18 };

static void titled(char *buf, size_t size, unsigned thread, const struct lost_update_title *title,
	size_t titles)
{
	for (size_t i = 0; i < titles; i++) {
		if (title[i].thread == thread) {
			snprintf(buf, size, "%s", title[i].text);
			return;
		}
	}
	snprintf(buf, size, "thread %u", thread + 1);
}

// The smaller number has the first column, and the first other one that appears the second.
static void columns(
	const struct interpreter_trace_event *event, size_t count, unsigned *left, unsigned *right)
{
	unsigned first = event[0].thread, other = first;
	for (size_t i = 1; i < count && other == first; i++)
		other = event[i].thread;
	*left = first < other ? first : other;
	*right = first < other ? other : first;
}

static void draw_heads(FILE *out, unsigned left, unsigned right,
	const struct lost_update_title *title, size_t titles)
{
	char a[64], b[64];
	titled(a, sizeof a, left, title, titles);
	titled(b, sizeof b, right, title, titles);
	fprintf(out, "  line  %-*s%s\n  ----  %-*.*s%.*s\n", COLUMN, a, b, COLUMN, (int)strlen(a),
		"--------------------------------", (int)strlen(b),
		"--------------------------------");
}

static void draw_switch(
	FILE *out, unsigned to, const struct lost_update_title *title, size_t titles)
{
	char name[64];
	titled(name, sizeof name, to, title, titles);
	name[strcspn(name, ":")] = '\0';
	fprintf(out, "        ~~~~~~ switch to %s ~~~~~~\n", name);
}

static void draw_event(FILE *out, const struct interpreter_trace_event *e, bool right)
{
	char text[80];
	if (e->has_value)
		snprintf(text, sizeof text, "%-20s %" PRId64, e->text, e->value);
	else
		snprintf(text, sizeof text, "%s", e->text);
	fprintf(out, "  %4u  %*s", e->line, right ? COLUMN : 0, "");
	if (e->stale)
		fprintf(out, "%-*s<- stale: wipes out the other's\n", right ? 27 : COLUMN, text);
	else
		fprintf(out, "%s\n", text);
}

// The events come with their middle left out already, where there were too many of them.
void lost_update_draw(FILE *out, const struct interpreter_trace_event *event, size_t count,
	size_t left_out, const struct lost_update_title *title, size_t titles)
{
	unsigned left, right;
	bool shortened = left_out || count > HEAD + TAIL;
	size_t head = count / 2 < HEAD ? count / 2 : HEAD;
	size_t tail = count - head < TAIL ? count - head : TAIL;
	columns(event, count, &left, &right);
	draw_heads(out, left, right, title, titles);
	for (size_t i = 0; i < count; i++) {
		if (shortened && i == head) {
			fprintf(out, "        ... %zu more instructions ...\n",
				left_out + count - head - tail);
			i = count - tail;
		}
		if (i && event[i].thread != event[i - 1].thread)
			draw_switch(out, event[i].thread, title, titles);
		draw_event(out, &event[i], event[i].thread != left);
	}
}

bool lost_update_print(FILE *out, const struct interpreter *i,
	const struct lost_update_title *title, size_t titles)
{
	struct interpreter_trace_event event[INTERPRETER_TRACE_MOST];
	size_t left_out = 0, count = interpreter_lost_update(i, event, &left_out);
	if (!count)
		return false;
	lost_update_draw(out, event, count, left_out, title, titles);
	return true;
}
