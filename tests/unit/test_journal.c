// SPDX-License-Identifier: BSD-2-Clause
// The journal loses no finished sample, whatever happens to the process or the disk; and what is
// written from it is Google Benchmark's JSON with our fields in every entry.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "google.h"
#include "journal.h"
#include "result.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

// cmocka compares numbers as float, which is too coarse.
#define assert_near(value, expected, within) assert_true(fabs((value) - (expected)) <= (within))

// A directory of its own for every test.
struct place {
	char dir[64], journal[96], result[96];
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	if (!p)
		return -1;
	strcpy(p->dir, "/tmp/test_journal.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->journal, sizeof p->journal, "%s/journal.jsonl", p->dir);
	snprintf(p->result, sizeof p->result, "%s/benchmark.json", p->dir);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	unlink(p->journal);
	unlink(p->result);
	int rc = rmdir(p->dir); /* fails, and so the test, where anything else was left behind */
	free(p);
	return rc;
}

static char *contents(const char *path)
{
	static char text[1 << 16];
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t size = fread(text, 1, sizeof text - 1, f);
	text[size] = '\0';
	fclose(f);
	return text;
}

static void put(const char *path, const char *mode, const char *text)
{
	FILE *f = fopen(path, mode);
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static off_t size_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static json_t *a_header(void)
{
	return json_pack("{s:s, s:{s:s, s:s, s:i}, s:{}}", "type", "run", "context", "host", "ours",
		"date", "2024-02-29T12:00:00+0000", "pus", 96, "plan");
}

static json_t *a_sample(const char *kernel, const char *strategy, const char *lock, int threads,
	int process, int sample, double rate, double line_ns)
{
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:b, s:f, s:i, s:f, s:f, "
		"s:f, s:f, s:i}",
		"type", "sample", "kernel", kernel, "strategy", strategy, "lock", lock, "placement",
		"compact", "threads", threads, "process", process, "sample", sample,
		"ops_per_second", rate, "start_skew_ns", 100.0 + sample, "disturbed", 0, "line_ns",
		line_ns, "lost_updates", 0, "ops_min", rate / 20, "ops_max", rate / 10, "seconds",
		0.1, "cpu_seconds", 0.1 * threads, "tries", 1);
}

static json_t *a_failure(const char *kernel, const char *strategy, const char *lock, int threads)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "type", "failure", "kernel", kernel,
		"strategy", strategy, "lock", lock, "placement", "compact", "threads", threads,
		"why", "5 updates were lost");
}

static void create(struct journal *j, const struct place *p)
{
	struct error e;
	json_t *header = a_header();
	if (journal_create(j, p->dir, header, &e) != 0)
		fail_msg("%s", e.text);
	json_decref(header);
}

static void append(struct journal *j, json_t *line)
{
	struct error e;
	if (journal_append(j, line, &e) != 0)
		fail_msg("%s", e.text);
	json_decref(line);
}

static void read_back(struct journal_content *c, const struct place *p)
{
	struct error e;
	if (journal_read(c, p->dir, &e) != 0)
		fail_msg("%s", e.text);
}

static void append_samples(struct journal *j, int count)
{
	for (int i = 0; i < count; i++)
		append(j, a_sample("counter", "lock-free", "", 2, i / 5, i % 5, 1e6 + i, 53));
}

static void what_was_appended_is_read_back_in_order(void **state)
{
	struct place *p = *state;
	struct journal j;
	struct journal_content c;
	create(&j, p);
	append_samples(&j, 12);
	append(&j, a_failure("counter", "global-lock", "mcs", 2));
	append(&j, json_pack("{s:s, s:i}", "type", "resume", "time", 1));
	journal_close(&j);
	read_back(&c, p);
	json_t *header = a_header();
	assert_true(json_equal(c.header, header));
	json_decref(header);
	assert_int_equal(json_array_size(c.samples), 12);
	assert_int_equal(json_array_size(c.failures), 1);
	assert_int_equal(c.damaged, 0);
	for (int i = 0; i < 12; i++) {
		json_t *sample = a_sample("counter", "lock-free", "", 2, i / 5, i % 5, 1e6 + i, 53);
		assert_true(json_equal(json_array_get(c.samples, (size_t)i), sample));
		json_decref(sample);
	}
	journal_content_free(&c);
}

