// SPDX-License-Identifier: BSD-2-Clause
// Which pairs of PUs are measured, and that each of them then has a time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_to_core.h"

enum { HANG_S = 120 };

static void choose(struct core_to_core *c, const char *topology, uint64_t seed)
{
	struct machine m;
	struct error e;
	if (machine_load(&m, topology, &e) || core_to_core_choose(c, &m, seed, &e))
		fail_msg("%s: %s", topology ? topology : "this machine", e.text);
	for (size_t i = 0; i < c->count; i++) {
		assert_true(c->pairs[i].from < c->pairs[i].to);
		assert_true(c->pairs[i].to < m.pus);
		assert_true(!i || c->pairs[i - 1].from < c->pairs[i].from ||
			    c->pairs[i - 1].to < c->pairs[i].to);
	}
	machine_unload(&m);
}

static size_t count_shared(const struct core_to_core *c, enum core_sharing shared)
{
	size_t count = 0;
	for (size_t i = 0; i < c->count; i++)
		count += c->pairs[i].shared == shared;
	return count;
}

static void up_to_64_pus_every_pair_is_there_once(void **state)
{
	(void)state;
	struct core_to_core c;
	choose(&c, "pack:1 core:2 pu:1", 1);
	assert_int_equal(c.count, 1);
	assert_false(c.sampled);
	core_to_core_fini(&c);
	choose(&c, "pack:2 numa:2 l3:2 core:4 pu:2", 1);
	assert_int_equal(c.count, 64 * 63 / 2);
	assert_false(c.sampled);
	assert_int_equal(count_shared(&c, SHARED_CORE), 32);
	assert_int_equal(count_shared(&c, SHARED_CACHE), 8 * (8 * 7 / 2) - 32);
	assert_int_equal(count_shared(&c, SHARED_NUMA_NODE), 4 * 8 * 8);
	assert_int_equal(count_shared(&c, SHARED_PACKAGE), 2 * 16 * 16);
	assert_int_equal(count_shared(&c, SHARED_NOTHING), 32 * 32);
	core_to_core_fini(&c);
}

static bool has_neighbour(const struct core_to_core *c, unsigned pu, enum core_sharing shared)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->pairs[i].shared == shared &&
			(c->pairs[i].from == pu || c->pairs[i].to == pu))
			return true;
	return false;
}

static void beyond_each_pu_has_a_neighbour_at_each_level_of_sharing(void **state)
{
	(void)state;
	struct core_to_core c;
	choose(&c, "pack:2 numa:2 l3:4 core:14 pu:2", 7);
	assert_true(c.sampled);
	assert_true(c.count > 448 && c.count <= 448 * SHARINGS + 512);
	for (unsigned pu = 0; pu < 448; pu++)
		for (int shared = 0; shared < SHARINGS; shared++)
			if (!has_neighbour(&c, pu, (enum core_sharing)shared))
				fail_msg("PU %u has no neighbour that shares %s", pu,
					core_sharing_name((enum core_sharing)shared));
	core_to_core_fini(&c);
}

static void the_seed_decides_the_sample(void **state)
{
	(void)state;
	struct core_to_core a, b, other;
	const char *server = "pack:2 core:64 pu:2";
	choose(&a, server, 1);
	choose(&b, server, 1);
	choose(&other, server, 2);
	assert_int_equal(a.count, b.count);
	assert_memory_equal(a.pairs, b.pairs, a.count * sizeof *a.pairs);
	assert_true(a.count != other.count ||
		    memcmp(a.pairs, other.pairs, a.count * sizeof *a.pairs) != 0);
	core_to_core_fini(&a);
	core_to_core_fini(&b);
	core_to_core_fini(&other);
}

static void one_pu_has_no_pairs_and_the_message_says_so(void **state)
{
	(void)state;
	struct core_to_core c;
	struct machine m;
	struct error e;
	assert_int_equal(machine_load(&m, "core:1", &e), 0);
	assert_int_equal(core_to_core_choose(&c, &m, 1, &e), -ENODEV);
	assert_non_null(strstr(e.text, "only one PU"));
	core_to_core_fini(&c);
	machine_unload(&m);
}

static void every_pair_of_this_machine_gets_a_time(void **state)
{
	(void)state;
	struct core_to_core c;
	struct machine m;
	struct error e;
	assert_int_equal(machine_load(&m, NULL, &e), 0);
	if (m.allowed_pus < 2) {
		machine_unload(&m);
		skip();
	}
	assert_int_equal(core_to_core_choose(&c, &m, 1, &e), 0);
	size_t chosen = c.count;
	assert_int_equal(core_to_core_measure(&c, &m, 1, &e), 0);
	assert_int_equal(c.count, chosen);
	size_t summed = 0;
	for (size_t i = 0; i < c.count; i++) {
		assert_true(c.pairs[i].one_way_ns > 0);
		assert_true(!i || c.pairs[i - 1].from <= c.pairs[i].from);
	}
	for (int shared = 0; shared < SHARINGS; shared++) {
		struct core_summary s = core_to_core_summary(&c, (enum core_sharing)shared);
		assert_true(s.least_ns <= s.median_ns && s.median_ns <= s.most_ns);
		assert_true(!s.count || s.least_ns > 0);
		summed += s.count;
	}
	assert_int_equal(summed, c.count);
	core_to_core_fini(&c);
	machine_unload(&m);
}

static void the_file_lists_each_pair(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_core_to_core.XXXXXX", path[64], text[256] = "";
	struct core_pair pairs[] = {
		{0, 1, SHARED_CORE, 12.25}, {0, 2, SHARED_CACHE, 50}, {1, 2, SHARED_CACHE, 51}};
	struct core_to_core c = {.pairs = pairs, .count = 3};
	struct error e;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(core_to_core_write(&c, dir, &e), 0);
	snprintf(path, sizeof path, "%s/core_to_core.tsv", dir);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, "from\tto\tone_way_ns\n0\t1\t12.2\n0\t2\t50.0\n1\t2\t51.0\n");
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	assert_true(core_to_core_write(&c, dir, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_to_64_pus_every_pair_is_there_once),
		cmocka_unit_test(beyond_each_pu_has_a_neighbour_at_each_level_of_sharing),
		cmocka_unit_test(the_seed_decides_the_sample),
		cmocka_unit_test(one_pu_has_no_pairs_and_the_message_says_so),
		cmocka_unit_test(every_pair_of_this_machine_gets_a_time),
		cmocka_unit_test(the_file_lists_each_pair),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
