// SPDX-License-Identifier: BSD-2-Clause
// The loader: what it reads, what it fills in, and that nothing malformed gets through or crashes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "result.h"

// A directory of its own for every test.
struct place {
	char dir[64], file[96];
};

static int set_up(void **state)
{
	static struct place place;
	strcpy(place.dir, "/tmp/test_result.XXXXXX");
	if (!mkdtemp(place.dir))
		return -1;
	snprintf(place.file, sizeof place.file, "%s/benchmark.json", place.dir);
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	unlink(p->file);
	return rmdir(p->dir);
}

static void put(const struct place *p, const char *text, size_t size)
{
	FILE *f = fopen(p->file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static const char full[] =
	"{\"context\": {\"host_name\": \"google\", \"date\": \"2024-01-01T00:00:00\", "
	"\"lockscale\": {"
	"\"version\": \"1.0\", \"name\": \"run1\", \"host\": \"ours\", \"cpu\": \"Test\\tCPU\","
	"\"seed\": 7, \"window_ms\": 100, \"packages\": 2, \"numa_nodes\": 2, \"cores\": 8,"
	"\"pus\": 16, \"allowed_cores\": 4, \"allowed_pus\": 8,"
	"\"params\": {\"contention.cs\": \"30\", \"bank.theta\": \"0.99\"},"
	"\"boundaries\": {\"compact\": [{\"after\": 4, \"what\": \"package 2\"}], \"none\": []}}},"
	"\"benchmarks\": ["
	"{\"name\": \"a\", \"run_type\": \"iteration\", \"kernel\": \"counter\", \"strategy\":"
	"\"global-lock\", \"lock\": \"mcs\", \"placement\": \"compact\", \"threads\": 4.0, "
	"\"process\":"
	"2, \"sample\": 3, \"ops_per_second\": 5e6, \"start_skew_ns\": 80, \"disturbed\": true,"
	"\"line_ns\": 53.5, \"mode\": 1, \"lost_updates\": 9, \"ops_min\": 10, \"ops_max\": 20,"
	"\"unit\": \"increments\", \"seconds\": 0.1, \"foreign_ns\": 1, \"stolen_ns\": 2,"
	"\"involuntary_switches\": 3, \"voluntary_switches\": 4, \"page_faults\": 5,"
	"\"migrations\": 6, \"tries\": 2},"
	"{\"name\": \"b\", \"run_type\": \"iteration\", \"kernel\": \"counter\", \"strategy\":"
	"\"private\", \"lock\": null, \"placement\": \"compact\", \"threads\": 1, \"line_ns\": "
	"null,"
	"\"ops_per_second\": 7, \"disturbed\": 1},"
	"{\"name\": \"c\", \"run_type\": \"iteration\", \"kernel\": \"counter\", \"strategy\":"
	"\"lock-free\", \"lock\": \"\", \"placement\": \"compact\", \"threads\": 2,"
	"\"error_occurred\": true, \"error_message\": \"check failed\\nbadly\"},"
	"{\"name\": \"a_mean\", \"run_type\": \"aggregate\", \"ops_per_second\": \"ignored\"}]}";

static void every_field_is_read(void **state)
{
	struct place *p = *state;
	struct result r;
	struct error e;
	put(p, full, sizeof full - 1);
	assert_int_equal(result_load(&r, p->dir, &e), 0);
	assert_int_equal(r.sample_count, 2);
	const struct sample *s = r.samples;
	assert_string_equal(s->point.lock, "mcs");
	assert_int_equal(s->point.threads, 4);
	assert_true(s->process == 2 && s->sample == 3 && s->disturbed && s->mode == 1);
	assert_true(s->ops_per_second == 5e6 && s->start_skew_ns == 80 && s->line_ns == 53.5);
	assert_true(s->lost_updates == 9 && s->ops_min == 10 && s->ops_max == 20);
	assert_true(s->seconds == 0.1 && s->foreign_ns == 1 && s->stolen_ns == 2 && s->tries == 2);
	assert_true(s->involuntary_switches == 3 && s->voluntary_switches == 4);
	assert_true(s->page_faults == 5 && s->migrations == 6);
	assert_true(s[1].disturbed && s[1].line_ns == 0 && s[1].tries == 1);
	assert_string_equal(s[1].point.lock, "");
	assert_int_equal(r.failure_count, 1);
	assert_string_equal(r.failures[0].why, "check failed badly");
	assert_string_equal(r.host, "ours");
	assert_string_equal(r.cpu, "Test CPU");
	assert_true(r.packages == 2 && r.cores == 8 && r.pus == 16 && r.allowed_cores == 4);
	assert_true(r.seed == 7 && r.window_ms == 100 && r.boundary_count == 1);
	assert_string_equal(r.boundaries[0].what, "package 2");
	assert_string_equal(result_unit(&r, "counter"), "increments");
	assert_string_equal(result_unit(&r, "queue"), "operations");
	assert_string_equal(result_param(&r, "contention.cs"), "30");
	assert_string_equal(result_param(&r, "bank.theta"), "0.99");
	assert_null(result_param(&r, "contention"));
	result_free(&r);
}

static void file_and_directory_read_the_same(void **state)
{
	struct place *p = *state;
	struct result r;
	struct error e;
	put(p, full, sizeof full - 1);
	assert_int_equal(result_load(&r, p->file, &e), 0);
	assert_int_equal(r.sample_count, 2);
	result_free(&r);
}

#define POINT "\"kernel\": \"k\", \"strategy\": \"private\", \"placement\": \"compact\", "
#define MEASURE "\"ops_per_second\": 1"

static void missing_context_is_filled_from_the_samples(void **state)
{
	struct place *p = *state;
	struct result r;
	struct error e;
	const char text[] = "{\"benchmarks\": [{" POINT "\"threads\": 6, " MEASURE "}]}";
	put(p, text, sizeof text - 1);
	assert_int_equal(result_load(&r, p->dir, &e), 0);
	assert_true(r.cores == 6 && r.allowed_cores == 6 && r.pus == 6 && r.allowed_pus == 6);
	assert_true(r.packages == 1 && r.numa_nodes == 1);
	assert_string_equal(r.name, strrchr(p->dir, '/') + 1);
	result_free(&r);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{"", "benchmark.json:1:"},
		{"[]", "not an object"},
		{"{}", "\"benchmarks\" is missing"},
		{"{\"benchmarks\": {}}", "\"benchmarks\" is not a list"},
		{"{\"context\": 3, \"benchmarks\": []}", "\"context\" is not an object"},
		{"{\"context\": {\"lockscale\": []}, \"benchmarks\": []}", "\"lockscale\""},
		{"{\"context\": {\"lockscale\": {\"cores\": \"4\"}}, \"benchmarks\": []}",
			"context.lockscale: field \"cores\" is not a number"},
		{"{\"context\": {\"lockscale\": {\"boundaries\": 3}}, \"benchmarks\": []}",
			"\"boundaries\" is not an object"},
		{"{\"context\": {\"lockscale\": {\"boundaries\": {\"a\": 3}}}, \"benchmarks\": []}",
			"other than lists"},
		{"{\"context\": {\"lockscale\": {\"boundaries\": {\"a\": [3]}}}, \"benchmarks\": "
		 "[]}",
			"boundaries.a[0] is not an object"},
		{"{\"benchmarks\": [7]}", "benchmarks[0] is not an object"},
		{"{\"benchmarks\": [{\"name\": \"BM_x\"}]}",
			"benchmarks[0] (BM_x): field \"kernel\" is missing"},
		{"{\"benchmarks\": [{" POINT MEASURE "}]}", "\"threads\" is missing"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 0, " MEASURE "}]}", "\"threads\" is 0"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1.5, " MEASURE "}]}", "\"threads\""},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1e99, " MEASURE "}]}", "\"threads\""},
		{"{\"benchmarks\": [{" POINT "\"threads\": -1, " MEASURE "}]}", "\"threads\""},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1}]}", "\"ops_per_second\" is missing"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"ops_per_second\": \"x\"}]}",
			"\"ops_per_second\" is not a number"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"ops_per_second\": -1}]}",
			"\"ops_per_second\" is negative"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"ops_per_second\": NaN}]}", ":1:"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"disturbed\": \"no\", " MEASURE
		 "}]}",
			"\"disturbed\" is neither true nor false"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"lost_updates\": \"3\", " MEASURE
		 "}]}",
			"\"lost_updates\" is not a number"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"lock\": 3, " MEASURE "}]}",
			"\"lock\" is not a string"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"lock\": \"../x\", " MEASURE "}]}",
			"\"lock\" has a blank, a slash"},
		{"{\"benchmarks\": [{" POINT "\"threads\": 1, \"error_occurred\": 5}]}",
			"\"error_occurred\""},
		{"{\"benchmarks\": [{\"run_type\": 1}]}", "\"run_type\" is not a string"},
		{"{\"benchmarks\": [{\"kernel\": \"" /* 50 characters */
		 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\"}]}",
			"\"kernel\" is too long"},
	};
	struct place *p = *state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct result r;
		struct error e = {""};
		put(p, wrong[i].text, strlen(wrong[i].text));
		assert_true(result_load(&r, p->dir, &e) < 0);
		if (!strstr(e.text, wrong[i].says))
			fail_msg("\"%s\" does not say \"%s\"", e.text, wrong[i].says);
		assert_non_null(strstr(e.text, "benchmark.json"));
		assert_null(r.samples);
	}
}

