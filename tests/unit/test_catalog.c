// SPDX-License-Identifier: BSD-2-Clause
// Locks that join the catalog late, which variants are offered, and what plugins are called.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "foreign.h"
#include "indirect.h"
#include "plan.h"

// Classes that are only looked at.
static const struct lock_class large = {
	.name = "large", .single = true, .standard = true, .size = 8};
static const struct lock_class shared = {
	.name = "shared", .family = LOCK_READER_WRITER, .standard = true, .size = 8};
static const struct lock_class like_tas = {.name = "like-tas", .size = 4};
static const struct lock_class second_mcs = {.name = "mcs", .size = 4};

// Reader-writer locks are standard only where most sections read, extra kernels never.
static uint64_t nothing(void *state, struct worker *w, uint64_t n)
{
	(void)state, (void)w;
	return n;
}
static int64_t right(struct run *r, const uint64_t *done)
{
	(void)r, (void)done;
	return 0;
}
static const struct variant test_variants[] = {
	{.strategy = "sequential", .batch = nothing},
	{.strategy = "global-lock", .lock = &like_tas, .batch = nothing, .indirect = nothing},
};
KERNEL(test_reading, .summary = "reads", .shared = "nothing", .unit = "steps", .reads = true,
	VARIANTS(test_variants), .check = right);
KERNEL(test_extra, .summary = "not for all", .shared = "nothing", .unit = "steps", .extra = true,
	VARIANTS(test_variants), .check = right);

static int add_locks(void **state)
{
	(void)state;
	return catalog_add_lock(&large, NULL) || catalog_add_lock(&shared, NULL);
}

static size_t with_lock(const struct kernel *k, const char *lock)
{
	size_t count = 0;
	for (size_t i = 0; i < k->variant_count; i++)
		count += k->variants[i].lock && strcmp(k->variants[i].lock->name, lock) == 0;
	return count;
}

static void a_lock_that_joins_has_each_variant_once_through_its_pointers(void **state)
{
	(void)state;
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	assert_ptr_equal(catalog_lock("shared"), &shared);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(with_lock(k[i], "shared"),
			with_lock(k[i], "ttas") + (strncmp(k[i]->name, "test_", 5) == 0));
		for (size_t j = 0; j < k[i]->variant_count; j++) {
			const struct variant *v = &k[i]->variants[j];
			if (v->lock == &shared)
				assert_true(v->batch && v->batch == v->indirect);
		}
	}
	assert_non_null(catalog_variant(catalog_kernel("bank"), "fine-lock", "shared"));
}

static void a_single_lock_has_no_fine_lock_variant(void **state)
{
	(void)state;
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	assert_non_null(catalog_variant(catalog_kernel("bank"), "global-lock", "large"));
	for (size_t i = 0; i < count; i++)
		assert_null(catalog_variant(k[i], "fine-lock", "large"));
}

static void a_name_that_is_taken_is_refused(void **state)
{
	(void)state;
	const struct lock_class *mcs = catalog_lock("mcs");
	size_t before = with_lock(catalog_kernel("bank"), "mcs");
	assert_int_equal(catalog_add_lock(&second_mcs, NULL), -EEXIST);
	assert_int_equal(catalog_add_lock(&shared, NULL), -EEXIST);
	assert_ptr_equal(catalog_lock("mcs"), mcs);
	assert_int_equal(with_lock(catalog_kernel("bank"), "mcs"), before);
}

static void a_lock_like_another_runs_that_ones_code(void **state)
{
	(void)state;
	static const struct lock_class copy = {.name = "copy", .size = 4};
	assert_int_equal(catalog_add_lock(&copy, "tas"), 0);
	const struct kernel *k = catalog_kernel("histogram");
	const struct variant *tas = catalog_variant(k, "fine-lock", "tas");
	const struct variant *v = catalog_variant(k, "fine-lock", "copy");
	assert_ptr_equal(v->lock, &copy);
	assert_true(v->batch == tas->batch && v->batch != v->indirect);
	/* where tas itself is not there is nothing to be like */
	assert_int_equal(with_lock(catalog_kernel("test_reading"), "copy"), 0);
}

