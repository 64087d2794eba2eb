// SPDX-License-Identifier: BSD-2-Clause
// What would spoil a measurement on this machine, in the order in which it hurts, each with a
// remedy that can be pasted. Reads a few dozen small files of /proc and /sys and nothing else; a
// file that is absent gives no warning.

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

struct list {
	const struct machine *m;
	const char *root;
	struct warning *w;
	size_t n, max;
};

__attribute__((format(printf, 3, 4))) static void warn(
	struct list *l, const char *remedy, const char *format, ...)
{
	if (l->n == l->max)
		return;

	struct warning *w = &l->w[l->n++];
	va_list args;
	va_start(args, format);
	vsnprintf(w->text, sizeof w->text, format, args);
	va_end(args);
	snprintf(w->remedy, sizeof w->remedy, "%s", remedy);
}

static FILE *open_file(const struct list *l, const char *path)
{
	char full[PATH_MAX];

	int n = snprintf(full, sizeof full, "%s%s", l->root, path);
	return n < (int)sizeof full ? fopen(full, "re") : NULL;
}

// The file's first line, without its end. False where there is none.
static bool read_line(const struct list *l, char *line, size_t room, const char *path)
{
	FILE *f = open_file(l, path);
	bool ok = f && fgets(line, (int)room, f);

	if (f)
		fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = 0;
	return ok;
}

static bool reads(const struct list *l, const char *path, const char *value)
{
	char line[128];

	return read_line(l, line, sizeof line, path) && !strcmp(line, value);
}

static void warn_allowed(struct list *l)
{
	const struct machine *m = l->m;

	if (m->allowed_pus < m->pus)
		warn(l,
			m->this_machine
				? "for the whole machine start without taskset, numactl and "
				  "--cpuset-cpus, "
				  "or ask the batch system for whole nodes (sbatch --exclusive); "
				  "cat /proc/self/status | grep Cpus_allowed_list shows the limit"
				: "export the topology from a shell that may use all of the "
				  "machine",
			"only %u of %u PUs are allowed: results speak for that part of the machine",
			m->allowed_pus, m->pus);
	if (!m->this_machine && m->hidden_pus)
		warn(l,
			"export it with all PUs online and outside of containers: lstopo "
			"machine.xml",
			"the topology mentions %u PUs that it does not describe (offline, or "
			"hidden by a "
			"cgroup where it was exported)",
			m->hidden_pus);
}

static void warn_cores(struct list *l)
{
	const struct machine *m = l->m;

	if (m->kinds > 1)
		warn(l,
			"read the curve up to the boundary \"E-cores\" or \"core kind 2\", or "
			"allow one "
			"kind only: taskset -c LIST (lockscale machine shows which PUs are which)",
			"cores are of %u kinds: adding slower ones bends every curve, even without "
			"sharing",
			m->kinds);
	if (m->allowed_pus > m->allowed_cores)
		warn(l,
			"judge speedup up to the boundary \"SMT\"; to leave siblings out: "
			"echo off | sudo tee /sys/devices/system/cpu/smt/control",
			"SMT siblings are in the set (%u PUs on %u cores): beyond %u workers two "
			"share "
			"a core",
			m->allowed_pus, m->allowed_cores, m->allowed_cores);
}

static void warn_governor(struct list *l)
{
	char path[96], line[64], seen[64] = "";
	unsigned slow = 0;

	for (unsigned i = 0; i < l->m->allowed_pus; i++) {
		snprintf(path, sizeof path,
			"/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", l->m->pu[i].os);
		if (!read_line(l, line, sizeof line, path) || !strcmp(line, "performance"))
			continue;
		slow++;
		memcpy(seen, line, sizeof seen);
	}
	if (slow)
		warn(l,
			"echo performance | "
			"sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
			"frequency governor is '%s' on %u of %u PUs: clocks rise late and unevenly",
			seen, slow, l->m->allowed_pus);
}

static void warn_turbo(struct list *l)
{
	const char *off = NULL;

	if (reads(l, "/sys/devices/system/cpu/intel_pstate/no_turbo", "0"))
		off = "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo";
	else if (reads(l, "/sys/devices/system/cpu/cpufreq/boost", "1"))
		off = "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost";
	else if (reads(l, "/sys/devices/system/cpu/cpufreq/policy0/boost", "1"))
		off = "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/policy*/boost";
	if (off)
		warn(l, off,
			"turbo is on: few busy cores clock higher than many; the control line "
			"shows by "
			"how much");
}

