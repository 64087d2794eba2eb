// SPDX-License-Identifier: BSD-2-Clause
// The tour's verdicts follow the numbers, whichever they are; its picture of a lost update follows
// the events.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lost_update.h"
#include "tour.h"

static struct interval between(double lo, double hi)
{
	return (struct interval){lo, hi, 0.95};
}

static void twice_as_fast_is_faster_and_not_slower(void **unused)
{
	(void)unused;
	assert_int_equal(answer_not_faster(between(1.9, 2.0)), ANSWER_FALSE);
	assert_int_equal(answer_slower(between(1.9, 2.0)), ANSWER_FALSE);
}

static void half_as_fast_is_slower_and_not_faster(void **unused)
{
	(void)unused;
	assert_int_equal(answer_not_faster(between(0.5, 0.6)), ANSWER_TRUE);
	assert_int_equal(answer_slower(between(0.5, 0.6)), ANSWER_TRUE);
}

static void no_change_is_neither_faster_nor_slower(void **unused)
{
	(void)unused;
	assert_int_equal(answer_not_faster(between(0.97, 1.03)), ANSWER_TRUE);
	assert_int_equal(answer_slower(between(0.97, 1.03)), ANSWER_FALSE);
}

static void an_interval_across_the_threshold_decides_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(answer_not_faster(between(0.9, 1.3)), ANSWER_UNCLEAR);
	assert_int_equal(answer_slower(between(0.7, 1.1)), ANSWER_UNCLEAR);
	assert_int_equal(answer_above(between(0.4, 0.6), 0.5), ANSWER_UNCLEAR);
	assert_int_equal(answer_below(between(0.4, 0.6), 0.5), ANSWER_UNCLEAR);
}

static void both_must_hold(void **unused)
{
	(void)unused;
	assert_int_equal(answer_and(ANSWER_TRUE, ANSWER_TRUE), ANSWER_TRUE);
	assert_int_equal(answer_and(ANSWER_TRUE, ANSWER_UNCLEAR), ANSWER_UNCLEAR);
	assert_int_equal(answer_and(ANSWER_UNCLEAR, ANSWER_FALSE), ANSWER_FALSE);
	assert_int_equal(answer_and(ANSWER_FALSE, ANSWER_TRUE), ANSWER_FALSE);
}

static void none_lost_counts_only_after_enough_switches(void **unused)
{
	(void)unused;
	assert_int_equal(answer_loses(true, 1), ANSWER_TRUE);
	assert_int_equal(answer_loses(false, TOUR_SWITCHES), ANSWER_FALSE);
	assert_int_equal(answer_loses(false, TOUR_SWITCHES - 1), ANSWER_UNCLEAR);
}

static void a_semaphore_that_lets_too_many_in_is_noticed(void **unused)
{
	(void)unused;
	assert_int_equal(answer_limit(3, 3), ANSWER_TRUE);
	assert_int_equal(answer_limit(4, 3), ANSWER_FALSE);
	assert_int_equal(answer_limit(2, 3), ANSWER_UNCLEAR);
}

static void says(const enum answer *a, const char *expected)
{
	const struct condition c[] = {
		{"then (gil-2)", a[0]}, {"now (gil-3)", a[1]}, {"next (free-threaded)", a[2]}};
	char text[256];
	assert_string_equal(verdict_text(c, 3, text, sizeof text), expected);
}

static void the_same_answers_in_other_places_give_other_verdicts(void **unused)
{
	(void)unused;
	const enum answer no = ANSWER_FALSE, yes = ANSWER_TRUE, unclear = ANSWER_UNCLEAR;
	says((enum answer[]){yes, yes, yes}, "true");
	says((enum answer[]){no, no, no}, "false");
	says((enum answer[]){unclear, unclear, unclear}, "no difference measured");
	says((enum answer[]){yes, no, no},
		"true then (gil-2), false now (gil-3) and next (free-threaded)");
	says((enum answer[]){no, yes, no},
		"true now (gil-3), false then (gil-2) and next (free-threaded)");
	says((enum answer[]){yes, no, unclear},
		"true then (gil-2), false now (gil-3), no difference measured next "
		"(free-threaded)");
	says((enum answer[]){yes, yes, no},
		"true then (gil-2) and now (gil-3), false next (free-threaded)");
}

static void beside_much_other_work_no_verdict_is_given(void **unused)
{
	(void)unused;
	const struct condition c = {"then", ANSWER_TRUE};
	char text[128];
	assert_string_equal(verdict_beside(&c, 1, 0, text, sizeof text), "true");
	assert_string_equal(verdict_beside(&c, 1, TOUR_OTHER_WORK, text, sizeof text), "true");
	assert_non_null(strstr(
		verdict_beside(&c, 1, 0.5, text, sizeof text), "undecided: other work had 50 %"));
}