static void notes_are_kept_and_reach_the_context(void **state)
{
	struct place *p = *state;
	struct journal j;
	struct journal_content c;
	struct error e;
	create(&j, p);
	append(&j, json_pack("{s:s, s:s, s:i, s:s}", "type", "note", "kernel", "k@x=1", "process",
			   2, "text", "calibration: fast"));
	append(&j, json_pack("{s:s, s:s}", "type", "note", "text", "of nothing"));
	append_samples(&j, 1);
	journal_close(&j);
	read_back(&c, p);
	assert_int_equal(json_array_size(c.notes), 1);
	assert_int_equal(c.damaged, 1);
	journal_content_free(&c);
	assert_int_equal(journal_to_result_file(p->dir, &e), 0);
	json_t *result = json_load_file(p->result, 0, NULL);
	json_t *ours = json_object_get(json_object_get(result, "context"), "lockscale");
	json_t *note = json_array_get(json_object_get(ours, "notes"), 0);
	assert_string_equal(json_string_value(json_object_get(note, "kernel")), "k@x=1");
	assert_int_equal(json_integer_value(json_object_get(note, "process")), 2);
	assert_string_equal(json_string_value(json_object_get(note, "text")), "calibration: fast");
	json_decref(result);
}

static void an_existing_journal_is_never_started_anew(void **state)
{
	struct place *p = *state;
	struct journal j, again;
	struct error e;
	create(&j, p);
	append_samples(&j, 1);
	journal_close(&j);
	off_t before = size_of(p->journal);
	json_t *header = a_header();
	assert_int_equal(journal_create(&again, p->dir, header, &e), -EEXIST);
	json_decref(header);
	assert_non_null(strstr(e.text, p->journal));
	assert_int_equal(size_of(p->journal), before);
}

// At each byte at which a crash may have cut the last line.
static void a_truncated_last_line_is_dropped_wherever_it_was_cut(void **state)
{
	struct place *p = *state;
	struct journal j;
	struct journal_content c;
	struct error e;
	create(&j, p);
	append_samples(&j, 2);
	off_t whole = size_of(p->journal);
	append_samples(&j, 1);
	journal_close(&j);
	off_t end = size_of(p->journal);
	char *saved = strdup(contents(p->journal));
	for (off_t cut = whole + 1; cut < end; cut++) {
		put(p->journal, "w", saved);
		assert_int_equal(truncate(p->journal, cut), 0);
		read_back(&c, p);
		assert_int_equal(json_array_size(c.samples), 2);
		assert_int_equal(c.damaged, 1);
		assert_int_equal(c.first_damaged, 4);
		journal_content_free(&c);
	}
	assert_int_equal(journal_open(&j, p->dir, &e), 0);
	assert_int_equal(size_of(p->journal), whole);
	append(&j, a_sample("bank", "lock-free", "", 2, 0, 0, 7e6, 53));
	journal_close(&j);
	read_back(&c, p);
	assert_int_equal(c.damaged, 0);
	assert_int_equal(json_array_size(c.samples), 3);
	const json_t *last = json_array_get(c.samples, 2);
	assert_string_equal(json_string_value(json_object_get(last, "kernel")), "bank");
	journal_content_free(&c);
	free(saved);
}

static void a_damaged_line_is_skipped_counted_and_named(void **state)
{
	static const char *const damaged[] = {"\n", "rubbish\n", "{\"type\":\"sample\"}\n",
		"{\"type\":\"sample\",\"kernel\":\"counter\",\"strat\n", "[1, 2, 3]\n", "null\n",
		"{\"type\":\"surprise\"}\n", "{\"type\":5}\n", "\xff\xfe\n",
		"{\"type\":\"failure\",\"kernel\":\"counter\"}\n",
		/* a sample whose rate is no rate */
		"{\"type\":\"sample\",\"kernel\":\"counter\",\"strategy\":\"private\",\"lock\":"
		"\"\","
		"\"placement\":\"compact\",\"threads\":1,\"process\":0,\"sample\":0,"
		"\"ops_per_second\":0,\"lost_updates\":0}\n"};
	struct place *p = *state;
	for (size_t i = 0; i < COUNT(damaged); i++) {
		struct journal j;
		struct journal_content c;
		struct error e;
		create(&j, p);
		append_samples(&j, 2);
		journal_close(&j);
		put(p->journal, "a", damaged[i]);
		assert_int_equal(journal_open(&j, p->dir, &e), 0);
		append_samples(&j, 3);
		journal_close(&j);
		put(p->journal, "a", "more rubbish\n");
		read_back(&c, p);
		assert_int_equal(json_array_size(c.samples), 5);
		assert_int_equal(c.damaged, 2);
		assert_int_equal(c.first_damaged, 4);
		journal_content_free(&c);
		unlink(p->journal);
	}
}

