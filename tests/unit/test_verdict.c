// SPDX-License-Identifier: BSD-2-Clause
// The verdict from planted samples: its words, its order, its layout.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verdict.h"

static struct point point(
	const char *kernel, const char *strategy, const char *lock, unsigned threads)
{
	struct point p = {.placement = "compact", .threads = threads};
	snprintf(p.kernel, sizeof p.kernel, "%s", kernel);
	snprintf(p.strategy, sizeof p.strategy, "%s", strategy);
	snprintf(p.lock, sizeof p.lock, "%s", lock);
	return p;
}

static void plant(struct result *r, struct point p, double rate, double line_ns, int samples)
{
	r->samples = realloc(r->samples, (r->sample_count + (size_t)samples) * sizeof *r->samples);
	assert_non_null(r->samples);
	for (int i = 0; i < samples; i++)
		r->samples[r->sample_count++] = (struct sample){
			.point = p,
			.process = (unsigned)(i % 3),
			.sample = (unsigned)i,
			.ops_per_second = rate * (1 + 0.01 * (2 * i - samples + 1) / samples),
			.line_ns = line_ns,
			.seconds = 0.1,
		};
}

static void plant_failure(struct result *r, struct point p, const char *why)
{
	r->failures = realloc(r->failures, (r->failure_count + 1) * sizeof *r->failures);
	assert_non_null(r->failures);
	struct failure *f = &r->failures[r->failure_count++];
	*f = (struct failure){.point = p};
	snprintf(f->why, sizeof f->why, "%s", why);
}

static void cores(struct result *r, unsigned n)
{
	r->cores = r->allowed_cores = r->pus = r->allowed_pus = n;
	strcpy(r->cpu, "Test CPU");
}

// The verdict as text, which the caller frees. Every line is checked for its length.
static char *verdict_at(const struct result *r, double yes_at, bool colour)
{
	struct table t;
	struct error e;
	char *text = NULL;
	size_t size;
	assert_int_equal(table_init(&t, r, &e), 0);
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(verdict_print(out, r, &t, yes_at, colour), 0);
	fclose(out);
	table_fini(&t);
	for (const char *line = text; *line && !colour; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 100);
	return text;
}

static char *verdict(const struct result *r)
{
	return verdict_at(r, VERDICT_YES_AT, false);
}

static void says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("the verdict lacks \"%s\":\n%s", words, text);
}

static void says_not(const char *text, const char *words)
{
	if (strstr(text, words))
		fail_msg("the verdict has \"%s\":\n%s", words, text);
}

static void in_order(const char *text, const char *a, const char *b)
{
	says(text, a);
	says(text, b);
	assert_true(strstr(text, a) < strstr(text, b));
}

static void plant_histogram(struct result *r)
{
	cores(r, 4);
	plant(r, point("histogram", "sequential", "", 1), 1000, 0, 15);
	plant(r, point("histogram", "global-lock", "mutex", 4), 190, 53, 15);
	plant(r, point("histogram", "unsynchronized", "", 4), 2880, 53, 15);
	for (size_t i = r->sample_count - 15; i < r->sample_count; i++)
		r->samples[i].lost_updates = 89; // of 288
	plant(r, point("histogram", "private", "", 4), 3940, 53, 15);
	plant(r, point("histogram", "lock-free", "", 3), 1250, 53, 15);
	plant(r, point("histogram", "lock-free", "", 4), 1310, 53, 15);
}

static void verdict_answers_the_question(void **state)
{
	(void)state;
	struct result r = {0};
	plant_histogram(&r);
	char *text = verdict(&r);
	says(text, "Does it run 4x faster on 4 cores?    Test CPU, 4 cores, compact; "
		   "sequential = 1.00x\n");
	says(text, "\nhistogram  private            3.94x [3.91, 3.97]  yes\n");
	says(text, "lock-free          1.31x [1.30, 1.32]  no      beats one thread from 3 cores "
		   "(COST 3)\n");
	says(text, "global-lock/mutex  0.19x [0.19, 0.19]  no      never beats one thread: 5.3x "
		   "SLOWER\n");
	says(text, "unsynchronized     2.88x [2.86, 2.90]  WRONG   loses 31 % of its updates\n");
	in_order(text, "private", "lock-free");
	in_order(text, "global-lock/mutex", "unsynchronized");
	says(text, "Yes: it reaches 3.60x on 4 cores with histogram/private; "
		   "histogram/global-lock/mutex is 5.3x SLOWER\nthan one thread.\n");
	says_not(text, "\033");
	free(text);
	result_free(&r);
}

