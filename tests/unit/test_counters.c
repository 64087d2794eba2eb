// SPDX-License-Identifier: BSD-2-Clause
// Hardware counters, by stand-ins of software where the machine has none: they count what lies
// between start and stop, all together or not at all, and leave no file open.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"

enum { PAGES = 64 };

static const struct counter_event software[COUNTERS] = {
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY},
};
// The last of them no kernel knows.
static const struct counter_event half[COUNTERS] = {
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
	{PERF_TYPE_SOFTWARE, UINT64_MAX},
};

static void open_or_skip(struct counters *c)
{
	if (counters_open(c, software) < 0) {
		print_message("needs perf_event_open\n");
		skip();
	}
}

static unsigned open_files(void)
{
	unsigned count = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void touch_pages(unsigned pages)
{
	size_t size = pages * (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	madvise(p, size, MADV_NOHUGEPAGE);
	for (unsigned i = 0; i < pages; i++)
		((volatile char *)p)[i * (size_t)sysconf(_SC_PAGESIZE)] = 1;
	munmap(p, size);
}

static void what_lies_between_start_and_stop_is_counted(void **state)
{
	(void)state;
	struct counters c;
	struct counts counts;
	open_or_skip(&c);
	touch_pages(16 * PAGES);
	counters_start(&c);
	touch_pages(PAGES);
	counters_stop(&c, &counts);
	touch_pages(16 * PAGES);
	assert_true(counts.known);
	assert_true(counts.value[0] > 0);
	/* A sanitizer touches pages of its own for each. */
	assert_in_range(counts.value[1], PAGES, 8 * PAGES);
	/* A second window starts from zero. */
	counters_start(&c);
	counters_stop(&c, &counts);
	assert_true(counts.known);
	assert_in_range(counts.value[1], 0, PAGES / 2);
	counters_close(&c);
}

static void counters_that_are_not_there_count_nothing(void **state)
{
	(void)state;
	struct counters c;
	struct counts counts = {.known = true, .value = {1, 2, 3}};
	assert_true(counters_open(&c, half) < 0);
	for (int i = 0; i < COUNTERS; i++)
		assert_int_equal(c.fd[i], -1);
	counters_start(&c);
	counters_stop(&c, &counts);
	assert_false(counts.known);
	counters_close(&c);
}

static void no_file_is_left_open(void **state)
{
	(void)state;
	struct counters c;
	unsigned before = open_files();
	for (int i = 0; i < 100; i++) {
		counters_open(&c, i % 2 ? software : half);
		counters_close(&c);
		counters_close(&c);
	}
	assert_int_equal(open_files(), before);
}

static void whether_the_hardware_counts_is_said_in_words(void **state)
{
	(void)state;
	char text[160];
	struct counters c;
	int rc = counters_open(&c, counters_hardware);
	counters_availability(text, sizeof text);
	assert_int_equal(rc == 0, strcmp(text, "available") == 0);
	if (rc)
		assert_true(strncmp(text, "none: ", 6) == 0 || strncmp(text, "refused: ", 9) == 0);
	counters_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_between_start_and_stop_is_counted),
		cmocka_unit_test(counters_that_are_not_there_count_nothing),
		cmocka_unit_test(no_file_is_left_open),
		cmocka_unit_test(whether_the_hardware_counts_is_said_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
