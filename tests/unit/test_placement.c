// SPDX-License-Identifier: BSD-2-Clause
// Claims about the order in which workers fill PUs. Expected orders are written down from what a
// topology is, or made by a formula over its packages, nodes and cores.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "placement.h"

enum { PUS_MAX = 512 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void load(struct machine *m, const char *topology)
{
	struct error e;

	if (machine_load(m, topology, &e))
		fail_msg("%s", e.text);
}

// Loads XML text by way of a file, as a user would.
static void load_xml(struct machine *m, const char *xml)
{
	char path[] = "/tmp/lockscale-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, xml, strlen(xml)), strlen(xml));
	close(fd);
	load(m, path);
	unlink(path);
}

static void order_is(const struct machine *m, enum placement p, const unsigned *os, size_t n)
{
	unsigned order[PUS_MAX];

	assert_int_equal(m->allowed_pus, n);
	placement_order(m, p, order);
	for (size_t i = 0; i < n; i++)
		if (m->pu[order[i]].os != os[i])
			fail_msg("%s: worker %zu on PU %u, expected %u", placement_name(p), i,
				m->pu[order[i]].os, os[i]);
}

#define ORDER_IS(m, p, ...)                                                                        \
	order_is(m, p, (const unsigned[]){__VA_ARGS__}, COUNT(((const unsigned[]){__VA_ARGS__})))

static void boundaries_are(const struct machine *m, enum placement p, const char *expected)
{
	struct boundary b[PUS_MAX];
	char text[4096] = "";
	size_t n = placement_boundaries(m, p, b, PUS_MAX);

	for (size_t i = 0; i < n; i++)
		sprintf(text + strlen(text), "%s%s@%u", i ? " " : "", b[i].what, b[i].after);
	assert_string_equal(text, expected);
}

static void counts_are(const struct machine *m, enum placement p, const char *expected)
{
	unsigned counts[PUS_MAX];
	char text[4096] = "";
	size_t n = placement_counts(m, p, counts, PUS_MAX);

	for (size_t i = 0; i < n; i++)
		sprintf(text + strlen(text), "%s%u", i ? " " : "", counts[i]);
	assert_string_equal(text, expected);
}

// What holds for every machine.
static void check_properties(const struct machine *m)
{
	unsigned order[PUS_MAX], counts[PUS_MAX];
	struct boundary b[PUS_MAX];

	for (int p = 0; p < PLACEMENTS; p++) {
		bool seen[PUS_MAX] = {false};
		unsigned last_rank = 0;
		placement_order(m, (enum placement)p, order);
		for (unsigned i = 0; i < m->allowed_pus; i++) {
			assert_in_range(order[i], 0, m->allowed_pus - 1);
			assert_false(seen[order[i]]); // a permutation
			seen[order[i]] = true;
			const struct machine_pu *pu = &m->pu[order[i]];
			if (p == PLACEMENT_SMT) {
				if (pu->smt_rank) // right behind its sibling
					assert_int_equal(m->pu[order[i - 1]].core, pu->core);
			} else { // no sibling before all cores are used
				assert_true(pu->smt_rank >= last_rank);
				assert_int_equal(pu->smt_rank > 0, i >= m->allowed_cores);
				last_rank = pu->smt_rank;
			}
		}
		size_t n = placement_boundaries(m, (enum placement)p, b, PUS_MAX);
		for (size_t i = 0; i < n; i++) {
			assert_in_range(b[i].after, 1, m->allowed_pus - 1);
			assert_true(i == 0 || b[i].after > b[i - 1].after);
		}
		n = placement_counts(m, (enum placement)p, counts, PUS_MAX);
		assert_true(n >= 1);
		assert_int_equal(counts[0], 1);
		assert_int_equal(counts[n - 1], m->allowed_pus);
		for (size_t i = 1; i < n; i++)
			assert_true(counts[i] > counts[i - 1]);
	}
}

static void two_socket_server_spreads_over_packages_then_nodes(void **state)
{
	static const unsigned nodes[] = {0, 2, 1, 3}; // p0n0, p1n0, p0n1, p1n1
	struct machine m;
	unsigned compact[128], spread[128], smt[128];
	(void)state;

	load(&m, "pack:2 numa:2 l3:1 core:16 pu:2");
	for (unsigned i = 0; i < 128; i++) {
		unsigned sibling = i / 64, turn = i % 64 / 4;
		compact[i] = i % 64 * 2 + sibling;
		spread[i] = nodes[i % 4] * 32 + turn * 2 + sibling;
		smt[i] = i;
	}
	order_is(&m, PLACEMENT_COMPACT, compact, 128);
	order_is(&m, PLACEMENT_SPREAD, spread, 128);
	order_is(&m, PLACEMENT_SMT, smt, 128);
	order_is(&m, PLACEMENT_NONE, compact, 128);
	boundaries_are(&m, PLACEMENT_COMPACT, "NUMA node 2@16 package 2@32 NUMA node 4@48 SMT@64");
	boundaries_are(&m, PLACEMENT_SPREAD, "package 2@1 NUMA node 3@2 NUMA node 4@3 SMT@64");
	boundaries_are(&m, PLACEMENT_SMT, "SMT@1 NUMA node 2@32 package 2@64 NUMA node 4@96");
	boundaries_are(&m, PLACEMENT_NONE, "SMT@64");
	counts_are(&m, PLACEMENT_COMPACT, "1 2 3 4 6 8 12 16 17 24 32 33 48 49 64 65 128");
	check_properties(&m);
	machine_unload(&m);
}

static void eight_socket_server_fills_448_threads(void **state)
{
	struct machine m;
	unsigned compact[448], spread[448];
	(void)state;

	load(&m, "pack:8 core:28 pu:2");
	for (unsigned i = 0; i < 448; i++) {
		compact[i] = i % 224 * 2 + i / 224;
		spread[i] = i % 8 * 56 + i % 224 / 8 * 2 + i / 224;
	}
	order_is(&m, PLACEMENT_COMPACT, compact, 448);
	order_is(&m, PLACEMENT_SPREAD, spread, 448);
	boundaries_are(&m, PLACEMENT_COMPACT,
		"package 2@28 package 3@56 package 4@84 package 5@112 package 6@140 package 7@168 "
		"package 8@196 SMT@224");
	counts_are(
		&m, PLACEMENT_SPREAD, "1 2 3 4 5 6 7 8 12 16 24 32 48 64 96 128 192 224 225 448");
	check_properties(&m);
	machine_unload(&m);
}

static void beyond_eight_packages_only_powers_of_two_are_counted(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "pack:10 core:6");
	counts_are(&m, PLACEMENT_COMPACT, "1 2 3 4 6 7 8 12 13 16 24 25 32 48 49 60");
	machine_unload(&m);
}

