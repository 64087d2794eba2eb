// SPDX-License-Identifier: BSD-2-Clause
// What kernel `server` serves with: an interpreter and the program in it, and what that program
// calls: the sockets, and who is ready, where one thread serves many connections.
#pragma once

#include <sys/epoll.h>

#include "interpreter/interpreter.h"
#include "server_clients.h"

enum { READY_MOST = 64 };

// What forked processes share with the one that measures.
struct server_shared {
	atomic_bool running; // the window
	atomic_bool ending;  // the point
	atomic_uint resting; // background threads that wait for a window
	struct connection connection[CONNECTIONS_MOST];
};

// Functions of the program: answer(x, steps), the caller's; connection(c, steps) serves connection
// c until it ends, in a thread of its own; loop(steps) serves all that are watched, until they end;
// background() computes while `running`, until `ending`.
struct server_program {
	struct interpreter *interpreter;
	struct server_shared *shared;
	const struct interpreter_function *answer, *connection, *loop, *background;
	int epoll;     // -1: none
	unsigned open; // connections that have not ended
	int ready, next;
	struct epoll_event event[READY_MOST];
};

// A new interpreter runs `answer` (the definition of the function of that name) and the rest of the
// program. Returns 0 or a positive errno; server_program_fini is called after either.
int server_program_init(struct server_program *p, const struct interpreter_settings *settings,
	const char *answer, struct server_shared *shared);
// loop() serves connections first, first + step, ... below count. Returns 0 or a positive errno.
int server_program_watch(struct server_program *p, unsigned first, unsigned step, unsigned count);
// Whether all threads wait: each connection's for its next request, `background` others for the
// next window. Then what they did before is seen here, and they see what was done here before the
// window.
bool server_program_rests(
	const struct server_shared *shared, unsigned connections, unsigned background);
// No thread is in it any more.
void server_program_fini(struct server_program *p);