static void truncated_file_is_refused_wherever_it_ends(void **state)
{
	struct place *p = *state;
	for (size_t size = 0; size < sizeof full - 1; size += 7) {
		struct result r;
		struct error e;
		put(p, full, size);
		assert_int_equal(result_load(&r, p->dir, &e), -EINVAL);
	}
}

// One byte replaced anywhere gives a result or a message, and nothing the sanitizers object to.
static void damaged_file_never_crashes(void **state)
{
	struct place *p = *state;
	static const char damage[] = "\"{}[],:0-9e.x\\ \xff";
	char text[sizeof full];
	for (size_t at = 0; at < sizeof full - 1; at++) {
		struct result r;
		struct error e = {""};
		memcpy(text, full, sizeof full);
		text[at] = damage[at % (sizeof damage - 1)];
		put(p, text, sizeof full - 1);
		if (result_load(&r, p->dir, &e))
			assert_true(*e.text);
		else
			result_free(&r);
	}
}

static void long_texts_are_cut_between_characters(void **state)
{
	struct place *p = *state;
	char text[1024] = "{\"context\": {\"host_name\": \"x";
	for (int i = 0; i < 60; i++)
		strcat(text, "\xc3\xa9"); // 121 bytes for host[64]
	strcat(text, "\"}, \"benchmarks\": []}");
	put(p, text, strlen(text));
	struct result r;
	struct error e;
	assert_int_equal(result_load(&r, p->dir, &e), 0);
	assert_int_equal(strlen(r.host), 63);
	result_free(&r);
	memmove(strstr(text, "\"x") + 1, strstr(text, "\"x") + 2,
		strlen(strstr(text, "\"x") + 2) + 1);
	put(p, text, strlen(text));
	assert_int_equal(result_load(&r, p->dir, &e), 0);
	assert_int_equal(strlen(r.host), 62);
	result_free(&r);
}