static void yes_depends_on_where_it_is_set(void **state)
{
	(void)state;
	struct result r = {0};
	plant_histogram(&r);
	char *text = verdict_at(&r, 0.995, false);
	says_not(text, "  yes\n");
	says(text, "No: nothing reaches 3.98x on 4 cores; at best histogram/private reaches 3.94x");
	free(text);
	text = verdict_at(&r, 0.3, false);
	says(text, "lock-free          1.31x [1.30, 1.32]  yes");
	free(text);
	result_free(&r);
}

static void uncertain_speedup_is_no_yes(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 2);
	plant(&r, point("k", "sequential", "", 1), 1000, 0, 15);
	plant(&r, point("k", "private", "", 2), 1900, 53, 15);
	for (size_t i = 15; i < 30; i += 3) // one process of three is slow
		r.samples[i].ops_per_second /= 2;
	char *text = verdict(&r);
	says(text, "too uncertain for a yes");
	says(text,
		"No: nothing is sure to reach 1.80x on 2 cores; at best k/private reaches 1.89x, "
		"but not for certain.");
	free(text);
	result_free(&r);
}

static void words_adapt_to_the_machine(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 64);
	plant(&r, point("k", "sequential", "", 1), 1000, 0, 15);
	plant(&r, point("k", "private", "", 64), 63100, 53, 15);
	plant(&r, point("control", "private", "", 1), 1000, 0, 15);
	plant(&r, point("control", "private", "", 64), 62000, 53, 15);
	char *text = verdict(&r);
	says(text, "Does it run 64x faster on 64 cores?");
	says(text, "attainable here: 62.0x (control, nothing shared)\n");
	says(text, "63.1x [62.7, 63.5]  yes");
	in_order(text, "\nk ", "\ncontrol ");
	free(text);
	cores(&r, 448); // measured on fewer
	text = verdict(&r);
	says(text, "64 of 448 cores");
	free(text);
	result_free(&r);
}

static void one_core_admits_what_it_cannot_tell(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 1);
	plant(&r, point("k", "sequential", "", 1), 1000, 0, 15);
	plant(&r, point("k", "global-lock", "mutex", 1), 250, 0, 15);
	char *text = verdict(&r);
	says(text, "One worker cannot tell");
	says(text, "4.0x SLOWER");
	says(text, "Cannot be answered");
	says_not(text, "COST");
	says_not(text, "  yes");
	free(text);
	result_free(&r);
}

static void racy_variant_that_lost_nothing_got_lucky(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 2);
	plant(&r, point("k", "sequential", "", 1), 1000, 0, 15);
	plant(&r, point("k", "unsynchronized", "", 2), 1990, 53, 15);
	char *text = verdict(&r);
	says(text, "WRONG   lost no update this time: it got lucky");
	says(text, "No: nothing reaches 1.80x on 2 cores.");
	free(text);
	result_free(&r);
}

static void every_failure_is_named_with_its_reason(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 4);
	struct point elsewhere = point("k", "rcu", "", 2);
	strcpy(elsewhere.placement, "spread");
	plant(&r, point("k", "sequential", "", 1), 1000, 0, 15);
	plant(&r, point("k", "private", "", 4), 4000, 53, 15);
	plant(&r, point("k", "lock-free", "", 4), 4000, 53, 15);
	plant_failure(&r, point("k", "lock-free", "", 4), "check failed: 2 updates lost");
	plant_failure(&r, point("k", "private", "", 2), "killed after 60 s");
	plant_failure(&r, elsewhere, "signal 11");
	char *text = verdict(&r);
	says(text, "FAILED  check failed: 2 updates lost\n");
	says(text, "FAILED  at 2 cores: killed after 60 s\n");
	says(text, "FAILED  at 2 cores, spread: signal 11\n");
	says(text, "3 points FAILED");
	in_order(text, "yes", "FAILED");
	free(text);
	result_free(&r);
}