static void a_long_verdict_is_cut_and_ended(void **unused)
{
	(void)unused;
	const struct condition c[] = {{"under one", ANSWER_TRUE}, {"under two", ANSWER_FALSE}};
	char text[12];
	assert_string_equal(verdict_text(c, 2, text, sizeof text), "true under ");
}

static void a_spread_is_the_median_and_its_interval(void **unused)
{
	(void)unused;
	double v[] = {3, 1, 2, 5, 4};
	char text[64];
	struct spread s = spread_of(v, 5);
	assert_true(s.median == 3 && s.interval.lo == 1 && s.interval.hi == 5);
	assert_string_equal(spread_text(&s, 10, text, sizeof text), "30.0 [10.0, 50.0]");
	assert_string_equal(spread_text(&s, 2000, text, sizeof text), "6000 [2000, 10000]");
	assert_string_equal(spread_text(&s, 0.3, text, sizeof text), "0.900 [0.300, 1.50]");
}

static const struct interpreter_trace_event events[] = {
	{0, "LOAD_GLOBAL x", 41, true, false, 9},
	{1, "LOAD_GLOBAL x", 41, true, false, 15},
	{1, "LOAD_CONST 1", 1, true, false, 15},
	{1, "BINARY_SUBTRACT", 40, true, false, 15},
	{1, "STORE_GLOBAL x", 40, true, false, 15},
	{0, "BINARY_ADD", 42, true, false, 9},
	{0, "STORE_GLOBAL x", 42, true, true, 9},
};
enum { EVENTS = sizeof events / sizeof *events, DRAWN_MOST = 4096 };

// The caller frees it.
static char *drawn(const struct interpreter_trace_event *e, size_t count, size_t left_out)
{
	static const struct lost_update_title titles[] = {
		{0, "thread 1: x = x + 1"}, {1, "thread 2: x = x - 1"}};
	char *text = calloc(1, DRAWN_MOST);
	assert_non_null(text);
	FILE *f = fmemopen(text, DRAWN_MOST, "w");
	assert_non_null(f);
	lost_update_draw(f, e, count, left_out, titles, 2);
	fclose(f);
	return text;
}

static void a_lost_update_is_two_columns_with_its_switches(void **unused)
{
	(void)unused;
	char *text = drawn(events, EVENTS, 0);
	const char *there = strstr(text, "switch to thread 2"), *back, *stale;
	assert_non_null(there);
	assert_non_null(back = strstr(there, "switch to thread 1"));
	assert_non_null(stale = strstr(back, "<- stale"));
	assert_null(strstr(stale + 1, "<- stale"));
	/* the second thread's column begins where its title does */
	const char *title = strstr(text, "thread 2: "), *line = strstr(there, "LOAD_GLOBAL");
	size_t column = (size_t)(title - text);
	while (line[-1] != '\n' && column > 0)
		line--, column--;
	assert_int_equal(column, 0);
	free(text);
}

static void without_a_stale_store_none_is_marked(void **unused)
{
	(void)unused;
	struct interpreter_trace_event calm[EVENTS];
	memcpy(calm, events, sizeof calm);
	calm[EVENTS - 1].stale = false;
	char *text = drawn(calm, EVENTS, 0);
	assert_null(strstr(text, "stale"));
	free(text);
}

static void what_was_left_out_is_said(void **unused)
{
	(void)unused;
	char *text = drawn(events, EVENTS, 17);
	assert_non_null(strstr(text, "... 17 more instructions ..."));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_as_fast_is_faster_and_not_slower),
		cmocka_unit_test(half_as_fast_is_slower_and_not_faster),
		cmocka_unit_test(no_change_is_neither_faster_nor_slower),
		cmocka_unit_test(an_interval_across_the_threshold_decides_nothing),
		cmocka_unit_test(both_must_hold),
		cmocka_unit_test(none_lost_counts_only_after_enough_switches),
		cmocka_unit_test(a_semaphore_that_lets_too_many_in_is_noticed),
		cmocka_unit_test(the_same_answers_in_other_places_give_other_verdicts),
		cmocka_unit_test(beside_much_other_work_no_verdict_is_given),
		cmocka_unit_test(a_long_verdict_is_cut_and_ended),
		cmocka_unit_test(a_spread_is_the_median_and_its_interval),
		cmocka_unit_test(a_lost_update_is_two_columns_with_its_switches),
		cmocka_unit_test(without_a_stale_store_none_is_marked),
		cmocka_unit_test(what_was_left_out_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
