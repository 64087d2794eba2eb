// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "usage.h"

int schedstat_open(void)
{
	return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

// The file's second number is the time spent waiting on a run queue.
static uint64_t schedstat_wait(int fd)
{
	char text[96];
	unsigned long long run, wait;
	ssize_t got = pread(fd, text, sizeof text - 1, 0);
	if (got <= 0)
		return 0;
	text[got] = '\0';
	return sscanf(text, "%llu %llu", &run, &wait) == 2 ? wait : 0;
}

void usage_read(struct usage *u, int fd)
{
	struct rusage r = {0};
	struct timespec cpu = {0};
	getrusage(RUSAGE_THREAD, &r);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	*u = (struct usage){
		.cpu_ns = timespec_ns(&cpu),
		.wait_ns = fd >= 0 ? schedstat_wait(fd) : 0,
		.voluntary = (uint64_t)r.ru_nvcsw,
		.involuntary = (uint64_t)r.ru_nivcsw,
		.page_faults = (uint64_t)(r.ru_minflt + r.ru_majflt),
	};
}

void usage_read_process(struct usage *u)
{
	struct rusage r = {0};
	struct timespec cpu = {0};
	getrusage(RUSAGE_SELF, &r);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	*u = (struct usage){
		.cpu_ns = timespec_ns(&cpu),
		.voluntary = (uint64_t)r.ru_nvcsw,
		.involuntary = (uint64_t)r.ru_nivcsw,
	};
}

static bool among(
	unsigned cpu, unsigned count, unsigned (*pu)(const void *, unsigned), const void *arg)
{
	for (unsigned i = 0; i < count; i++)
		if (pu(arg, i) == cpu)
			return true;
	return false;
}

uint64_t stolen_ns(unsigned count, unsigned (*pu)(const void *, unsigned), const void *arg)
{
	FILE *f = fopen("/proc/stat", "re");
	char line[512];
	uint64_t ticks = 0;
	if (!f)
		return 0;
	while (fgets(line, sizeof line, f)) {
		unsigned cpu;
		unsigned long long t[8];
		if (sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", &cpu, &t[0],
			    &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 9) {
			if (among(cpu, count, pu, arg))
				ticks += t[7];
		} else if (line[0] != 'c') {
			break; /* the CPU lines come first */
		}
	}
	fclose(f);
	return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}