static void other_modes_and_disturbance_are_named(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 2);
	struct point p = point("k", "global-lock", "tas", 2);
	plant(&r, point("k", "sequential", "", 1), 1000, 0, 15);
	plant(&r, p, 190, 53, 11);
	plant(&r, p, 310, 330, 4);
	for (size_t i = 15; i < 22; i++)
		r.samples[i].disturbed = true;
	char *text = verdict(&r);
	says(text, "also\n");
	says(text, " seen: 0.31x at 330 ns line transfer, 4 of 15\n");
	says(text, " samples; 7 of 11 samples disturbed\n");
	says(text, "7 of 11 samples were disturbed by other work; 1 line rests on");
	says(text, "even the best, k/global-lock/tas, is 5.3x SLOWER than one\nthread.");
	free(text);
	result_free(&r);
}

static void missing_baseline_shows_rates(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 2);
	plant(&r, point("k", "private", "", 2), 123.4e6, 53, 3);
	char *text = verdict(&r);
	says(text, "123 M operations/s, no sequential baseline");
	says_not(text, "nan");
	free(text);
	result_free(&r);
}

static void layout_holds_with_25_locks_and_long_names(void **state)
{
	(void)state;
	struct result r = {0};
	cores(&r, 128);
	memset(r.cpu, 'x', 120);
	const char *longest = "kernel-with-a-name-as-long-as-names-may-be-here";
	plant(&r, point("queue", "sequential", "", 1), 1000, 0, 7);
	plant(&r, point(longest, "sequential", "", 1), 1000, 0, 7);
	for (int i = 0; i < 25; i++) {
		char lock[NAME_LEN];
		snprintf(lock, sizeof lock, "lock%.*s%d", i, "-and-so-on-and-so-on-and-so-on", i);
		plant(&r, point("queue", "global-lock", lock, 128), 1000 + 4000 * i, 53, 7);
	}
	plant(&r, point(longest, longest, longest, 128), 1e-2, 330, 7);
	plant_failure(&r, point(longest, "private", "", 128),
		"a reason that is long enough to be wrapped and has a "
		"wordthatislongerthanthelinecanholdsothatitmustbebrokensomewhereoritwouldstickout");
	char *text = verdict(&r); // checks every line
	says(text, longest);
	int intervals = 0, column = 0;
	for (const char *c = text; (c = strchr(c, '[')); c++) {
		const char *start = c;
		while (start > text && start[-1] != '\n')
			start--;
		assert_true(!column || c - start == column);
		column = (int)(c - start);
		intervals++;
	}
	assert_int_equal(intervals, 26);
	free(text);
	result_free(&r);
}

static void plant_instance(struct result *r, const char *kernel, double best)
{
	plant(r, point(kernel, "sequential", "", 1), 1000, 0, 15);
	plant(r, point(kernel, "private", "", 4), 3990, 53, 15);
	plant(r, point(kernel, "global-lock", "mcs", 4), 1000 * best, 53, 15);
	plant(r, point(kernel, "global-lock", "mutex", 4), 500 * best, 53, 15);
}

static void of_few_settings_the_best_lock_is_shown(void **state)
{
	(void)state;
	struct result r = {0};
	plant_histogram(&r);
	plant_instance(&r, "contention@cs=1,work=1,lines=1", 2);
	plant_instance(&r, "contention@cs=1,work=9,lines=1", 3);
	char *text = verdict(&r);
	says(text, "contention@cs=1,work=1,lines=1");
	says(text, "3.00x");
	says(text, "2.00x");
	says_not(text, "3.99x");
	says_not(text, "1.50x");
	says_not(text, "contention.tsv");
	free(text);
	result_free(&r);
}