// 2 P-cores with SMT (PUs 0 to 3), 4 E-cores (4 to 7).
static const char laptop[] =
	"<?xml version=\"1.0\"?>\n<topology version=\"2.0\">"
	"<object type=\"Machine\" os_index=\"0\" cpuset=\"0xff\" complete_cpuset=\"0xff\" "
	"allowed_cpuset=\"0xff\" nodeset=\"0x1\" complete_nodeset=\"0x1\" allowed_nodeset=\"0x1\" "
	"gp_index=\"1\">"
	"<object type=\"NUMANode\" os_index=\"0\" cpuset=\"0xff\" complete_cpuset=\"0xff\" "
	"nodeset=\"0x1\" "
	"complete_nodeset=\"0x1\" gp_index=\"2\" local_memory=\"1024\"/>"
	"<object type=\"Package\" os_index=\"0\" cpuset=\"0xff\" complete_cpuset=\"0xff\" "
	"nodeset=\"0x1\" "
	"complete_nodeset=\"0x1\" gp_index=\"3\">"
#define CORE(os, set)                                                                              \
	"<object type=\"Core\" os_index=\"" #os "\" cpuset=\"" set "\" complete_cpuset=\"" set     \
	"\" nodeset=\"0x1\" complete_nodeset=\"0x1\" gp_index=\"1" #os "\">"
