// SPDX-License-Identifier: BSD-2-Clause
// Claims about loading a machine, about the warnings (on planted /proc and /sys trees), and about
// what the SMT probe concludes from made-up rounds.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"
#include "smt_probe.h"

static void load(struct machine *m, const char *topology)
{
	struct error e;

	if (machine_load(m, topology, &e))
		fail_msg("%s", e.text);
}

static void counts_are(const char *topology, unsigned packages, unsigned nodes, unsigned cores,
	unsigned pus, unsigned kinds)
{
	struct machine m;

	load(&m, topology);
	assert_int_equal(m.packages, packages);
	assert_int_equal(m.numa_nodes, nodes);
	assert_int_equal(m.cores, cores);
	assert_int_equal(m.pus, pus);
	assert_int_equal(m.allowed_pus, pus);
	assert_int_equal(m.kinds, kinds);
	assert_false(m.this_machine);
	machine_unload(&m);
}

static void synthetic_descriptions_are_counted(void **state)
{
	(void)state;
	counts_are("pack:2 numa:2 l3:1 core:16 pu:2", 2, 4, 64, 128, 1);
	counts_are("pack:8 core:28 pu:2", 8, 1, 224, 448, 1);
	counts_are("pack:2 core:4", 2, 1, 8, 8, 1); // one PU a core where none is said
	counts_are("numa:4 pack:2 core:2 pu:4", 8, 4, 16, 64, 1);
	counts_are("pack:2 pu:4", 2, 1, 8, 8, 1);
}

static void refused(const char *topology, const char *part)
{
	struct machine m;
	struct error e = {""};

	assert_true(machine_load(&m, topology, &e) < 0);
	if (!strstr(e.text, part))
		fail_msg("'%s' not in: %s", part, e.text);
	assert_null(m.topology);
	machine_unload(&m); // harmless after a failure
}

static void wrong_descriptions_are_refused_by_name(void **state)
{
	static const char *const wrong[] = {"", "foo", "foo:3", "pack:0 core:2 pu:1",
		"pack:2 core:-1", "pu:", ":", "pack:2 core:2 pu:2 pu:2"};
	(void)state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char value[64];
		snprintf(value, sizeof value, "'%s'", wrong[i]);
		refused(wrong[i], value);
		refused(wrong[i], "pack:2 numa:2 l3:1 core:16 pu:2");
	}
}

static void gigantic_descriptions_do_not_fill_memory(void **state)
{
	(void)state;
	refused("pack:99999 core:99999 pu:2", "more than 4096 PUs");
	refused("pu:99999999999999999999999999", "more than 4096 PUs");
}

// Writes text to a fresh file, whose path replaces the pattern in path.
static void write_temp(char *path, const char *text, size_t n)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static void refused_xml(const char *text, size_t n, const char *part)
{
	char path[] = "/tmp/lockscale-test-XXXXXX";

	write_temp(path, text, n);
	refused(path, part);
	refused(path, path);
	unlink(path);
}

static void files_that_are_no_topology_are_refused(void **state)
{
	(void)state;
	refused("/", "is a directory");
	refused("/nonexistent/machine.xml", "No such file");
	refused("machine-that-is-not-here.xml", "No such file");
	refused("/dev/zero", "larger than");
	refused_xml("", 0, "empty file");
	refused_xml("hello\n", 6, "not an hwloc XML file");
	refused_xml("\0\0<topology>", 13, "not an hwloc XML file");
	refused_xml("<topology", 9, "not valid hwloc XML");
	refused_xml("<topology></topology>", 21, "not valid hwloc XML");
}

static void hwloc_3_files_are_named_as_such_before_hwloc_sees_them(void **state)
{
	static const char xml[] = "<?xml version='1.0'?><!DOCTYPE topology SYSTEM 'hwloc2.dtd'>"
				  "<topology version=\"3.0\"><object type=\"Machine\"/></topology>";
	(void)state;

	refused_xml(xml, strlen(xml), "format of hwloc 3");
	refused_xml(xml, strlen(xml), "--export-xml-flags v2");
}

