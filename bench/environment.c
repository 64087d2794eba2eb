// SPDX-License-Identifier: BSD-2-Clause
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "counters.h"
#include "environment.h"
#include "placement.h"
#include "version.h" /* made by the build: LOCKSCALE_COMMIT, LOCKSCALE_FLAGS */

const char lockscale_version[] = "0.1.0";

enum { BOUNDARIES_MOST = 1024, WARNINGS_MOST = 32 };

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *environment_build(void)
{
	return COMPILER ", " LOCKSCALE_FLAGS ", commit " LOCKSCALE_COMMIT;
}

static void add_first_line(json_t *o, const char *key, const char *path)
{
	char text[256];
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(text, sizeof text, f)) {
		text[strcspn(text, "\n")] = '\0';
		json_object_set_new(o, key, json_string(text));
	}
	fclose(f);
}

static void add_system(json_t *o)
{
	struct utsname u;
	char date[32];
	time_t now = time(NULL);
	struct tm local;
	uname(&u);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
	json_object_set_new(o, "host", json_string(u.nodename));
	json_object_set_new(o, "date", json_string(date));
	json_object_set_new(o, "kernel", json_sprintf("%s %s %s", u.sysname, u.release, u.machine));
	json_object_set_new(o, "glibc", json_string(gnu_get_libc_version()));
	add_first_line(o, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_first_line(o, "boost", "/sys/devices/system/cpu/cpufreq/boost");
	add_first_line(o, "no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo");
	add_first_line(o, "smt", "/sys/devices/system/cpu/smt/control");
	add_first_line(o, "clock_source",
		"/sys/devices/system/clocksource/clocksource0/current_clocksource");
	add_first_line(o, "hypervisor", "/sys/class/dmi/id/sys_vendor");
}

static json_t *boundaries(const struct machine *m)
{
	json_t *all = json_object();
	struct boundary b[BOUNDARIES_MOST];
	for (enum placement p = 0; p < PLACEMENT_NONE; p++) {
		json_t *list = json_array();
		size_t count = placement_boundaries(m, p, b, BOUNDARIES_MOST);
		for (size_t i = 0; i < count; i++)
			json_array_append_new(list, json_pack("{s:i, s:s}", "after",
							    (int)b[i].after, "what", b[i].what));
		json_object_set_new(all, placement_name(p), list);
	}
	return all;
}

static json_t *warnings(const struct machine *m)
{
	json_t *list = json_array();
	struct warning w[WARNINGS_MOST];
	size_t count = machine_warnings(m, w, WARNINGS_MOST);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(w[i].text));
	return list;
}

static json_t *command_line(int argc, char **argv)
{
	json_t *list = json_array();
	for (int i = 0; i < argc; i++)
		json_array_append_new(list, json_string(argv[i]));
	return list;
}

json_t *environment(const struct machine *m, int argc, char **argv)
{
	json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "version",
		lockscale_version, "cpu", m->cpu, "packages", (int)m->packages, "numa_nodes",
		(int)m->numa_nodes, "cores", (int)m->cores, "pus", (int)m->pus, "allowed_cores",
		(int)m->allowed_cores, "allowed_pus", (int)m->allowed_pus);
	json_t *allowed = json_array();
	for (unsigned i = 0; i < m->allowed_pus; i++)
		json_array_append_new(allowed, json_integer(m->pu[i].os));
	json_object_set_new(o, "allowed", allowed);
	add_system(o);
	json_object_set_new(o, "build", json_string(environment_build()));
	json_object_set_new(o, "libraries",
		json_sprintf("hwloc %x, jansson %s, GSL %s", hwloc_get_api_version(),
			JANSSON_VERSION, gsl_version));
	char counters[160];
	json_object_set_new(o, "hardware_counters",
		json_string(counters_availability(counters, sizeof counters)));
	json_object_set_new(o, "boundaries", boundaries(m));
	json_object_set_new(o, "warnings", warnings(m));
	json_object_set_new(o, "command", command_line(argc, argv));
	return o;
}