#define PU(os, set)                                                                                \
	"<object type=\"PU\" os_index=\"" #os "\" cpuset=\"" set "\" complete_cpuset=\"" set       \
	"\" nodeset=\"0x1\" complete_nodeset=\"0x1\" gp_index=\"2" #os "\"/>"
	CORE(0, "0x3") PU(0, "0x1") PU(1, "0x2") "</object>" CORE(1, "0xc") PU(2, "0x4")
		PU(3, "0x8") "</object>" CORE(2, "0x10") PU(4, "0x10") "</object>" CORE(3, "0x20")
			PU(5, "0x20") "</object>" CORE(4, "0x40")
				PU(6, "0x40") "</object>" CORE(5, "0x80")
					PU(7, "0x80") "</object>"
						      "</object></object>";
static const char two_kinds[] =
	"<cpukind cpuset=\"0xf0\"><info name=\"FrequencyMaxMHz\" value=\"2000\"/></cpukind>"
	"<cpukind cpuset=\"0x0f\"><info name=\"FrequencyMaxMHz\" "
	"value=\"5000\"/></cpukind></topology>";
static const char three_kinds[] =
	"<cpukind cpuset=\"0xc0\"><info name=\"FrequencyMaxMHz\" value=\"1000\"/></cpukind>"
	"<cpukind cpuset=\"0x0f\"><info name=\"FrequencyMaxMHz\" value=\"5000\"/></cpukind>"
	"<cpukind cpuset=\"0x30\"><info name=\"FrequencyMaxMHz\" "
	"value=\"3000\"/></cpukind></topology>";

static void load_laptop(struct machine *m, const char *kinds)
{
	char xml[8192];

	snprintf(xml, sizeof xml, "%s%s", laptop, kinds);
	load_xml(m, xml);
}

static void hybrid_laptop_fills_fast_cores_first(void **state)
{
	struct machine m;
	(void)state;

	load_laptop(&m, two_kinds);
	assert_int_equal(m.kinds, 2);
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 2, 4, 5, 6, 7, 1, 3);
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 2, 4, 5, 6, 7, 1, 3);
	ORDER_IS(&m, PLACEMENT_SMT, 0, 1, 2, 3, 4, 5, 6, 7);
	boundaries_are(&m, PLACEMENT_COMPACT, "E-cores@2 SMT@6");
	boundaries_are(&m, PLACEMENT_SMT, "SMT@1 E-cores@4");
	counts_are(&m, PLACEMENT_COMPACT, "1 2 3 4 6 7 8");
	check_properties(&m);
	machine_unload(&m);
}

static void three_core_kinds_are_numbered_from_the_fastest(void **state)
{
	struct machine m;
	(void)state;

	load_laptop(&m, three_kinds);
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 2, 4, 5, 6, 7, 1, 3);
	boundaries_are(&m, PLACEMENT_COMPACT, "core kind 2@2 core kind 3@4 SMT@6");
	check_properties(&m);
	machine_unload(&m);
}

static void container_uses_its_three_allowed_pus_only(void **state)
{
	struct machine m;
	char xml[8192], *allowed;
	(void)state;

	snprintf(xml, sizeof xml, "%s</topology>", laptop);
	allowed = strstr(xml, "allowed_cpuset=\"0xff\"");
	assert_non_null(allowed);
	memcpy(allowed, "allowed_cpuset=\"0x0e\"", strlen("allowed_cpuset=\"0x0e\""));
	load_xml(&m, xml);
	assert_int_equal(m.pus, 8);
	assert_int_equal(m.cores, 6);
	assert_int_equal(m.allowed_cores, 2);
	ORDER_IS(&m, PLACEMENT_COMPACT, 1, 2, 3); // PU 1 stands for its core alone
	ORDER_IS(&m, PLACEMENT_SMT, 1, 2, 3);
	boundaries_are(&m, PLACEMENT_COMPACT, "SMT@2");
	counts_are(&m, PLACEMENT_COMPACT, "1 2 3");
	check_properties(&m);
	machine_unload(&m);
}