static const char small[] =
	"<?xml version=\"1.0\"?>\n<topology version=\"2.0\">\n"
	"<object type=\"Machine\" os_index=\"0\" cpuset=\"0x7\" complete_cpuset=\"0xff\" "
	"allowed_cpuset=\"0x6\" nodeset=\"0x3\" complete_nodeset=\"0x3\" allowed_nodeset=\"0x3\" "
	"gp_index=\"1\">\n"
	"<info name=\"CPUModel\" value=\"  Example   CPU  @ 2 GHz \"/>\n"
	"<object type=\"NUMANode\" os_index=\"1\" cpuset=\"0x7\" complete_cpuset=\"0x7\" "
	"nodeset=\"0x2\" "
	"complete_nodeset=\"0x2\" gp_index=\"3\" local_memory=\"1024\"/>\n"
	"<object type=\"NUMANode\" os_index=\"0\" cpuset=\"0x7\" complete_cpuset=\"0x7\" "
	"nodeset=\"0x1\" "
	"complete_nodeset=\"0x1\" gp_index=\"2\" local_memory=\"1024\"/>\n"
	"<object type=\"PU\" os_index=\"0\" cpuset=\"0x1\" complete_cpuset=\"0x1\" nodeset=\"0x3\" "
	"complete_nodeset=\"0x3\" gp_index=\"10\"/>\n"
	"<object type=\"PU\" os_index=\"1\" cpuset=\"0x2\" complete_cpuset=\"0x2\" nodeset=\"0x3\" "
	"complete_nodeset=\"0x3\" gp_index=\"11\"/>\n"
	"<object type=\"PU\" os_index=\"2\" cpuset=\"0x4\" complete_cpuset=\"0x4\" nodeset=\"0x3\" "
	"complete_nodeset=\"0x3\" gp_index=\"12\"/>\n"
	"</object>\n</topology>\n";

static void xml_keeps_the_allowed_set_and_counts_the_whole(void **state)
{
	char path[] = "/tmp/lockscale-test-XXXXXX";
	struct machine m;
	(void)state;

	write_temp(path, small, strlen(small));
	load(&m, path);
	assert_int_equal(m.pus, 3);
	assert_int_equal(m.cores, 3);
	assert_int_equal(m.allowed_pus, 2);
	assert_int_equal(m.hidden_pus, 5);
	assert_int_equal(m.numa_nodes, 2);
	assert_int_equal(m.pu[0].os, 1);
	assert_int_equal(m.pu[0].numa, 1); // two are as near: the one with number 0
	assert_string_equal(m.cpu, "Example CPU @ 2 GHz");
	machine_unload(&m);
	unlink(path);
}

// hwloc itself crashes on some of these; the program must not.
static void damaged_files_never_crash(void **state)
{
	uint64_t random = 1;
	(void)state;

	for (int i = 0; i < 50; i++) {
		char text[sizeof small], path[] = "/tmp/lockscale-test-XXXXXX";
		struct machine m;
		struct error e;
		memcpy(text, small, sizeof small);
		for (int k = 0; k < 3; k++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			text[(random >> 33) % (sizeof small - 1)] = "0x1'<>f9"[random >> 61];
		}
		write_temp(path, text,
			i % 4 ? sizeof small - 1 : (size_t)(random >> 33) % sizeof small);
		machine_load(&m, path, &e);
		machine_unload(&m);
		unlink(path);
	}
}

static void exported_machine_loads_again_as_it_was(void **state)
{
	char path[] = "/tmp/lockscale-test-XXXXXX";
	struct machine m, again;
	(void)state;

	write_temp(path, "", 0);
	load(&m, NULL);
	assert_true(m.this_machine);
	assert_int_equal(machine_export(&m, path), 0);
	load(&again, path);
	assert_false(again.this_machine);
	assert_int_equal(again.allowed_pus, m.allowed_pus);
	assert_int_equal(again.cores, m.cores);
	assert_string_equal(again.cpu, m.cpu);
	assert_memory_equal(again.pu, m.pu, m.allowed_pus * sizeof *m.pu);
	assert_true(machine_export(&m, "/nonexistent/machine.xml") < 0);
	machine_unload(&again);
	machine_unload(&m);
	unlink(path);
}

