// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "progress.h"

static const uint64_t redraw_ns = 100000000, line_ns = 10000000000;

void progress_start(struct progress *p, bool quiet, size_t done, size_t total)
{
	*p = (struct progress){.quiet = quiet,
		.terminal = isatty(STDERR_FILENO),
		.done = done,
		.at_start = done,
		.total = total,
		.start_ns = clock_ns(),
		.unit = ""};
	p->shown_ns = p->start_ns;
}

static void put_time(char *buf, size_t size, double seconds)
{
	unsigned s = (unsigned)(seconds + 0.5);
	if (s >= 3600)
		snprintf(buf, size, "%u h %02u min", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(buf, size, "%u min %02u s", s / 60, s % 60);
	else
		snprintf(buf, size, "%u s", s);
}

static unsigned columns(void)
{
	struct winsize w;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 100;
}

static void compose(const struct progress *p, char *line, size_t size)
{
	char elapsed[32], remaining[32] = "?", rate[64] = "";
	double seconds = (double)(clock_ns() - p->start_ns) * 1e-9;
	size_t now = p->done - p->at_start;
	put_time(elapsed, sizeof elapsed, seconds);
	if (now > 0)
		put_time(remaining, sizeof remaining,
			seconds / (double)now * (double)(p->total - p->done));
	if (p->estimate > 0)
		snprintf(rate, sizeof rate, "  %.4g M %s/s", p->estimate * 1e-6, p->unit);
	snprintf(line, size, "%zu/%zu samples, %s, %s left  %s%s", p->done, p->total, elapsed,
		remaining, p->point, rate);
}

void progress_show(struct progress *p)
{
	char line[512];
	uint64_t now = clock_ns();
	if (p->quiet || now - p->shown_ns < (p->terminal ? redraw_ns : line_ns))
		return;
	p->shown_ns = now;
	compose(p, line, sizeof line);
	if (p->terminal)
		fprintf(stderr, "\r\033[K%.*s", (int)columns() - 1, line);
	else
		fprintf(stderr, "%s\n", line);
	fflush(stderr);
}

void progress_clear(struct progress *p)
{
	if (!p->quiet && p->terminal)
		fputs("\r\033[K", stderr);
}