static void two_cores_without_smt_have_no_boundary(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "pack:1 core:2");
	for (int p = 0; p < PLACEMENTS; p++) {
		ORDER_IS(&m, (enum placement)p, 0, 1);
		boundaries_are(&m, (enum placement)p, "");
		counts_are(&m, (enum placement)p, "1 2");
	}
	machine_unload(&m);
}

static void smt4_uses_all_cores_before_each_further_sibling(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "pack:2 core:2 pu:4");
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 8, 4, 12, 1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15);
	boundaries_are(&m, PLACEMENT_COMPACT, "package 2@2 SMT@4");
	check_properties(&m);
	machine_unload(&m);
}

static void nodes_holding_several_packages_are_outermost(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "numa:2 pack:2 core:2");
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 4, 2, 6, 1, 5, 3, 7);
	boundaries_are(&m, PLACEMENT_COMPACT, "package 2@2 NUMA node 2@4 package 4@6");
	check_properties(&m);
	machine_unload(&m);
}

static void system_numbers_need_not_follow_the_cores(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "pack:2 core:2 pu:2(indexes=0,4,2,6,1,5,3,7)");
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 2, 1, 3, 4, 6, 5, 7);
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 1, 2, 3, 4, 5, 6, 7);
	ORDER_IS(&m, PLACEMENT_SMT, 0, 4, 2, 6, 1, 5, 3, 7);
	check_properties(&m);
	machine_unload(&m);
}

static void without_core_objects_each_pu_is_a_core(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "pack:2 pu:3");
	assert_int_equal(m.cores, 6);
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 1, 2, 3, 4, 5);
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 3, 1, 4, 2, 5);
	boundaries_are(&m, PLACEMENT_COMPACT, "package 2@3");
	machine_unload(&m);
}

static void without_packages_and_nodes_the_machine_is_one(void **state)
{
	struct machine m;
	(void)state;

	load(&m, "core:4 pu:2");
	assert_int_equal(m.packages, 1);
	assert_int_equal(m.numa_nodes, 1);
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 2, 4, 6, 1, 3, 5, 7);
	machine_unload(&m);
}

// Placement is pure: machines that no synthetic description can express are made by hand.
static void uneven_packages_take_turns_until_one_is_full(void **state)
{
	struct machine_pu pu[] = {
		{.os = 10, .core = 0, .package = 0},
		{.os = 11, .core = 1, .package = 0},
		{.os = 12, .core = 2, .package = 0},
		{.os = 13, .core = 3, .package = 3, .numa = 1},
	};
	struct machine m = {.allowed_pus = 4, .allowed_cores = 4, .kinds = 1, .pu = pu};
	(void)state;

	ORDER_IS(&m, PLACEMENT_SPREAD, 10, 13, 11, 12);
	boundaries_are(&m, PLACEMENT_COMPACT, "package 2@3");
	check_properties(&m);
}

static void spread_over_packages_keeps_slow_cores_last(void **state)
{
	struct machine_pu pu[] = {
		{.os = 0, .core = 0, .package = 0, .kind = 0},
		{.os = 1, .core = 1, .package = 0, .kind = 1},
		{.os = 2, .core = 2, .package = 1, .kind = 0},
		{.os = 3, .core = 3, .package = 1, .kind = 1},
	};
	struct machine m = {.allowed_pus = 4, .allowed_cores = 4, .kinds = 2, .pu = pu};
	(void)state;

	ORDER_IS(&m, PLACEMENT_SPREAD, 1, 3, 0, 2);
	ORDER_IS(&m, PLACEMENT_COMPACT, 1, 3, 0, 2);
	boundaries_are(&m, PLACEMENT_SPREAD, "package 2@1 E-cores@2");
}