static void binding_of_the_caller_limits_the_allowed_pus(void **state)
{
	cpu_set_t before, one;
	char path[] = "/tmp/lockscale-test-XXXXXX";
	struct machine m;
	unsigned os = 0;
	(void)state;

	assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
	while (!CPU_ISSET(os, &before))
		os++;
	CPU_ZERO(&one);
	CPU_SET(os, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	load(&m, NULL);
	assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
	assert_int_equal(m.allowed_pus, 1);
	assert_int_equal(m.pu[0].os, os);
	write_temp(path, "", 0);
	assert_int_equal(machine_export(&m, path), 0);
	machine_unload(&m);
	load(&m, path); // the file tells what was allowed
	assert_int_equal(m.allowed_pus, 1);
	machine_unload(&m);
	unlink(path);
}

static void pinned_thread_runs_where_it_was_pinned(void **state)
{
	cpu_set_t before;
	struct machine m, other;
	(void)state;

	assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
	load(&m, NULL);
	for (unsigned i = 0; i < m.allowed_pus; i++) {
		assert_int_equal(machine_pin(&m, m.pu[i].os), 0);
		assert_int_equal(sched_getcpu(), m.pu[i].os);
	}
	assert_true(machine_pin(&m, 4095) < 0);
	load(&other, "pack:1 core:2 pu:1");
	assert_true(machine_pin(&other, 0) < 0);
	assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
	machine_unload(&other);
	machine_unload(&m);
}

static void caches_are_listed_innermost_first(void **state)
{
	struct machine m;
	struct machine_cache c[8];
	(void)state;

	load(&m, "pack:2 l3:2(size=32MB) core:4 l2:1 pu:2");
	assert_int_equal(machine_caches(&m, c, 8), 2);
	assert_int_equal(c[0].level, 2);
	assert_int_equal(c[0].count, 16);
	assert_int_equal(c[1].level, 3);
	assert_int_equal(c[1].count, 4);
	assert_int_equal(c[1].cores, 4);
	assert_int_equal(machine_caches(&m, c, 1), 1);
	machine_unload(&m);
}

// Real machines, where the folder of their hwloc files is there.
struct real {
	const char *file;
	unsigned packages, nodes, cores, pus, kinds;
};

static void real_machines_are_counted_as_hwloc_does(void **state)
{
	static const struct real real[] = {
		{"128arm-2pa2n8cluster4co.xml", 2, 4, 128, 128, 1},
		{"16em64t-4s2ca2c-cpusetreorder.xml", 4, 1, 11, 11, 1},
		{"20em64t-hybrid-1p6c2t+2ca4co1t.xml", 1, 1, 14, 20, 2},
		{"256ia64-64n2s2c.xml", 128, 64, 256, 256, 1},
		{"256ppc-8n8s4t.xml", 64, 8, 64, 256, 1},
		{"64amd64-4s2n4ca2co.xml", 4, 8, 64, 64, 1},
		{"64fake-4n2s2ca2c2t.xml", 8, 4, 32, 64, 1},
		{"96em64t-4no4pa3ca2co.xml", 16, 4, 96, 96, 1},
		{"offline-cpu0-node0.xml", 2, 1, 17, 17, 1},
	};
	const char *folder = getenv("LOCKSCALE_TOPOLOGIES");
	char path[PATH_MAX];
	(void)state;

	folder = folder ? folder : "../shared/topologies";
	if (access(folder, R_OK)) {
		print_message("skipped: no folder %s (set LOCKSCALE_TOPOLOGIES)\n", folder);
		skip();
	}
	for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
		const struct real *x = &real[i];
		snprintf(path, sizeof path, "%s/%s", folder, x->file);
		counts_are(path, x->packages, x->nodes, x->cores, x->pus, x->kinds);
	}
	snprintf(path, sizeof path, "%s/hwloc3-format.xml", folder);
	refused(path, "format of hwloc 3");
}

// ---- warnings

// A planted tree and a machine of two packages with two cores each to go with it.
struct planted {
	char root[32];
	struct machine_pu pu[8];
	struct machine m;
	struct warning w[32];
	size_t n;
};