static void of_many_settings_only_failures_are_shown(void **state)
{
	(void)state;
	struct result r = {0};
	char name[NAME_LEN];
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "contention@cs=%d,work=1,lines=1", i);
		plant_instance(&r, name, 2);
	}
	cores(&r, 4);
	char *text = verdict(&r);
	says_not(text, "contention@");
	says(text, "5 settings, see contention.tsv");
	says(text, "It depends on the setting");
	free(text);
	plant_failure(&r, point(name, "global-lock", "tas", 4), "7 updates were lost");
	text = verdict(&r);
	says(text, name);
	says(text, "7 updates were lost");
	says_not(text, "cs=0");
	free(text);
	result_free(&r);
}

static void colour_is_only_added(void **state)
{
	(void)state;
	struct result r = {0};
	plant_histogram(&r);
	char *plain = verdict(&r), *colour = verdict_at(&r, VERDICT_YES_AT, true);
	says(colour, "\033[32myes\033[0m");
	char *to = colour;
	for (const char *from = colour; *from; from++) {
		if (*from == '\033')
			from += strcspn(from, "m");
		else
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(colour, plain);
	free(plain);
	free(colour);
	result_free(&r);
}

static void nothing_measured_is_said(void **state)
{
	(void)state;
	struct result r = {0};
	char *text = verdict(&r);
	assert_string_equal(text, "Nothing was measured.\n");
	free(text);
}

/* The price of pointers. */

static void plant_pointers(struct result *r, double direct, double indirect)
{
	cores(r, 2);
	plant(r, point("counter", "sequential", "", 1), 1e9, 0, 9);
	plant(r, point("counter", "global-lock", "mcs", 2), 1e7, 100, 9);
	plant(r, point("counter", "global-lock", "tas", 1), direct, 0, 9);
	if (indirect > 0)
		plant(r, point("counter", "global-lock", "tas-indirect", 1), indirect, 0, 9);
}

static void what_pointers_cost_is_a_note_and_no_line(void **state)
{
	(void)state;
	struct result r = {0};
	plant_pointers(&r, 100e6, 80e6); /* 10 ns and 12.5 ns */
	char *text = verdict(&r);
	for (char *s = text; *s; s++)
		*s = *s == '\n' ? ' ' : *s;
	says(text, "indirect call: 2.50 ns per acquire and release [");
	says(text, "(tas through pointers against inlined)");
	assert_null(strstr(text, "tas-indirect"));
	assert_null(strstr(text, "global-lock/tas"));
	free(text);
	free(r.samples);
}

static void without_both_there_is_no_such_note(void **state)
{
	(void)state;
	struct result r = {0};
	plant_pointers(&r, 100e6, 0);
	char *text = verdict(&r);
	assert_null(strstr(text, "indirect call"));
	says(text, "global-lock/tas");
	free(text);
	plant_failure(&r, point("counter", "global-lock", "tas-indirect", 1), "crashed");
	text = verdict(&r);
	assert_null(strstr(text, "indirect call"));
	says(text, "FAILED");
	free(text);
	free(r.samples);
	free(r.failures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdict_answers_the_question),
		cmocka_unit_test(yes_depends_on_where_it_is_set),
		cmocka_unit_test(uncertain_speedup_is_no_yes),
		cmocka_unit_test(words_adapt_to_the_machine),
		cmocka_unit_test(one_core_admits_what_it_cannot_tell),
		cmocka_unit_test(racy_variant_that_lost_nothing_got_lucky),
		cmocka_unit_test(every_failure_is_named_with_its_reason),
		cmocka_unit_test(other_modes_and_disturbance_are_named),
		cmocka_unit_test(missing_baseline_shows_rates),
		cmocka_unit_test(layout_holds_with_25_locks_and_long_names),
		cmocka_unit_test(of_few_settings_the_best_lock_is_shown),
		cmocka_unit_test(of_many_settings_only_failures_are_shown),
		cmocka_unit_test(colour_is_only_added),
		cmocka_unit_test(nothing_measured_is_said),
		cmocka_unit_test(what_pointers_cost_is_a_note_and_no_line),
		cmocka_unit_test(without_both_there_is_no_such_note),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
