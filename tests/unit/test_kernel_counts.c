// SPDX-License-Identifier: BSD-2-Clause
// What kernels count, from planted result files to tables and words.
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

#include "counts_table.h"
#include "verdict.h"
#include "waiting.h"

static char dir[64];
static char text[1 << 14]; // the file read last

static char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_kernel_counts.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const names[] = {
		"benchmark.json", "counts.tsv", "latency.tsv", "fairness.tsv", "handover.tsv"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static void put(const char *content)
{
	FILE *f = fopen(path_of("benchmark.json"), "w");
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

#define SAMPLE(kernel, strategy, threads, process, rest)                                           \
	"{\"kernel\":\"" kernel "\",\"strategy\":\"" strategy "\",\"placement\":\"compact\","      \
	"\"threads\":" #threads ",\"process\":" #process ",\"ops_per_second\":1000," rest "}"

// Three samples of half a second and 500 iterations; a disturbed fourth one says nothing.
#define GIL(process, more, releases, asleep)                                                       \
	SAMPLE("python", "gil-2", 2, process,                                                      \
		"\"seconds\":0.5,\"worker_ops\":[250,250],\"unit\":\"iterations\"," more           \
		"\"counts\":{\"releases\":" #releases ",\"failed-acquires\":0},"                   \
		"\"levels\":{\"sleepers\":" #asleep "},\"voluntary_switches\":5")

static const char counted[] = "{\"benchmarks\":[" SAMPLE("python", "sequential", 1, 0,
	"\"seconds\":0.5,\"worker_ops\":[500],\"unit\":\"iterations\"") "," //
	GIL(0, "", 15, 3) "," GIL(1, "", 10, 2) "," GIL(2, "", 20, 4) "," GIL(
		3, "\"disturbed\":true,", 900, 90) "]}";

static void load(struct result *r, struct table *t)
{
	struct error e;
	if (result_load(r, dir, &e) || table_init(t, r, &e))
		fail_msg("%s", e.text);
}

static void counts_are_medians_per_second_and_per_operation(void **state)
{
	(void)state;
	struct result r;
	struct table t;
	struct error e;
	put(counted);
	load(&r, &t);
	assert_int_equal(counts_write(&t, dir, &e), 0);
	assert_string_equal(get("counts.tsv"),
		"kernel\tstrategy\tlock\tplacement\tthreads\tcount\tvalue\tper_operation\tsamples\n"
		"python\tgil-2\t-\tcompact\t2\treleases\t30\t0.03\t3\n"
		"python\tgil-2\t-\tcompact\t2\tfailed-acquires\t0\t0\t3\n"
		"python\tgil-2\t-\tcompact\t2\tsleepers\t3\t-\t3\n"
		"python\tgil-2\t-\tcompact\t2\tvoluntary-switches\t10\t0.01\t3\n"
		"python\tgil-2\t-\tcompact\t2\tinvoluntary-switches\t0\t0\t3\n");
	table_fini(&t);
	result_free(&r);
}

static void the_verdict_names_the_counts_that_explain_it(void **state)
{
	(void)state;
	struct result r;
	struct table t;
	put(counted);
	load(&r, &t);
	FILE *out = fmemopen(text, sizeof text, "w");
	assert_int_equal(verdict_print(out, &r, &t, VERDICT_YES_AT, false), 0);
	fclose(out);
	assert_has(text, "\n  gil-2 at 2 workers: 0.030 releases, 0.010 voluntary switches "
			 "per iteration; 3.0 sleepers\n");
	assert_null(strstr(text, "sequential at"));
	assert_null(strstr(text, "failed acquires"));
	table_fini(&t);
	result_free(&r);
}

static void what_is_rare_is_told_per_million(void **state)
{
	(void)state;
	struct table_count counts[] = {
		{"releases", false, 0, 2.5e-6, 0},
		{"switches", false, 0, 2.4e-6, 0},
		{"voluntary-switches", false, 0, 1e-13, 0},
	};
	struct row row = {.point.threads = 2, .counts = counts, .count_count = 3};
	char sentence[256];
	assert_string_equal(counts_sentence(&row, "gil-3", "iterations", sentence, sizeof sentence),
		"gil-3 at 2 workers: 2.5 releases, 2.4 switches per million iterations");
	counts[0].per_operation = 0.03;
	assert_string_equal(counts_sentence(&row, "gil-2", "iterations", sentence, sizeof sentence),
		"gil-2 at 2 workers: 0.030 releases per iteration");
}

static void where_nothing_is_counted_there_is_no_table(void **state)
{
	(void)state;
	struct result r;
	struct table t;
	struct error e;
	put("{\"benchmarks\":[" SAMPLE("k", "private", 2, 0, "\"voluntary_switches\":7") "]}");
	load(&r, &t);
	assert_int_equal(counts_write(&t, dir, &e), 0);
	assert_int_not_equal(access(path_of("counts.tsv"), F_OK), 0);
	table_fini(&t);
	result_free(&r);
}

#define TIMES(p50, p99, p999, max)                                                                 \
	"\"seconds\":1,\"worker_ops\":[100],\"levels\":{\"p50_ns\":" #p50 ",\"p99_ns\":" #p99      \
	",\"p999_ns\":" #p999 ",\"max_ns\":" #max "}"

static void percentiles_of_requests_are_rows_of_the_latency_table(void **state)
{
	(void)state;
	struct result r;
	struct table t;
	struct error e;
	put("{\"benchmarks\":[" SAMPLE(
		"server", "gil-3", 1, 0, TIMES(5200000, 6e6, 7e6, 9e6)) ","        //
		SAMPLE("server", "gil-3", 1, 1, TIMES(5100000, 6e6, 7e6, 8e6)) "," //
		SAMPLE("server", "gil-3", 1, 2, TIMES(5300000, 6e6, 7e6, 7e6)) "," //
		SAMPLE("server", "gil-2", 1, 0, "\"levels\":{\"p50_ns\":7}") "]}");
	load(&r, &t);
	assert_int_equal(waiting_write(&t, &r, dir, &e), 0);
	assert_string_equal(get("latency.tsv"),
		"kernel\tstrategy\tlock\tplacement\tthreads\tacquisitions\tp50_ns\tp99_ns\t"
		"p999_ns\tmax_ns\tclock_ns\tline_ns\tdisturbed_samples\twhat\n"
		"server\tgil-3\t-\tcompact\t1\t300\t5200000\t6000000\t7000000\t9000000\tNA\t0\t0\t"
		"request\n");
	FILE *out = fmemopen(text, sizeof text, "w");
	assert_int_equal(waiting_print_latency(out, &t, &r, "compact"), 0);
	fclose(out);
	assert_has(text, "\nrequest latency: server, 1 worker (all: latency.tsv)\n");
	assert_has(text, "5.2 ms");
	assert_null(strstr(text, "clock"));
	table_fini(&t);
	result_free(&r);
}

static void refused(const char *counts, const char *why)
{
	struct result r;
	struct error e;
	char file[1024];
	snprintf(file, sizeof file,
		"{\"benchmarks\":[{\"kernel\":\"k\",\"strategy\":\"s\",\"placement\":\"compact\","
		"\"threads\":1,\"ops_per_second\":1,%s}]}",
		counts);
	put(file);
	assert_int_equal(result_load(&r, dir, &e), -EINVAL);
	assert_has(e.text, why);
}

static void wrong_counts_are_refused_by_name(void **state)
{
	(void)state;
	refused("\"counts\":[1]", "\"counts\" is not an object");
	refused("\"levels\":{\"a\":1,\"b\":\"x\"}",
		"\"levels\" holds something other than numbers");
	refused("\"counts\":{\"a\":-1}", "numbers from 0");
	refused("\"counts\":{\"a b\":1}", "impossible name");
	refused("\"counts\":{\"\":1}", "impossible name");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_are_medians_per_second_and_per_operation),
		TEST(the_verdict_names_the_counts_that_explain_it),
		TEST(what_is_rare_is_told_per_million),
		TEST(where_nothing_is_counted_there_is_no_table),
		TEST(percentiles_of_requests_are_rows_of_the_latency_table),
		TEST(wrong_counts_are_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