static void output_never_exceeds_the_room_given(void **state)
{
	struct machine m;
	struct boundary b[2];
	unsigned counts[3];
	(void)state;

	load(&m, "pack:4 core:4 pu:2");
	assert_int_equal(placement_boundaries(&m, PLACEMENT_COMPACT, b, 2), 2);
	assert_int_equal(placement_counts(&m, PLACEMENT_COMPACT, counts, 3), 3);
	machine_unload(&m);
}

static void names_are_parsed_back_and_others_refused(void **state)
{
	struct error e;
	enum placement p;
	(void)state;

	for (int i = 0; i < PLACEMENTS; i++) {
		assert_int_equal(placement_parse(placement_name((enum placement)i), &p, &e), 0);
		assert_int_equal(p, i);
	}
	assert_true(placement_parse("scatter", &p, &e) < 0);
	assert_non_null(strstr(e.text, "'scatter'"));
	assert_non_null(strstr(e.text, "compact, spread, smt or none"));
}

// Real machines, where the folder of their hwloc files is there.
static void load_real(struct machine *m, const char *file)
{
	const char *folder = getenv("LOCKSCALE_TOPOLOGIES");
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared/topologies", file);
	if (access(path, R_OK)) {
		print_message("skipped: no file %s (set LOCKSCALE_TOPOLOGIES)\n", path);
		skip();
	}
	load(m, path);
	check_properties(m);
}

// Round robin over `outer` groups, then `inner` ones, then cores, then siblings; PU numbers are
// sums of steps.
struct grid {
	unsigned outer, inner, cores, siblings;
	unsigned outer_step, inner_step, core_step, sibling_step;
};

static void spread_is(const struct machine *m, const struct grid *g)
{
	unsigned os[PUS_MAX], n = 0;

	for (unsigned s = 0; s < g->siblings; s++)
		for (unsigned c = 0; c < g->cores; c++)
			for (unsigned i = 0; i < g->inner; i++)
				for (unsigned o = 0; o < g->outer; o++)
					os[n++] = o * g->outer_step + i * g->inner_step +
						  c * g->core_step + s * g->sibling_step;
	order_is(m, PLACEMENT_SPREAD, os, n);
}

static void real_128_core_arm_server(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "128arm-2pa2n8cluster4co.xml");
	spread_is(&m, &(struct grid){2, 2, 32, 1, 64, 32, 1, 0});
	boundaries_are(&m, PLACEMENT_COMPACT, "NUMA node 2@32 package 2@64 NUMA node 4@96");
	machine_unload(&m);
}

static void real_cgroup_shows_four_pus(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "16amd64-4n4c-cgroup-distance-merge.xml");
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 1, 2, 3);
	ORDER_IS(&m, PLACEMENT_SPREAD, 0, 1, 2, 3);
	assert_int_equal(m.hidden_pus, 12);
	machine_unload(&m);
}

static void real_packages_of_two_and_three_cores(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "16em64t-4s2ca2c-cpusetreorder.xml");
	ORDER_IS(&m, PLACEMENT_COMPACT, 8, 4, 9, 5, 13, 2, 10, 6, 3, 11, 7);
	ORDER_IS(&m, PLACEMENT_SPREAD, 8, 9, 2, 3, 4, 5, 10, 11, 13, 6, 7);
	boundaries_are(&m, PLACEMENT_COMPACT, "package 2@2 package 3@5 package 4@8");
	machine_unload(&m);
}

static void real_hybrid_laptop(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "20em64t-hybrid-1p6c2t+2ca4co1t.xml");
	ORDER_IS(&m, PLACEMENT_COMPACT, 0, 2, 4, 6, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 1, 3, 5,
		7, 9, 11);
	boundaries_are(&m, PLACEMENT_COMPACT, "E-cores@6 SMT@14");
	machine_unload(&m);
}

