// SPDX-License-Identifier: BSD-2-Clause
// The tables of waiting, from planted result files: what comes out is known from what was put in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "waiting.h"

static char dir[64];
static char text[1 << 16]; // the file read last, or the output of a print

static char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_contention.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const names[] = {"benchmark.json", "latency.jsonl", "latency.tsv",
		"fairness.tsv", "handover.tsv", "counters.tsv"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static void put(const char *name, const char *content)
{
	FILE *f = fopen(path_of(name), "w");
	assert_non_null(f);
	fputs(content, f);
	assert_int_equal(fclose(f), 0);
}

static const char *get(const char *name)
{
	FILE *f = fopen(path_of(name), "r");
	assert_non_null(f);
	size_t size = fread(text, 1, sizeof text - 1, f);
	text[size] = '\0';
	fclose(f);
	return text;
}

static void assert_has(const char *in, const char *part)
{
	if (!strstr(in, part))
		fail_msg("no \"%s\" in:\n%s", part, in);
}

static void assert_starts(const char *in, const char *start)
{
	if (strncmp(in, start, strlen(start)) != 0)
		fail_msg("not at the start of:\n%s\n%s", in, start);
}

#define POINT(kernel, strategy, lock, threads)                                                     \
	"{\"kernel\":\"" kernel "\",\"strategy\":\"" strategy "\",\"lock\":\"" lock                \
	"\",\"placement\":\"compact\",\"threads\":" #threads ","

// Two workers of which the first did three times as much; 50 ns an increment, a line takes 80 ns.
static const char result[] =
	"{\"context\":{\"lockscale\":{\"locks\":{\"mcs\":{\"fifo\":true},\"tas\":{\"fifo\":false}}"
	"}},"
	"\"benchmarks\":[" POINT("counter", "sequential", "", 1) "\"ops_per_second\":1e9}," POINT(
		"counter", "global-lock", "mcs",
		2) "\"ops_per_second\":2e7,\"line_ns\":80,"
		   "\"worker_ops\":[300,100],\"ops_min\":100,\"ops_max\":300,\"cycles\":4000,"
		   "\"instructions\":2000,\"cache_misses\":800}," POINT("counter", "global-lock",
			   "tas",
			   2) "\"ops_per_second\":1e8,\"line_ns\":80,"
			      "\"worker_ops\":[1000,0],\"ops_min\":0,\"ops_max\":1000}," POINT(
				      "counter", "global-lock", "old",
				      2) "\"ops_per_second\":1e8,\"ops_min\":50,"
					 "\"ops_max\":100}," POINT("bank", "global-lock", "mcs",
						 2) "\"ops_per_second\":1e8,\"worker_ops\":[50,50]}"
						    "," POINT("counter", "global-lock", "bad",
							    2) "\"error_occurred\":true,"
							       "\"error_message\":\"hangs\"}]}";

static const char latency[] = POINT("counter", "global-lock", "mcs",
	2) "\"process\":0,\"sample\":0,\"count\":1000,"
	   "\"max\":5000,\"clock_ns\":20,\"line_ns\":80,\"disturbed\":false,"
	   "\"buckets\":[[30,900],[1023,99],[5119,1]]}\n" POINT("counter", "global-lock", "mcs",
		   2) "\"process\":1,\"sample\":0,\"count\":1000,"
		      "\"max\":900,\"clock_ns\":20,\"line_ns\":80,\"disturbed\":false,"
		      "\"buckets\":[[30,1000]]}\n" POINT("counter", "global-lock", "mcs",
			      2) "\"process\":2,\"sample\":0,\"count\":1000,"
				 "\"max\":700000,\"clock_ns\":20,\"line_ns\":80,\"disturbed\":true,"
				 "\"buckets\":[[30,1],[700415,999]]}\n" POINT("counter",
					 "global-lock", "bad",
					 2) "\"process\":0,\"sample\":0,\"count\":1,"
					    "\"max\":7,\"clock_ns\":20,\"line_ns\":80,"
					    "\"disturbed\":false,\"buckets\":[[7,1]]}\n";

static void load(struct result *r, struct table *t)
{
	struct error e;
	if (result_load(r, dir, &e) || table_init(t, r, &e))
		fail_msg("%s", e.text);
}

static void write_tables(void)
{
	struct result r;
	struct table t;
	struct error e;
	load(&r, &t);
	if (waiting_write(&t, &r, dir, &e))
		fail_msg("%s", e.text);
	table_fini(&t);
	result_free(&r);
}

static void an_unfair_lock_has_a_low_index(void **state)
{
	(void)state;
	put("benchmark.json", result);
	write_tables();
	const char *all = get("fairness.tsv");
	assert_starts(all, "kernel\tstrategy\tlock\tplacement\tthreads\tjain\t"
			   "fewest_over_most\tlongest_wait_ns\tshares\n");
	/* (3 + 1)^2 / (2 (3^2 + 1^2)); one has it all: 1/2 */
	assert_has(all, "counter\tglobal-lock\tmcs\tcompact\t2\t0.8\t0.333333\tNA\t0.75,0.25\n");
	assert_has(all, "counter\tglobal-lock\ttas\tcompact\t2\t0.5\t0\tNA\t1,0\n");
	assert_has(all, "bank\tglobal-lock\tmcs\tcompact\t2\t1\tNA\tNA\t0.5,0.5\n");
	/* results that do not say what each worker did */
	assert_has(all, "counter\tglobal-lock\told\tcompact\t2\tNA\t0.5\tNA\tNA\n");
	assert_null(strstr(all, "sequential"));
	assert_null(strstr(all, "bad"));
}

static void the_longest_wait_is_a_latency_sample_s(void **state)
{
	(void)state;
	put("benchmark.json", result);
	put("latency.jsonl", latency);
	write_tables();
	assert_has(get("fairness.tsv"), "\tmcs\tcompact\t2\t0.8\t0.333333\t5000\t0.75,0.25\n");
}

static void a_hand_over_is_compared_with_the_section_and_the_line_s_way(void **state)
{
	(void)state;
	put("benchmark.json", result);
	write_tables();
	const char *all = get("handover.tsv");
	assert_starts(all, "lock\tfifo\tplacement\tthreads\thandover_ns\tsection_ns\tline_ns"
			   "\tlimit_ns\tratio\n");
	assert_has(all, "\nmcs\t1\tcompact\t2\t50\t1\t40\t41\t1.21951\n");
	assert_has(all, "\ntas\t0\tcompact\t2\t10\t1\t40\t41\t0.243902\n");
	assert_has(all, "\nold\tNA\tcompact\t2\t10\t1\tNA\tNA\tNA\n");
	assert_null(strstr(all, "bad"));
}

static void what_the_hardware_counted_is_per_operation(void **state)
{
	(void)state;
	put("benchmark.json", result);
	write_tables();
	assert_string_equal(get("counters.tsv"),
		"kernel\tstrategy\tlock\tplacement\tthreads\tcycles_per_op\t"
		"instructions_per_op\tcache_misses_per_op\n"
		"counter\tglobal-lock\tmcs\tcompact\t2\t10\t5\t2\n");
}

static void without_such_samples_there_is_no_such_table(void **state)
{
	(void)state;
	put("benchmark.json",
		"{\"benchmarks\":[" POINT("k", "private", "", 2) "\"ops_per_second\":1}]}");
	write_tables();
	assert_int_not_equal(access(path_of("latency.tsv"), F_OK), 0);
	assert_int_not_equal(access(path_of("counters.tsv"), F_OK), 0);
}

static void histograms_of_a_point_are_merged_the_disturbed_one_left_out(void **state)
{
	(void)state;
	put("benchmark.json", result);
	put("latency.jsonl", latency);
	write_tables();
	assert_string_equal(get("latency.tsv"),
		"kernel\tstrategy\tlock\tplacement\tthreads\tacquisitions\tp50_ns\tp99_ns\t"
		"p999_ns\tmax_ns\tclock_ns\tline_ns\tdisturbed_samples\twhat\n"
		"counter\tglobal-lock\tmcs\tcompact\t2\t2000\t30\t1023\t1023\t5000\t20\t80\t1\t"
		"acquire\n");
}

static void latencies_are_merged_within_the_main_mode(void **state)
{
	(void)state;
	char lines[4096] = "";
	for (int i = 0; i < 5; i++) { /* three at 60 ns, two at 400 */
		char one[512];
		bool far = i > 2;
		snprintf(one, sizeof one,
			POINT("bank", "global-lock", "mcs",
				2) "\"process\":%d,\"sample\":0,"
				   "\"count\":10,\"max\":%d,\"clock_ns\":20,\"line_ns\":%d,"
				   "\"disturbed\":false,\"buckets\":[[%d,10]]}\n",
			i, far ? 500 : 50, far ? 400 : 60, far ? 503 : 50);
		strcat(lines, one);
	}
	put("benchmark.json", result);
	put("latency.jsonl", lines);
	write_tables();
	assert_has(get("latency.tsv"),
		"bank\tglobal-lock\tmcs\tcompact\t2\t30\t50\t50\t50\t50\t20\t60\t0\tacquire\n");
}

static void the_verdict_shows_the_counter_s_locks(void **state)
{
	(void)state;
	struct result r;
	struct table t;
	put("benchmark.json", result);
	put("latency.jsonl", latency);
	load(&r, &t);
	FILE *out = fmemopen(text, sizeof text, "w");
	assert_int_equal(waiting_print_latency(out, &t, &r, "compact"), 0);
	fclose(out);
	assert_has(text, "acquire latency: counter, 2 workers");
	assert_has(text, "global-lock/mcs");
	assert_has(text, "30 ns");
	assert_has(text, "5.0 us");
	assert_null(strstr(text, "bad"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100);
	out = fmemopen(text, sizeof text, "w");
	assert_int_equal(waiting_print_latency(out, &t, &r, "spread"), 0);
	assert_int_equal(ftell(out), 0);
	fclose(out);
	table_fini(&t);
	result_free(&r);
}

static void refused(const char *name, const char *content, const char *named)
{
	struct result r;
	struct error e;
	put("benchmark.json", result);
	put(name, content);
	assert_int_equal(result_load(&r, dir, &e), -EINVAL);
	assert_has(e.text, named);
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	refused("benchmark.json",
		"{\"benchmarks\":[" POINT("k", "private", "", 2) "\"ops_per_second\":1,"
								 "\"worker_ops\":[1]}]}",
		"worker_ops");
	refused("benchmark.json",
		"{\"benchmarks\":[" POINT("k", "private", "", 2) "\"ops_per_second\":1,"
								 "\"worker_ops\":[1,\"x\"]}]}",
		"worker_ops");
	refused("benchmark.json",
		"{\"context\":{\"lockscale\":{\"locks\":{\"mcs\":1}}},\"benchmarks\":[]}", "locks");
	refused("benchmark.json",
		"{\"context\":{\"lockscale\":{\"locks\":{\"mcs\":{\"fifo\":2}}}},"
		"\"benchmarks\":[]}",
		"fifo");
	refused("latency.jsonl", "{\n", "line 1");
	refused("latency.jsonl", POINT("k", "s", "l", 1) "\"count\":1,\"max\":1}\n", "buckets");
	refused("latency.jsonl",
		POINT("k", "s", "l", 1) "\"count\":2,\"max\":1,\"buckets\":[[1,1]]}\n", "buckets");
	refused("latency.jsonl",
		POINT("k", "s", "l", 1) "\"count\":1,\"max\":1,\"buckets\":[[1]]}\n", "buckets");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unfair_lock_has_a_low_index),
		TEST(the_longest_wait_is_a_latency_sample_s),
		TEST(a_hand_over_is_compared_with_the_section_and_the_line_s_way),
		TEST(what_the_hardware_counted_is_per_operation),
		TEST(without_such_samples_there_is_no_such_table),
		TEST(histograms_of_a_point_are_merged_the_disturbed_one_left_out),
		TEST(latencies_are_merged_within_the_main_mode),
		TEST(the_verdict_shows_the_counter_s_locks),
		TEST(what_is_wrong_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