static void what_is_no_result_is_refused_by_name(void **state)
{
	struct place *p = *state;
	struct result r;
	struct error e;
	assert_int_equal(result_load(&r, p->dir, &e), -ENOENT);
	assert_non_null(strstr(e.text, p->dir));
	assert_non_null(strstr(e.text, "journal.jsonl"));
	assert_int_equal(result_load(&r, "/nonexistent/result", &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nonexistent/result"));
}

// A journal that cannot be read shows whether it was asked.
static void journal_counts_only_where_it_is_newer(void **state)
{
	struct place *p = *state;
	struct result r;
	struct error e;
	char journal[96];
	const struct timespec old[] = {{1000, 5}, {1000, 5}}, new[] = {{1000, 6}, {1000, 6}};
	snprintf(journal, sizeof journal, "%s/journal.jsonl", p->dir);
	put(p, full, sizeof full - 1);
	FILE *f = fopen(journal, "w");
	assert_true(f && fputs("no journal\n", f) >= 0 && !fclose(f));
	assert_int_equal(utimensat(AT_FDCWD, journal, old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, p->file, new, 0), 0);
	assert_int_equal(result_load(&r, p->dir, &e), 0);
	result_free(&r);
	assert_int_equal(utimensat(AT_FDCWD, journal, new, 0), 0); // written together
	assert_int_equal(result_load(&r, p->dir, &e), 0);
	result_free(&r);
	assert_int_equal(utimensat(AT_FDCWD, p->file, old, 0), 0);
	assert_true(result_load(&r, p->dir, &e) < 0);
	assert_int_equal(result_load(&r, p->file, &e), 0); // read as such
	result_free(&r);
	unlink(journal);
}

static void points_are_named_and_ordered(void **state)
{
	(void)state;
	struct point a = {"counter", "global-lock", "mcs", "compact", 2}, b = a;
	char name[256];
	assert_string_equal(point_name(&a, name, sizeof name),
		"counter/global-lock/mcs/placement:compact/threads:2");
	assert_true(same_point(&a, &b) && same_variant(&a, &b));
	b.threads = 10;
	assert_true(point_compare(&a, &b) < 0 && point_compare(&b, &a) > 0);
	assert_true(same_variant(&a, &b) && !same_point(&a, &b));
	*b.lock = '\0';
	assert_string_equal(variant_name(&b, name, sizeof name), "counter/global-lock");
	assert_false(same_variant(&a, &b));
	assert_true(point_compare(&b, &a) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_field_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			file_and_directory_read_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			missing_context_is_filled_from_the_samples, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			truncated_file_is_refused_wherever_it_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_file_never_crashes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			long_texts_are_cut_between_characters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_result_is_refused_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			journal_counts_only_where_it_is_newer, set_up, tear_down),
		cmocka_unit_test(points_are_named_and_ordered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