// The tightest quota from this cgroup up to the hierarchy's root, in CPUs; 0 where none is set.
// A path that does not exist below the mount point (a container's view) is walked up all the same.
static double tightest_quota(const struct list *l, const char *mount, const char *group, bool v2)
{
	char path[PATH_MAX], at[PATH_MAX], line[128];
	double tightest = 0;

	snprintf(at, sizeof at, "%s", group);
	for (;;) {
		double quota = 0, period = 0;
		size_t n = strlen(at);
		while (n && at[n - 1] == '/')
			at[--n] = 0;
		snprintf(path, sizeof path, "%.1000s%.2000s/%s", mount, at,
			v2 ? "cpu.max" : "cpu.cfs_quota_us");
		if (read_line(l, line, sizeof line, path))
			sscanf(line, "%lf %lf", &quota, &period); // "max" leaves quota 0
		snprintf(path, sizeof path, "%.1000s%.2000s/cpu.cfs_period_us", mount, at);
		if (!v2 && quota > 0 && read_line(l, line, sizeof line, path))
			sscanf(line, "%lf", &period);
		if (quota > 0 && period > 0 && (!tightest || quota / period < tightest))
			tightest = quota / period;
		char *slash = strrchr(at, '/');
		if (!slash)
			return tightest;
		*slash = 0;
	}
}

// True where a comma-separated list of controllers has "cpu" in it.
static bool has_cpu(const char *controllers)
{
	for (const char *c = controllers; *c; c += *c == ',') {
		size_t n = strcspn(c, ",");
		if (n == 3 && !strncmp(c, "cpu", 3))
			return true;
		c += n;
	}
	return false;
}

static void tighten(double *quota, double other)
{
	if (other > 0 && (!*quota || other < *quota))
		*quota = other;
}

static void warn_quota(struct list *l)
{
	char line[PATH_MAX], mount[PATH_MAX];
	double quota = 0;
	FILE *f = open_file(l, "/proc/self/cgroup");

	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group)
			continue;
		controllers++;
		*group++ = 0;
		if (!*controllers) { // version 2, alone or beside version 1
			tighten(&quota, tightest_quota(l, "/sys/fs/cgroup", group, true));
			tighten(&quota, tightest_quota(l, "/sys/fs/cgroup/unified", group, true));
		} else if (has_cpu(controllers)) {
			snprintf(mount, sizeof mount, "/sys/fs/cgroup/%.1000s", controllers);
			tighten(&quota, tightest_quota(l, mount, group, false));
			tighten(&quota, tightest_quota(l, "/sys/fs/cgroup/cpu", group, false));
		}
	}
	if (f)
		fclose(f);
	if (quota > 0 && quota < l->m->allowed_pus)
		warn(l,
			"start the container with whole CPUs instead of a quota: --cpuset-cpus "
			"instead "
			"of --cpus (docker), static CPU manager policy (Kubernetes), CPUQuota= "
			"(systemd)",
			"a cgroup CPU quota of %.3g CPUs stops all workers for parts of every "
			"period, "
			"with %u PUs allowed",
			quota, l->m->allowed_pus);
}

static bool is_virtual(const struct list *l)
{
	char line[4096];
	bool found = reads(l, "/sys/hypervisor/type", "xen") ||
		     read_line(l, line, sizeof line, "/proc/device-tree/hypervisor/compatible");
	FILE *f = found ? NULL : open_file(l, "/proc/cpuinfo");

	while (f && !found && fgets(line, sizeof line, f)) {
		if (strncmp(line, "flags", 5))
			continue;
		found = strstr(line, " hypervisor") != NULL;
		break; // all PUs say the same
	}
	if (f)
		fclose(f);
	static const char *const hosts[] = {
		"QEMU", "KVM", "VMware", "VirtualBox", "Virtual Machine"};
	if (!found && read_line(l, line, sizeof line, "/sys/class/dmi/id/product_name"))
		for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
			found |= strstr(line, hosts[i]) != NULL;
	return found;
}

static void warn_hypervisor(struct list *l)
{
	if (is_virtual(l))
		warn(l,
			"measure on bare metal, or ask for dedicated, pinned vCPUs; compare only "
			"points "
			"of the same mode",
			"a hypervisor runs this machine: it may move vCPUs between cores, so that "
			"line "
			"transfer and contended results have two modes; siblings may be hidden");
}

// Non-idle and stolen time since boot, in ticks.
static bool read_ticks(const struct list *l, double *busy, double *stolen)
{
	double user, nice, system, idle, wait, irq, softirq, steal;
	char line[256];

	if (!read_line(l, line, sizeof line, "/proc/stat"))
		return false;
	if (sscanf(line, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &wait,
		    &irq, &softirq, &steal) != 8)
		return false;
	*busy = user + nice + system + irq + softirq;
	*stolen = steal;
	return true;
}