static void real_machine_with_64_nodes(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "256ia64-64n2s2c.xml");
	spread_is(&m, &(struct grid){64, 2, 2, 1, 4, 2, 1, 0});
	counts_are(
		&m, PLACEMENT_SPREAD, "1 2 3 4 5 6 8 9 12 16 17 24 32 33 48 64 65 96 128 192 256");
	machine_unload(&m);
}

static void real_smt4_server(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "256ppc-8n8s4t.xml");
	spread_is(&m, &(struct grid){8, 8, 1, 4, 32, 4, 0, 1});
	machine_unload(&m);
}

static void real_packages_of_two_nodes(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "64amd64-4s2n4ca2co.xml");
	spread_is(&m, &(struct grid){4, 2, 8, 1, 16, 8, 1, 0});
	machine_unload(&m);
}

static void real_numbers_that_do_not_follow_the_cores(void **state)
{
	static const unsigned core[] = {0, 2, 1, 3}; // two caches of cores 0 and 2, 1 and 3
	struct machine m;
	unsigned os[64];
	(void)state;

	load_real(&m, "64fake-4n2s2ca2c2t.xml");
	for (unsigned i = 0; i < 64; i++)
		os[i] = i % 4 * 16 + i / 4 % 2 * 8 + core[i / 8 % 4] + i / 32 * 4;
	order_is(&m, PLACEMENT_SPREAD, os, 64);
	machine_unload(&m);
}

static void real_nodes_of_four_packages(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "96em64t-4no4pa3ca2co.xml");
	spread_is(&m, &(struct grid){4, 4, 6, 1, 24, 1, 4, 0});
	machine_unload(&m);
}

static void real_offline_cpu_0_is_never_used(void **state)
{
	struct machine m;
	(void)state;

	load_real(&m, "offline-cpu0-node0.xml");
	ORDER_IS(
		&m, PLACEMENT_SPREAD, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
	boundaries_are(&m, PLACEMENT_COMPACT, "package 2@9");
	machine_unload(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_socket_server_spreads_over_packages_then_nodes),
		cmocka_unit_test(eight_socket_server_fills_448_threads),
		cmocka_unit_test(beyond_eight_packages_only_powers_of_two_are_counted),
		cmocka_unit_test(hybrid_laptop_fills_fast_cores_first),
		cmocka_unit_test(three_core_kinds_are_numbered_from_the_fastest),
		cmocka_unit_test(container_uses_its_three_allowed_pus_only),
		cmocka_unit_test(two_cores_without_smt_have_no_boundary),
		cmocka_unit_test(smt4_uses_all_cores_before_each_further_sibling),
		cmocka_unit_test(nodes_holding_several_packages_are_outermost),
		cmocka_unit_test(system_numbers_need_not_follow_the_cores),
		cmocka_unit_test(without_core_objects_each_pu_is_a_core),
		cmocka_unit_test(without_packages_and_nodes_the_machine_is_one),
		cmocka_unit_test(uneven_packages_take_turns_until_one_is_full),
		cmocka_unit_test(spread_over_packages_keeps_slow_cores_last),
		cmocka_unit_test(output_never_exceeds_the_room_given),
		cmocka_unit_test(names_are_parsed_back_and_others_refused),
		cmocka_unit_test(real_128_core_arm_server),
		cmocka_unit_test(real_cgroup_shows_four_pus),
		cmocka_unit_test(real_packages_of_two_and_three_cores),
		cmocka_unit_test(real_hybrid_laptop),
		cmocka_unit_test(real_machine_with_64_nodes),
		cmocka_unit_test(real_smt4_server),
		cmocka_unit_test(real_packages_of_two_nodes),
		cmocka_unit_test(real_numbers_that_do_not_follow_the_cores),
		cmocka_unit_test(real_nodes_of_four_packages),
		cmocka_unit_test(real_offline_cpu_0_is_never_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