static void without_a_header_there_is_a_message_and_no_content(void **state)
{
	static const char *const text[] = {
		"", "\n", "rubbish\n", "{\"type\":\"resume\"}\n", "{\"type\":\"run\"" /* cut */};
	struct place *p = *state;
	struct journal_content c;
	struct error e;
	for (size_t i = 0; i < COUNT(text); i++) {
		put(p->journal, "w", text[i]);
		assert_int_equal(journal_read(&c, p->dir, &e), -EINVAL);
		assert_non_null(strstr(e.text, p->journal));
		assert_non_null(strstr(e.text, "start a new run"));
		assert_int_equal(journal_to_result_file(p->dir, &e), -EINVAL);
		assert_int_equal(access(p->result, F_OK), -1);
	}
	unlink(p->journal);
	assert_int_equal(journal_read(&c, p->dir, &e), -ENOENT);
	assert_non_null(strstr(e.text, p->journal));
	struct journal j;
	assert_int_equal(journal_open(&j, p->dir, &e), -ENOENT);
}

/* A full disk: a limit on the size of files here, which gives EFBIG where a disk gives ENOSPC. */

static void limit_files(rlim_t size)
{
	struct rlimit limit = {size, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void when_no_more_fits_the_lines_before_stay_whole(void **state)
{
	struct place *p = *state;
	struct journal j;
	struct journal_content c;
	struct error e = {0};
	create(&j, p);
	append_samples(&j, 3);
	off_t before = size_of(p->journal);
	json_t *line = a_sample("bank", "private", "", 2, 0, 0, 9e6, 53);
	/* Wherever in the line the disk is full, from its first byte to its last. */
	size_t line_size = json_dumpb(line, NULL, 0, JSON_COMPACT | JSON_REAL_PRECISION(12)) + 1;
	for (size_t room = 0; room < line_size; room += 23) {
		limit_files((rlim_t)before + room);
		*e.text = '\0';
		int rc = journal_append(&j, line, &e);
		limit_files(RLIM_INFINITY);
		assert_int_equal(rc, -EFBIG);
		assert_non_null(strstr(e.text, p->journal));
		assert_int_equal(size_of(p->journal), before);
	}
	assert_int_equal(journal_append(&j, line, &e), 0);
	json_decref(line);
	journal_close(&j);
	read_back(&c, p);
	assert_int_equal(json_array_size(c.samples), 4);
	assert_int_equal(c.damaged, 0);
	journal_content_free(&c);
}

static void a_journal_that_cannot_be_started_leaves_no_file(void **state)
{
	struct place *p = *state;
	struct journal j;
	struct error e = {0};
	json_t *header = a_header();
	limit_files(10);
	int rc = journal_create(&j, p->dir, header, &e);
	limit_files(RLIM_INFINITY);
	json_decref(header);
	assert_int_equal(rc, -EFBIG);
	assert_int_equal(access(p->journal, F_OK), -1);
}

static void a_full_disk_says_free_space_and_resume(void **state)
{
	struct place *p = *state;
	if (geteuid() != 0 || mount("none", p->dir, "tmpfs", 0, "size=16k") < 0) {
		print_message("needs root and the right to mount\n");
		skip();
	}
	struct journal j;
	struct journal_content c;
	struct error e = {0};
	int rc = 0, written = 0;
	create(&j, p);
	for (int i = 0; i < 200 && !rc; i++) {
		json_t *line = a_sample("counter", "private", "", 2, 0, i, 1e6, 53);
		rc = journal_append(&j, line, &e);
		written += rc == 0;
		json_decref(line);
	}
	/* A result that does not fit must leave the old one; both are here while it is written. */
	put(p->result, "w", "");
	struct error e2 = {0};
	int rc2 = journal_to_result_file(p->dir, &e2);
	off_t result_size = size_of(p->result);
	read_back(&c, p);
	size_t samples = json_array_size(c.samples);
	unsigned damaged = c.damaged;
	journal_content_free(&c);
	journal_close(&j);
	umount(p->dir);
	assert_int_equal(rc, -ENOSPC);
	assert_non_null(strstr(e.text, "free some space"));
	assert_non_null(strstr(e.text, "--resume"));
	assert_true(written > 5);
	assert_int_equal(samples, written);
	assert_int_equal(damaged, 0);
	assert_int_equal(rc2, -ENOSPC);
	assert_int_equal(result_size, 0);
}

static void a_file_is_replaced_whole_or_not_at_all(void **state)
{
	struct place *p = *state;
	struct error e = {0};
	char large[5000];
	memset(large, 'x', sizeof large);
	assert_int_equal(write_file_atomically(p->result, "old", 3, &e), 0);
	limit_files(4096);
	int rc = write_file_atomically(p->result, large, sizeof large, &e);
	limit_files(RLIM_INFINITY);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(e.text, p->result));
	assert_string_equal(contents(p->result), "old");
	assert_int_equal(write_file_atomically(p->result, large, sizeof large, &e), 0);
	assert_int_equal(size_of(p->result), sizeof large);
	char elsewhere[128];
	snprintf(elsewhere, sizeof elsewhere, "%s/no/such", p->dir);
	assert_int_equal(write_file_atomically(elsewhere, "x", 1, &e), -ENOENT);
}

/* The result file. */

static json_t *result_of(const struct place *p)
{
	struct error e;
	json_error_t where;
	if (journal_to_result_file(p->dir, &e) != 0)
		fail_msg("%s", e.text);
	json_t *result = json_load_file(p->result, 0, &where);
	if (!result)
		fail_msg("%s:%d: %s", p->result, where.line, where.text);
	return result;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

static double number_of(const json_t *o, const char *key)
{
	if (!json_is_number(json_object_get(o, key)))
		fail_msg("%s: %s is no number", text_of(o, "name"), key);
	return json_number_value(json_object_get(o, key));
}

// Five samples; two samples; three samples and a failure, as when the check fails late; one sample
// and a failure; and a failure alone.
static void write_example(const struct place *p)
{
	struct journal j;
	create(&j, p);
	for (int i = 0; i < 5; i++)
		append(&j, a_sample("counter", "global-lock", "mcs", 2, i / 3, i % 3, (i + 1) * 1e6,
				   53));
	for (int i = 0; i < 2; i++)
		append(&j, a_sample("counter", "private", "", 4, i, 0, 4e6, 60));
	append(&j, a_sample("bank", "lock-free", "", 2, 0, 0, 5e6, 55));
	append(&j, a_failure("bank", "lock-free", "", 2));
	for (int i = 0; i < 3; i++)
		append(&j, a_sample("bank", "global-lock", "tas", 2, 0, i, 2e6, 55));
	append(&j, a_failure("bank", "global-lock", "tas", 2));
	append(&j, a_failure("bank", "fine-lock", "ttas", 2));
	journal_close(&j);
}

static const char *const contract[] = {"kernel", "strategy", "lock", "placement", "threads",
	"process", "sample", "ops_per_second", "start_skew_ns", "disturbed", "line_ns", "mode",
	"lost_updates", "ops_min", "ops_max"};

static void every_entry_has_every_field(void **state)
{
	struct place *p = *state;
	write_example(p);
	json_t *result = result_of(p), *entry;
	size_t i;
	assert_true(json_array_size(json_object_get(result, "benchmarks")) > 9);
	json_array_foreach (json_object_get(result, "benchmarks"), i, entry)
		for (size_t f = 0; f < COUNT(contract); f++)
			if (!json_object_get(entry, contract[f]))
				fail_msg("%s (%s, %s) lacks %s", text_of(entry, "name"),
					text_of(entry, "run_type"),
					json_is_true(json_object_get(entry, "error_occurred"))
						? "an error"
						: "no error",
					contract[f]);
	json_decref(result);
}

static json_t *entries(
	const json_t *result, const char *run_name, const char *run_type, const char *aggregate)
{
	json_t *found = json_array(), *entry;
	size_t i;
	json_array_foreach (json_object_get(result, "benchmarks"), i, entry)
		if (strcmp(text_of(entry, "run_name"), run_name) == 0 &&
			strcmp(text_of(entry, "run_type"), run_type) == 0 &&
			strcmp(text_of(entry, "aggregate_name"), aggregate) == 0)
			json_array_append(found, entry);
	return found;
}

static const char mcs[] = "counter/global-lock/mcs/placement:compact/threads:2/manual_time";
static const char private_4[] = "counter/private/placement:compact/threads:4/manual_time";
static const char failed_late[] = "bank/global-lock/tas/placement:compact/threads:2/manual_time";
static const char failed_second[] = "bank/lock-free/placement:compact/threads:2/manual_time";
static const char failed_only[] = "bank/fine-lock/ttas/placement:compact/threads:2/manual_time";

static void samples_are_google_iterations_under_google_names(void **state)
{
	struct place *p = *state;
	write_example(p);
	json_t *result = result_of(p);
	json_t *samples = entries(result, mcs, "iteration", "");
	assert_int_equal(json_array_size(samples), 5);
	for (size_t i = 0; i < 5; i++) {
		const json_t *entry = json_array_get(samples, i);
		double rate = (double)(i + 1) * 1e6;
		assert_string_equal(text_of(entry, "name"), mcs);
		assert_string_equal(text_of(entry, "lock"), "mcs");
		assert_string_equal(text_of(entry, "time_unit"), "ns");
		assert_near(number_of(entry, "ops_per_second"), rate, 1e-3);
		assert_near(number_of(entry, "real_time"), 1e9 / rate, 1e-6 * 1e9 / rate);
		/* two workers, all the time: twice the real time */
		assert_near(number_of(entry, "cpu_time"), 2e9 / rate, 1e-6 * 1e9 / rate);
		assert_near(number_of(entry, "items_per_second"), rate, 1e-3 * rate);
		assert_int_equal(number_of(entry, "repetitions"), 5);
		assert_int_equal(number_of(entry, "repetition_index"), i);
		assert_int_equal(number_of(entry, "threads"), 2);
		assert_int_equal(number_of(entry, "process"), i / 3);
		assert_int_equal(number_of(entry, "sample"), i % 3);
		assert_near(number_of(entry, "start_skew_ns"), 100.0 + (double)(i % 3), 1e-9);
		assert_near(number_of(entry, "ops_min"), rate / 20, 1e-6);
		assert_near(number_of(entry, "ops_max"), rate / 10, 1e-6);
	}
	json_decref(samples);
	/* Another number of samples of another point. */
	samples = entries(result, private_4, "iteration", "");
	assert_int_equal(json_array_size(samples), 2);
	json_decref(samples);
	json_decref(result);
}

static void aggregates_are_those_of_the_samples(void **state)
{
	/* Of 1 to 5 M/s, and of the times 1000, 500, 333.3, 250, 200 ns. */
	static const struct {
		const char *name;
		double rate, time;
	} expected[] = {{"mean", 3e6, 456.6666667}, {"median", 3e6, 333.3333333},
		{"stddev", 1.5811388e6, 324.3797500}, {"cv", 0.52704628, 0.7103206}};
	struct place *p = *state;
	write_example(p);
	json_t *result = result_of(p);
	for (size_t i = 0; i < COUNT(expected); i++) {
		json_t *found = entries(result, mcs, "aggregate", expected[i].name);
		char name[256];
		snprintf(name, sizeof name, "%s_%s", mcs, expected[i].name);
		assert_int_equal(json_array_size(found), 1);
		const json_t *entry = json_array_get(found, 0);
		assert_string_equal(text_of(entry, "name"), name);
		assert_near(number_of(entry, "ops_per_second"), expected[i].rate,
			1e-6 * expected[i].rate);
		assert_near(
			number_of(entry, "real_time"), expected[i].time, 1e-6 * expected[i].time);
		assert_int_equal(number_of(entry, "threads"), 2);
		json_decref(found);
	}
	json_decref(result);
}

static void failures_are_google_errors(void **state)
{
	struct place *p = *state;
	write_example(p);
	json_t *result = result_of(p);
	static const struct {
		const char *run_name;
		size_t samples;
	} failed[] = {{failed_late, 3}, {failed_second, 1}, {failed_only, 0}};
	for (size_t i = 0; i < COUNT(failed); i++) {
		json_t *found = entries(result, failed[i].run_name, "iteration", ""), *entry;
		size_t good = 0, bad = 0, k;
		json_array_foreach (found, k, entry) {
			if (json_is_true(json_object_get(entry, "error_occurred"))) {
				bad++;
				assert_string_equal(
					text_of(entry, "error_message"), "5 updates were lost");
			} else {
				good++;
			}
		}
		assert_int_equal(good, failed[i].samples);
		assert_int_equal(bad, 1);
		json_decref(found);
	}
	json_decref(result);
	/* And our own reader knows them as failures. */
	struct result r;
	struct error e;
	if (result_load(&r, p->dir, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(r.failure_count, 3);
	assert_int_equal(r.sample_count, 11);
	result_free(&r);
}

static void two_line_transfers_make_two_modes(void **state)
{
	struct place *p = *state;
	struct journal j;
	create(&j, p);
	for (int i = 0; i < 20; i++)
		append(&j, a_sample("counter", "lock-free", "", 2, i / 5, i % 5, 1e6,
				   i % 3 == 0 ? 330 + i : 53 + i * 0.1));
	append(&j, a_sample("counter", "private", "", 1, 0, 0, 1e6, 0)); /* not probed */
	journal_close(&j);
	json_t *result = result_of(p), *entry;
	size_t i, close = 0, far = 0;
	json_array_foreach (json_object_get(result, "benchmarks"), i, entry) {
		if (strcmp(text_of(entry, "run_type"), "iteration") != 0)
			continue;
		double line = number_of(entry, "line_ns");
		assert_int_equal(number_of(entry, "mode"), line > 300);
		close += line > 0 && line < 300;
		far += line > 300;
	}
	assert_int_equal(close, 13);
	assert_int_equal(far, 7);
	json_decref(result);
}

static void the_context_is_that_of_the_measurement(void **state)
{
	struct place *p = *state;
	write_example(p);
	json_t *result = result_of(p), *context = json_object_get(result, "context");
	assert_string_equal(text_of(context, "host_name"), "ours");
	assert_string_equal(text_of(context, "date"), "2024-02-29T12:00:00+0000");
	assert_int_equal(number_of(context, "num_cpus"), 96);
	assert_true(json_is_object(json_object_get(context, "lockscale")));
	json_decref(result);
}

static void a_run_without_samples_has_an_empty_result(void **state)
{
	struct place *p = *state;
	struct journal j;
	create(&j, p);
	journal_close(&j);
	json_t *result = result_of(p);
	assert_true(json_is_array(json_object_get(result, "benchmarks")));
	assert_int_equal(json_array_size(json_object_get(result, "benchmarks")), 0);
	json_decref(result);
}

// What `lockscale report` does with the journal of a run that was killed: a process that was
// never given any of Google's flags.
static void a_result_file_needs_no_flags_of_google(void **state)
{
	struct place *p = *state;
	write_example(p);
	int status;
	pid_t child = fork();
	if (child == 0) {
		alarm(20);
		_exit(journal_to_result_file(p->dir, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	struct result r;
	struct error e;
	if (result_load(&r, p->dir, &e) != 0)
		fail_msg("%s", e.text);
	size_t samples = r.sample_count, failures = r.failure_count;
	result_free(&r);
	assert_int_equal(samples, 11);
	assert_int_equal(failures, 3);
}

static int initialize_google(void **state)
{
	(void)state;
	struct google g;
	struct error e;
	static char name[] = "test_journal", *argv[] = {name, NULL}; /* Google keeps them */
	int argc = 1;
	return google_take_flags(&g, &argc, argv, &e);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	/* Before anything has initialised Google Benchmark, which is once per process. */
	const struct CMUnitTest before[] = {TEST(a_result_file_needs_no_flags_of_google)};
	const struct CMUnitTest journal[] = {
		TEST(what_was_appended_is_read_back_in_order),
		TEST(notes_are_kept_and_reach_the_context),
		TEST(an_existing_journal_is_never_started_anew),
		TEST(a_truncated_last_line_is_dropped_wherever_it_was_cut),
		TEST(a_damaged_line_is_skipped_counted_and_named),
		TEST(without_a_header_there_is_a_message_and_no_content),
		TEST(when_no_more_fits_the_lines_before_stay_whole),
		TEST(a_journal_that_cannot_be_started_leaves_no_file),
		TEST(a_full_disk_says_free_space_and_resume),
		TEST(a_file_is_replaced_whole_or_not_at_all),
		TEST(every_entry_has_every_field),
		TEST(samples_are_google_iterations_under_google_names),
		TEST(aggregates_are_those_of_the_samples),
		TEST(failures_are_google_errors),
		TEST(two_line_transfers_make_two_modes),
		TEST(the_context_is_that_of_the_measurement),
		TEST(a_run_without_samples_has_an_empty_result),
	};
	int failed = cmocka_run_group_tests(before, NULL, NULL);
	return failed + cmocka_run_group_tests(journal, initialize_google, NULL);
}
