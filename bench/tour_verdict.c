// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "tour_verdict.h"

enum answer answer_above(struct interval i, double bound)
{
	if (i.lo > bound)
		return ANSWER_TRUE;
	return i.hi <= bound ? ANSWER_FALSE : ANSWER_UNCLEAR;
}

enum answer answer_below(struct interval i, double bound)
{
	if (i.hi < bound)
		return ANSWER_TRUE;
	return i.lo >= bound ? ANSWER_FALSE : ANSWER_UNCLEAR;
}

enum answer answer_not(enum answer a)
{
	return a == ANSWER_UNCLEAR ? a : answer_of(a == ANSWER_FALSE);
}

enum answer answer_and(enum answer a, enum answer b)
{
	if (a == ANSWER_FALSE || b == ANSWER_FALSE)
		return ANSWER_FALSE;
	return a == ANSWER_TRUE ? b : a;
}

enum answer answer_of(bool holds)
{
	return holds ? ANSWER_TRUE : ANSWER_FALSE;
}

enum answer answer_not_faster(struct interval speedup)
{
	return answer_not(answer_above(speedup, TOUR_FASTER));
}

enum answer answer_slower(struct interval speedup)
{
	return answer_below(speedup, TOUR_SLOWER);
}

enum answer answer_loses(bool lost, uint64_t switches)
{
	if (lost)
		return ANSWER_TRUE;
	return switches >= TOUR_SWITCHES ? ANSWER_FALSE : ANSWER_UNCLEAR;
}

enum answer answer_limit(unsigned most, unsigned limit)
{
	if (most > limit)
		return ANSWER_FALSE;
	return most == limit ? ANSWER_TRUE : ANSWER_UNCLEAR;
}

static const char *word(enum answer a)
{
	static const char *const words[] = {
		[ANSWER_FALSE] = "false",
		[ANSWER_TRUE] = "true",
		[ANSWER_UNCLEAR] = "no difference measured",
	};
	return words[a];
}

static bool all_alike(const struct condition *c, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (c[i].answer != c[0].answer)
			return false;
	return true;
}

static void append(char *buf, size_t size, const char *text)
{
	size_t used = strlen(buf);
	snprintf(buf + used, size - used, "%s", text);
}

// "true A, B and C": of those that have this answer.
static void append_group(
	const struct condition *c, size_t count, enum answer a, char *buf, size_t size)
{
	size_t left = 0, done = 0;
	for (size_t i = 0; i < count; i++)
		left += c[i].answer == a;
	for (size_t i = 0; i < count; i++) {
		if (c[i].answer != a)
			continue;
		if (done == 0) {
			append(buf, size, *buf ? ", " : "");
			append(buf, size, word(a));
			append(buf, size, " ");
		} else {
			append(buf, size, left == 1 ? " and " : ", ");
		}
		append(buf, size, c[i].label);
		left--;
		done++;
	}
}

char *verdict_text(const struct condition *c, size_t count, char *buf, size_t size)
{
	*buf = '\0';
	if (count && all_alike(c, count)) {
		snprintf(buf, size, "%s", word(c[0].answer));
		return buf;
	}
	append_group(c, count, ANSWER_TRUE, buf, size);
	append_group(c, count, ANSWER_FALSE, buf, size);
	append_group(c, count, ANSWER_UNCLEAR, buf, size);
	return buf;
}

char *verdict_beside(
	const struct condition *c, size_t count, double other_work, char *buf, size_t size)
{
	if (other_work <= TOUR_OTHER_WORK)
		return verdict_text(c, count, buf, size);
	snprintf(buf, size,
		"undecided: other work had %.0f %% of the PUs' time; stop it and try again",
		other_work * 100);
	return buf;
}