static void locks_come_once_by_family_and_name(void **state)
{
	(void)state;
	const struct lock_class *locks[256];
	size_t count = catalog_locks(locks, 256);
	assert_true(count >= 8);
	for (size_t i = 1; i < count; i++) {
		assert_true(locks[i - 1]->family <= locks[i]->family);
		if (locks[i - 1]->family == locks[i]->family)
			assert_true(strcmp(locks[i - 1]->name, locks[i]->name) < 0);
	}
	assert_int_equal(catalog_locks(locks, 3), 3);
}

static bool planned(const struct selection *s, const char *kernel, const char *lock)
{
	struct machine m;
	struct error e;
	struct plan p = {.params = json_object()};
	struct point point = {.threads = 1, .strategy = "global-lock", .placement = "compact"};
	strcpy(point.kernel, kernel);
	strcpy(point.lock, lock);
	if (machine_load(&m, "pack:1 core:2 pu:1", &e) || plan_points(&p, s, &m, &e))
		fail_msg("%s", e.text);
	bool found = plan_find(&p, &point) >= 0;
	plan_free(&p);
	machine_unload(&m);
	return found;
}

static void a_run_that_names_nothing_takes_standard_locks_where_they_belong(void **state)
{
	(void)state;
	struct selection s = {.placements = {PLACEMENT_COMPACT}, .placement_count = 1};
	assert_true(planned(&s, "counter", "large"));
	assert_false(planned(&s, "counter", "tas"));
	assert_true(planned(&s, "test_reading", "shared"));
	assert_false(planned(&s, "counter", "shared"));
	assert_false(planned(&s, "test_extra", "large"));
	s.all_locks = true;
	assert_true(planned(&s, "counter", "tas"));
	assert_true(planned(&s, "counter", "shared"));
	assert_false(planned(&s, "test_extra", "large"));
	char *patterns[] = {"test_extra", "counter"};
	s = (struct selection){.patterns = patterns,
		.pattern_count = 2,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	assert_true(planned(&s, "test_extra", "large"));
	assert_true(planned(&s, "counter", "shared"));
	assert_true(planned(&s, "counter", "tas"));
}

static void the_price_of_pointers_is_measured_with_one_worker_where_asked_for(void **state)
{
	(void)state;
	static const struct lock_class indirect = {.name = INDIRECT_LOCK, .size = 4};
	char *patterns[] = {"bank"};
	struct selection s = {.patterns = patterns,
		.pattern_count = 1,
		.placements = {PLACEMENT_COMPACT},
		.placement_count = 1};
	assert_int_equal(catalog_add_lock(&indirect, NULL), 0);
	assert_false(planned(&s, "counter", INDIRECT_LOCK));
	s.indirect_cost = true;
	assert_true(planned(&s, "counter", INDIRECT_LOCK));
	assert_true(planned(&s, "counter", INLINED_LOCK));
	/* and is no lock to measure otherwise */
	assert_false(planned(&s, "bank", INDIRECT_LOCK));
	assert_true(planned(&s, "bank", INLINED_LOCK));
}

static void a_plugin_is_called_after_its_file(void **state)
{
	(void)state;
	static const char *const names[][2] = {{"mine.so", "mine"}, {"/a.so/libmine.so", "mine"},
		{"./library.so", "rary"}, {"lib.so", "lib"}, {"mine", "mine"},
		{"a/b.so.1", "b.so.1"}, {"x/.so", ".so"}, {"lib-mine.so", "-mine"}};
	char name[NAME_LEN];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_string_equal(foreign_name(names[i][0], name, sizeof name), names[i][1]);
	assert_int_equal(strlen(foreign_name("a-name-that-does-not-fit.so", name, 8)), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_that_joins_has_each_variant_once_through_its_pointers),
		cmocka_unit_test(a_single_lock_has_no_fine_lock_variant),
		cmocka_unit_test(a_name_that_is_taken_is_refused),
		cmocka_unit_test(a_lock_like_another_runs_that_ones_code),
		cmocka_unit_test(locks_come_once_by_family_and_name),
		cmocka_unit_test(a_run_that_names_nothing_takes_standard_locks_where_they_belong),
		cmocka_unit_test(the_price_of_pointers_is_measured_with_one_worker_where_asked_for),
		cmocka_unit_test(a_plugin_is_called_after_its_file),
	};
	return cmocka_run_group_tests(tests, add_locks, NULL);
}
