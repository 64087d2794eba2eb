// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counters.h"

const struct counter_event counters_hardware[COUNTERS] = {
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
};

static int open_one(const struct counter_event *event, int leader)
{
	struct perf_event_attr a = {
		.type = event->type,
		.size = sizeof a,
		.config = event->config,
		.disabled = leader < 0,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	return (int)syscall(SYS_perf_event_open, &a, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

int counters_open(struct counters *c, const struct counter_event events[COUNTERS])
{
	for (int i = 0; i < COUNTERS; i++)
		c->fd[i] = -1;
	for (int i = 0; i < COUNTERS; i++) {
		c->fd[i] = open_one(&events[i], c->fd[0]);
		if (c->fd[i] < 0) {
			int rc = -errno;
			counters_close(c);
			return rc;
		}
	}
	return 0;
}

void counters_close(struct counters *c)
{
	for (int i = 0; i < COUNTERS; i++) {
		if (c->fd[i] >= 0)
			close(c->fd[i]);
		c->fd[i] = -1;
	}
}

void counters_start(struct counters *c)
{
	if (c->fd[0] < 0)
		return;
	ioctl(c->fd[0], PERF_EVENT_IOC_RESET, PERF_IOC_FLAG_GROUP);
	ioctl(c->fd[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

void counters_stop(struct counters *c, struct counts *counts)
{
	struct {
		uint64_t count, enabled_ns, running_ns, value[COUNTERS];
	} group = {0};
	*counts = (struct counts){0};
	if (c->fd[0] < 0)
		return;
	ioctl(c->fd[0], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	if (read(c->fd[0], &group, sizeof group) != (ssize_t)sizeof group)
		return;
	/* Where others share the few counters there are, what is missing would be a guess. */
	counts->known = group.count == COUNTERS && group.running_ns == group.enabled_ns;
	memcpy(counts->value, group.value, sizeof counts->value);
}

static int paranoid(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = -2;
	if (f && fscanf(f, "%d", &level) != 1)
		level = -2;
	if (f)
		fclose(f);
	return level;
}

char *counters_availability(char *buf, size_t size)
{
	struct counters c;
	int rc = counters_open(&c, counters_hardware), level = paranoid();
	counters_close(&c);
	if (!rc)
		snprintf(buf, size, "available");
	else if (rc == -ENOENT || rc == -EOPNOTSUPP || rc == -ENODEV)
		snprintf(buf, size,
			"none: this machine shows no performance monitoring unit (most virtual "
			"machines have none)");
	else if (rc == -ENOSYS)
		snprintf(buf, size, "none: this kernel has no perf_event_open");
	else if ((rc == -EACCES || rc == -EPERM) && level > 2)
		snprintf(buf, size,
			"refused: kernel.perf_event_paranoid is %d; 2 or less lets everybody count "
			"in user space",
			level);
	else if (rc == -EACCES || rc == -EPERM)
		snprintf(buf, size,
			"refused: perf_event_open is forbidden here (a container's seccomp filter, "
			"perhaps), though kernel.perf_event_paranoid is %d",
			level);
	else
		snprintf(buf, size, "none: perf_event_open: %s", strerror(-rc));
	return buf;
}