static void warn_steal(struct list *l)
{
	double busy, stolen;

	if (!read_ticks(l, &busy, &stolen) || stolen < 0.005 * (busy + stolen))
		return;
	warn(l, "use a dedicated host or an instance type without shared or burstable CPUs",
		"the hypervisor has withheld %.1f %% of the CPU time asked for since boot (steal)",
		100 * stolen / (busy + stolen));
}

// Tasks that run or want to, this one among them. 0 where unknown.
static unsigned running_tasks(const struct list *l)
{
	char line[4096];
	unsigned running = 0;
	FILE *f = open_file(l, "/proc/stat");

	while (f && !running && fgets(line, sizeof line, f))
		if (sscanf(line, "procs_running %u", &running) != 1)
			running = 0;
	if (f)
		fclose(f);
	return running;
}

// Looks three times, so that something that runs for a millisecond is no reason to warn.
static void warn_busy(struct list *l)
{
	enum { LOOKS = 3 };
	struct timespec pause = {.tv_nsec = 4 * 1000 * 1000};
	unsigned fewest = UINT_MAX;

	for (int i = 0; i < LOOKS && fewest > 1; i++) {
		if (i)
			nanosleep(&pause, NULL);
		unsigned running = running_tasks(l);
		if (running < fewest)
			fewest = running;
	}
	if (fewest > 1)
		warn(l, "wait until it is over, or stop it: top -o %CPU shows what runs",
			"other work is running: %u more %s at every look", fewest - 1,
			fewest == 2 ? "task" : "tasks");
}

static void warn_clock(struct list *l)
{
#if defined(__x86_64__) || defined(__i386__)
	char line[64];

	if (!read_line(l, line, sizeof line,
		    "/sys/devices/system/clocksource/clocksource0/current_clocksource"))
		return;
	if (strcmp(line, "tsc"))
		warn(l,
			"echo tsc | sudo tee "
			"/sys/devices/system/clocksource/clocksource0/current_clocksource "
			"(where available_clocksource beside it lists tsc)",
			"the clock source is '%s', not tsc: reading the clock is slower and may "
			"stop "
			"other workers",
			line);
#else
	(void)l;
#endif
}

static void warn_numa_balancing(struct list *l)
{
	char line[64];

	if (l->m->numa_nodes > 1 &&
		read_line(l, line, sizeof line, "/proc/sys/kernel/numa_balancing") &&
		strcmp(line, "0"))
		warn(l, "echo 0 | sudo tee /proc/sys/kernel/numa_balancing",
			"automatic NUMA balancing is on: it unmaps pages to watch who uses them "
			"and moves "
			"them during a sample");
}

// A mouse has a battery too: only those that power the system count.
static bool discharges(const struct list *l, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "/sys/class/power_supply/%.255s/scope", name);
	if (reads(l, path, "Device"))
		return false;
	snprintf(path, sizeof path, "/sys/class/power_supply/%.255s/type", name);
	if (!reads(l, path, "Battery"))
		return false;
	snprintf(path, sizeof path, "/sys/class/power_supply/%.255s/status", name);
	return reads(l, path, "Discharging");
}

static void warn_battery(struct list *l)
{
	char path[PATH_MAX];
	bool found = false;

	snprintf(path, sizeof path, "%s/sys/class/power_supply", l->root);
	DIR *d = opendir(path);
	for (struct dirent *entry; d && !found && (entry = readdir(d));)
		found = entry->d_name[0] != '.' && discharges(l, entry->d_name);
	if (d)
		closedir(d);
	if (found)
		warn(l, "connect the power supply",
			"this machine runs on battery: clocks are held down, and by how much "
			"varies");
}

static void warn_build(struct list *l)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	warn(l, "make clean, then make without SANITIZE",
		"this program was built with sanitizers: every time it measures is several times "
		"too "
		"long");
#endif
#if !defined(__OPTIMIZE__)
	warn(l, "make clean, then make with the default CFLAGS",
		"this program was built without optimisation: it measures the compiler, not the "
		"machine");
#endif
	(void)l;
}

size_t machine_warnings_under(
	const struct machine *m, const char *root, struct warning *w, size_t max)
{
	struct list l = {.m = m, .root = root, .w = w, .max = max};

	if (m->this_machine) {
		warn_busy(&l);
		warn_quota(&l);
		warn_steal(&l);
		warn_hypervisor(&l);
		warn_governor(&l);
		warn_battery(&l);
		warn_clock(&l);
		warn_numa_balancing(&l);
	}
	warn_allowed(&l);
	warn_cores(&l);
	if (m->this_machine)
		warn_turbo(&l);
	return l.n;
}

size_t machine_warnings(const struct machine *m, struct warning *w, size_t max)
{
	struct list l = {.m = m, .root = "", .w = w, .max = max};

	if (m->this_machine)
		warn_build(&l);
	return l.n + machine_warnings_under(m, "", w + l.n, max - l.n);
}
