// SPDX-License-Identifier: BSD-2-Clause
// The measuring process: a fresh process that the run starts, hands its visits, and listens to.
// Both ends of the conversation are here. Each line is one JSON object: {"type": "begin"} before
// a visit, "alive" about every second while it makes progress, "note" where a kernel has something
// to say of its input, and "sample" or "failure" after; "end" at last.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "plan.h"

struct measuring {
	pid_t pid;
	int from; // lines come here
};

// Starts a process that measures these visits: all of them interposed (plan_interposed) or none.
// pictures: folder for what kernels draw, or null. Returns 0 or a negative errno with a message.
int measure_start(struct measuring *m, const struct plan *p, const struct visit *visits,
	size_t count, const char *pictures, struct error *e);

// Whether a measuring process of this plan can be started with its library preloaded. Returns 0 or
// -EINVAL with a message.
int measure_try_preload(const struct plan *p, struct error *e);

// The other end: `lockscale _measure`, started by measure_start alone.
int cmd_measure(int argc, char **argv);

// Which of a kernel's parameters a "kernel.name=value" sets. Returns 0 or a negative errno with a
// message that names the accepted ones; tries the value out (so an unreadable file is found now).
int measure_check_param(const char *text, json_t *params, struct error *e);