static void plant(const struct planted *t, const char *path, const char *text)
{
	char full[PATH_MAX];

	snprintf(full, sizeof full, "%s%s", t->root, path);
	for (char *slash = full + strlen(t->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(full, 0700);
		*slash = '/';
	}
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

#define CPU "/sys/devices/system/cpu/"
#define CLOCK "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static int setup(void **state)
{
	struct planted *t = calloc(1, sizeof *t);

	strcpy(t->root, "/tmp/lockscale-test-XXXXXX");
	if (!mkdtemp(t->root))
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		char path[64];
		t->pu[i] = (struct machine_pu){.os = i, .core = i, .package = i / 2, .numa = i / 2};
		snprintf(path, sizeof path, CPU "cpu%u/cpufreq/scaling_governor", i);
		plant(t, path, "performance\n");
	}
	t->m = (struct machine){.packages = 2,
		.numa_nodes = 2,
		.cores = 4,
		.pus = 4,
		.allowed_cores = 4,
		.allowed_pus = 4,
		.kinds = 1,
		.this_machine = true,
		.pu = t->pu};
	plant(t, "/proc/stat", "cpu  1000 0 1000 90000 0 0 0 5 0 0\nprocs_running 1\n");
	plant(t, "/proc/cpuinfo", "flags\t\t: fpu sse2 rdtscp\n");
	plant(t, "/proc/self/cgroup", "0::/user.slice/a\n");
	plant(t, "/proc/sys/kernel/numa_balancing", "0\n");
	plant(t, "/sys/fs/cgroup/user.slice/a/cpu.max", "max 100000\n");
	plant(t, "/sys/class/power_supply/BAT0/type", "Battery\n");
	plant(t, "/sys/class/power_supply/BAT0/status", "Charging\n");
	plant(t, "/sys/class/power_supply/mouse/type", "Battery\n");
	plant(t, "/sys/class/power_supply/mouse/scope", "Device\n");
	plant(t, "/sys/class/power_supply/mouse/status", "Discharging\n");
	plant(t, CPU "intel_pstate/no_turbo", "1\n");
	plant(t, CPU "cpufreq/boost", "0\n");
	plant(t, CLOCK, "tsc\n");
	*state = t;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct planted *t = *state;
	int err = nftw(t->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(t);
	return err;
}

static size_t ask(struct planted *t)
{
	t->n = machine_warnings_under(&t->m, t->root, t->w, 32);
	return t->n;
}

// Exactly one warning, with these words in its text and in its remedy.
static void warns(struct planted *t, const char *text, const char *remedy)
{
	ask(t);
	for (size_t i = 0; i < t->n; i++)
		print_message("  %s -> %s\n", t->w[i].text, t->w[i].remedy);
	assert_int_equal(t->n, 1);
	assert_non_null(strstr(t->w[0].text, text));
	assert_non_null(strstr(t->w[0].remedy, remedy));
	assert_true(strlen(t->w[0].text) < sizeof t->w[0].text - 1); // not cut off
	assert_true(strlen(t->w[0].remedy) < sizeof t->w[0].remedy - 1);
}

static void clean_system_gives_no_warning(void **state)
{
	assert_int_equal(ask(*state), 0);
}

static void empty_system_gives_no_warning(void **state)
{
	struct planted *t = *state;

	assert_int_equal(machine_warnings_under(&t->m, "/nonexistent", t->w, 32), 0);
}

static void slow_governor_is_warned_about(void **state)
{
	plant(*state, CPU "cpu2/cpufreq/scaling_governor", "powersave\n");
	warns(*state, "'powersave' on 1 of 4 PUs", "echo performance | sudo tee");
}

static void turbo_is_warned_about(void **state)
{
	plant(*state, CPU "intel_pstate/no_turbo", "0\n");
	warns(*state, "turbo is on",
		"echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo");
	plant(*state, CPU "intel_pstate/no_turbo", "1\n");
	plant(*state, CPU "cpufreq/boost", "1\n");
	warns(*state, "turbo is on", "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost");
}

static void siblings_are_warned_about(void **state)
{
	struct planted *t = *state;

	t->m.allowed_cores = 2;
	warns(t, "4 PUs on 2 cores", "smt/control");
}

static void core_kinds_are_warned_about(void **state)
{
	struct planted *t = *state;

	t->m.kinds = 2;
	warns(t, "2 kinds", "taskset");
}

static void fewer_allowed_pus_are_warned_about(void **state)
{
	struct planted *t = *state;

	t->m.allowed_pus = t->m.allowed_cores = 3;
	warns(t, "only 3 of 4 PUs", "taskset");
}

static void cgroup_quota_is_warned_about(void **state)
{
	plant(*state, "/sys/fs/cgroup/user.slice/a/cpu.max", "150000 100000\n");
	warns(*state, "quota of 1.5 CPUs", "--cpuset-cpus");
}

static void quota_of_a_parent_cgroup_is_warned_about(void **state)
{
	plant(*state, "/sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n");
	warns(*state, "quota of 2 CPUs", "--cpuset-cpus");
}

static void quota_seen_from_inside_a_container_is_warned_about(void **state)
{
	plant(*state, "/proc/self/cgroup", "0::/\n");
	plant(*state, "/sys/fs/cgroup/cpu.max", "300000 100000\n");
	warns(*state, "quota of 3 CPUs", "--cpuset-cpus");
}

static void quota_of_version_1_cgroups_is_warned_about(void **state)
{
	plant(*state, "/proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n");
	plant(*state, "/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "50000\n");
	plant(*state, "/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
	warns(*state, "quota of 0.5 CPUs", "--cpuset-cpus");
}

static void quota_that_cannot_bind_is_no_reason_to_warn(void **state)
{
	plant(*state, "/sys/fs/cgroup/user.slice/a/cpu.max", "400000 100000\n");
	assert_int_equal(ask(*state), 0);
	plant(*state, "/proc/self/cgroup", "4:cpu:/docker\n");
	plant(*state, "/sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us", "-1\n");
	plant(*state, "/sys/fs/cgroup/cpu/docker/cpu.cfs_period_us", "100000\n");
	assert_int_equal(ask(*state), 0);
}

static void hypervisor_is_warned_about(void **state)
{
	plant(*state, "/proc/cpuinfo", "vendor_id: x\nflags\t\t: fpu sse2 hypervisor lahf_lm\n");
	warns(*state, "hypervisor", "bare metal");
	plant(*state, "/proc/cpuinfo", "processor: 0\n");
	plant(*state, "/sys/class/dmi/id/product_name", "KVM Virtual Machine\n");
	warns(*state, "hypervisor", "bare metal");
}

static void steal_is_warned_about(void **state)
{
	plant(*state, "/proc/stat", "cpu  1000 0 800 90000 0 0 0 200 0 0\nprocs_running 1\n");
	warns(*state, "10.0 %", "dedicated");
}

static void other_work_is_warned_about(void **state)
{
	plant(*state, "/proc/stat", "cpu  1000 0 1000 90000 0 0 0 5 0 0\nprocs_running 4\n");
	warns(*state, "3 more tasks", "top");
}

static void slow_clock_is_warned_about(void **state)
{
#if !defined(__x86_64__)
	print_message("skipped: clock sources are only judged on x86\n");
	skip();
#endif
	plant(*state, CLOCK, "hpet\n");
	warns(*state, "'hpet'", "echo tsc | sudo tee");
}

static void numa_balancing_is_warned_about_on_several_nodes(void **state)
{
	struct planted *t = *state;

	plant(t, "/proc/sys/kernel/numa_balancing", "1\n");
	warns(t, "NUMA balancing", "echo 0 | sudo tee /proc/sys/kernel/numa_balancing");
	t->m.numa_nodes = 1;
	assert_int_equal(ask(t), 0);
}

static void battery_is_warned_about(void **state)
{
	plant(*state, "/sys/class/power_supply/BAT0/status", "Discharging\n");
	warns(*state, "battery", "power supply");
}

static void other_machines_are_never_judged_by_this_system(void **state)
{
	struct planted *t = *state;

	plant(t, "/proc/stat", "cpu  1000 0 1000 90000 0 0 0 900 0 0\nprocs_running 4\n");
	t->m.this_machine = false;
	assert_int_equal(ask(t), 0);
	t->m.hidden_pus = 12;
	warns(t, "12 PUs", "lstopo");
}

static void warnings_never_exceed_the_room_given(void **state)
{
	struct planted *t = *state;

	t->m.kinds = 2;
	t->m.allowed_cores = 2;
	assert_int_equal(machine_warnings_under(&t->m, t->root, t->w, 1), 1);
	assert_int_equal(machine_warnings_under(&t->m, t->root, t->w, 0), 0);
}

// ---- SMT probe

static double uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(*state >> 11) / 9007199254740992.0;
}

static double gauss(uint64_t *state)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += uniform(state);
	return sum;
}

// Rates of a machine where core_of says who shares a core: k busy siblings share what one has,
// with a gain of a fifth for each further one, and noise on top.
static void simulate(struct smt_rounds *r, unsigned pus, unsigned rounds,
	unsigned (*core_of)(unsigned), double noise)
{
	uint64_t seed = 42;

	assert_int_equal(smt_rounds_init(r, pus, rounds), 0);
	smt_rounds_design(r, 7);
	for (unsigned k = 0; k < rounds; k++) {
		const uint8_t *active = r->active + (size_t)k * pus;
		for (unsigned i = 0; i < pus; i++) {
			unsigned sharing = 0;
			for (unsigned j = 0; j < pus; j++)
				sharing += active[j] && core_of(j) == core_of(i);
			double rate = (1 + 0.2 * (sharing - 1)) / (sharing ? sharing : 1);
			r->rate[(size_t)k * pus + i] =
				active[i] ? (float)(500 * rate * (1 + noise * gauss(&seed))) : 0;
		}
	}
}

static unsigned own_core(unsigned i)
{
	return i;
}

static unsigned hidden_core(unsigned i) // of 448: i and i + 112, i + 224 and i + 336
{
	return i % 112 + i / 224 * 112;
}

static unsigned four_a_core(unsigned i)
{
	return i % 16;
}

static unsigned one_core(unsigned i)
{
	(void)i;
	return 0;
}

static void infers(unsigned pus, unsigned rounds, unsigned (*core_of)(unsigned), double noise)
{
	struct smt_rounds r;
	struct smt_inference s;

	simulate(&r, pus, rounds, core_of, noise);
	assert_int_equal(smt_infer(&r, &s), 0);
	assert_int_equal(s.undecided, 0);
	for (unsigned i = 0; i < pus; i++) {
		unsigned lowest = 0;
		bool shared = false;
		while (core_of(lowest) != core_of(i))
			lowest++;
		for (unsigned j = 0; j < pus; j++)
			shared |= j != i && core_of(j) == core_of(i);
		assert_int_equal(s.group[i], lowest);
		assert_int_equal(s.state[i], shared ? SMT_SHARED : SMT_ALONE);
	}
	smt_inference_fini(&s);
	smt_rounds_fini(&r);
}

static void probe_finds_siblings_of_448_threads_whatever_is_claimed(void **state)
{
	(void)state;
	infers(448, smt_default_rounds(448), hidden_core, 0.05);
}

static void probe_finds_none_where_there_are_none(void **state)
{
	(void)state;
	infers(64, smt_default_rounds(64), own_core, 0.05);
	infers(2, smt_default_rounds(2), own_core, 0.05);
	infers(1, smt_default_rounds(1), own_core, 0.05);
}

static void probe_finds_four_siblings_a_core(void **state)
{
	(void)state;
	infers(64, smt_default_rounds(64), four_a_core, 0.05);
}

static void probe_finds_that_two_pus_are_one_core(void **state)
{
	(void)state;
	infers(2, smt_default_rounds(2), one_core, 0.05);
}

static void probe_says_so_when_noise_is_too_large(void **state)
{
	struct smt_rounds r;
	struct smt_inference s;
	(void)state;

	simulate(&r, 32, 40, own_core, 0.4);
	assert_int_equal(smt_infer(&r, &s), 0);
	assert_true(s.undecided > 28);
	assert_true(s.noise > 0.2);
	smt_inference_fini(&s);
	smt_rounds_fini(&r);
}

static void probe_is_not_misled_by_a_few_disturbed_rounds(void **state)
{
	struct smt_rounds r;
	struct smt_inference s;
	(void)state;

	simulate(&r, 16, 64, own_core, 0.03);
	for (unsigned i = 0; i < 16; i++) // two rounds at half speed for each, not the same ones
		for (unsigned k = i; k < 64; k += 32)
			r.rate[(size_t)k * 16 + i] /= 2;
	assert_int_equal(smt_infer(&r, &s), 0);
	assert_int_equal(s.undecided, 0);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(s.state[i], SMT_ALONE);
	smt_inference_fini(&s);
	smt_rounds_fini(&r);
}

static void design_is_balanced_for_each_pu_and_each_pair(void **state)
{
	struct smt_rounds r;
	(void)state;

	assert_int_equal(smt_rounds_init(&r, 12, 64), 0);
	smt_rounds_design(&r, 3);
	for (unsigned i = 0; i < 12; i++) {
		for (unsigned j = 0; j < 12; j++) {
			unsigned both = 0;
			for (unsigned k = 0; k < 64; k++)
				both += r.active[k * 12 + i] && r.active[k * 12 + j];
			if (i == j)
				assert_int_equal(both, 32);
			else
				assert_in_range(both, 6, 26);
		}
	}
	smt_rounds_fini(&r);
}

static void probe_measures_every_allowed_pu_of_this_machine(void **state)
{
	struct machine m;
	struct smt_rounds r;
	struct error e;
	unsigned missing = 0;
	(void)state;

	load(&m, NULL);
	assert_int_equal(smt_rounds_init(&r, m.allowed_pus, 8), 0);
	smt_rounds_design(&r, 5);
	assert_int_equal(smt_measure(&m, &r, &e), 0);
	for (unsigned i = 0; i < 8 * m.allowed_pus; i++)
		missing += r.active[i] ? !(r.rate[i] > 0) : 0;
	assert_int_equal(missing, 0);
	machine_unload(&m);
	load(&m, "pack:1 core:2 pu:1");
	assert_true(smt_measure(&m, &r, &e) < 0);
	machine_unload(&m);
	smt_rounds_fini(&r);
}

int main(void)
{
#define WARNING_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synthetic_descriptions_are_counted),
		cmocka_unit_test(wrong_descriptions_are_refused_by_name),
		cmocka_unit_test(gigantic_descriptions_do_not_fill_memory),
		cmocka_unit_test(files_that_are_no_topology_are_refused),
		cmocka_unit_test(hwloc_3_files_are_named_as_such_before_hwloc_sees_them),
		cmocka_unit_test(xml_keeps_the_allowed_set_and_counts_the_whole),
		cmocka_unit_test(damaged_files_never_crash),
		cmocka_unit_test(exported_machine_loads_again_as_it_was),
		cmocka_unit_test(binding_of_the_caller_limits_the_allowed_pus),
		cmocka_unit_test(pinned_thread_runs_where_it_was_pinned),
		cmocka_unit_test(caches_are_listed_innermost_first),
		cmocka_unit_test(real_machines_are_counted_as_hwloc_does),
		WARNING_TEST(clean_system_gives_no_warning),
		WARNING_TEST(empty_system_gives_no_warning),
		WARNING_TEST(slow_governor_is_warned_about),
		WARNING_TEST(turbo_is_warned_about),
		WARNING_TEST(siblings_are_warned_about),
		WARNING_TEST(core_kinds_are_warned_about),
		WARNING_TEST(fewer_allowed_pus_are_warned_about),
		WARNING_TEST(cgroup_quota_is_warned_about),
		WARNING_TEST(quota_of_a_parent_cgroup_is_warned_about),
		WARNING_TEST(quota_seen_from_inside_a_container_is_warned_about),
		WARNING_TEST(quota_of_version_1_cgroups_is_warned_about),
		WARNING_TEST(quota_that_cannot_bind_is_no_reason_to_warn),
		WARNING_TEST(hypervisor_is_warned_about),
		WARNING_TEST(steal_is_warned_about),
		WARNING_TEST(other_work_is_warned_about),
		WARNING_TEST(slow_clock_is_warned_about),
		WARNING_TEST(numa_balancing_is_warned_about_on_several_nodes),
		WARNING_TEST(battery_is_warned_about),
		WARNING_TEST(other_machines_are_never_judged_by_this_system),
		WARNING_TEST(warnings_never_exceed_the_room_given),
		cmocka_unit_test(probe_finds_siblings_of_448_threads_whatever_is_claimed),
		cmocka_unit_test(probe_finds_none_where_there_are_none),
		cmocka_unit_test(probe_finds_four_siblings_a_core),
		cmocka_unit_test(probe_finds_that_two_pus_are_one_core),
		cmocka_unit_test(probe_says_so_when_noise_is_too_large),
		cmocka_unit_test(probe_is_not_misled_by_a_few_disturbed_rounds),
		cmocka_unit_test(design_is_balanced_for_each_pu_and_each_pair),
		cmocka_unit_test(probe_measures_every_allowed_pu_of_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
