// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server_program.h"

enum { REST_NS = 1000000 }; // of a background thread that waits for a window

static const char text[] =
	// a thread of its own
	"def connection(c, steps):\n"
	"    x = receive(c)\n"
	"    while x >= 0:\n"
	"        send(c, answer(x + 1, steps))\n"
	"        x = receive(c)\n"
	// one thread for many
	"def loop(steps):\n"
	"    while poll() > 0:\n"
	"        c = ready()\n"
	"        while c >= 0:\n"
	"            x = receive(c)\n"
	"            if x >= 0:\n"
	"                send(c, answer(x + 1, steps))\n"
	"            c = ready()\n"
	// CPU-bound, until the window ends
	"def background():\n"
	"    while started():\n"
	"        while running():\n"
	"            n = 1000\n"
	"            while n > 0:\n"
	"                n -= 1\n";

/* What programs call. */

static struct connection *connection_of(struct server_program *p, int64_t c)
{
	return &p->shared->connection[c];
}

static int64_t native_receive(void *program, const int64_t *a)
{
	struct server_program *p = program;
	struct connection *c = connection_of(p, a[0]);
	struct message m;
	ssize_t n;
	/* The counter has one writer. A0: release; pairs with A1 */
	store(&c->awaited, load(&c->awaited, relaxed) + 1, release);
	do
		n = recv(c->server, &m, sizeof m, MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	(void)load(&p->shared->running, acquire); /* B1: acquire; pairs with B0 */
	if (n == sizeof m)
		return (int64_t)m.number;
	if (p->epoll >= 0) {
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, c->server, NULL);
		p->open--;
	}
	return -1;
}

static int64_t native_send(void *program, const int64_t *a)
{
	struct connection *c = connection_of(program, a[0]);
	struct message m = {(uint64_t)a[1]};
	/* relaxed: one writer, and who reads it has had the answer */
	store(&c->served, load(&c->served, relaxed) + 1, relaxed);
	return send(c->server, &m, sizeof m, MSG_NOSIGNAL);
}

static int64_t native_poll(void *program, const int64_t *a)
{
	(void)a;
	struct server_program *p = program;
	p->next = p->ready = 0;
	while (p->open > 0 && p->ready <= 0) {
		p->ready = epoll_wait(p->epoll, p->event, READY_MOST, -1);
		if (p->ready < 0 && errno != EINTR)
			return 0;
	}
	return p->ready;
}

static int64_t native_ready(void *program, const int64_t *a)
{
	(void)a;
	struct server_program *p = program;
	return p->next < p->ready ? (int64_t)p->event[p->next++].data.u32 : -1;
}

// Looks now and then: nobody waits for the background.
static int64_t native_started(void *program, const int64_t *a)
{
	(void)a;
	struct server_shared *shared = ((struct server_program *)program)->shared;
	bool ending = false;
	fetch_add(&shared->resting, 1, release); /* C0: release; pairs with C1 */
	/* B1: acquire, both; pairs with B0 */
	while (!load(&shared->running, acquire) && !ending) {
		nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
		ending = load(&shared->ending, acquire);
	}
	fetch_sub(&shared->resting, 1, relaxed); /* relaxed: publishes nothing */
	return !ending;
}

static int64_t native_running(void *program, const int64_t *a)
{
	(void)a;
	struct server_program *p = program;
	return load(&p->shared->running, relaxed); /* relaxed: only says when */
}

// Those that wait or call the system release the lock, as Python's modules socket and select do.
static int add_natives(struct server_program *p)
{
	static const struct {
		const char *name;
		unsigned arguments;
		bool releases;
		int64_t (*function)(void *, const int64_t *);
	} native[] = {{"receive", 1, true, native_receive}, {"send", 2, true, native_send},
		{"poll", 0, true, native_poll}, {"ready", 0, false, native_ready},
		{"started", 0, true, native_started}, {"running", 0, false, native_running}};
	int rc = 0;
	for (size_t i = 0; i < sizeof native / sizeof *native && !rc; i++)
		rc = interpreter_native(p->interpreter, native[i].name, native[i].arguments,
			native[i].releases, native[i].function, p);
	return rc;
}

// One text: a program may be run once.
static int run_program(struct server_program *p, const char *answer)
{
	struct interpreter_error why;
	char whole[4096];
	snprintf(whole, sizeof whole, "%s%s", answer, text);
	struct interpreter_thread *t = interpreter_enter(p->interpreter, 0);
	if (!t)
		return ENOMEM;
	int rc = interpreter_run(t, "server.py", whole, &why);
	interpreter_leave(t);
	if (rc)
		return rc;
	p->answer = interpreter_function(p->interpreter, "answer");
	p->connection = interpreter_function(p->interpreter, "connection");
	p->loop = interpreter_function(p->interpreter, "loop");
	p->background = interpreter_function(p->interpreter, "background");
	return p->answer && p->connection && p->loop && p->background ? 0 : EINVAL;
}

int server_program_init(struct server_program *p, const struct interpreter_settings *settings,
	const char *answer, struct server_shared *shared)
{
	*p = (struct server_program){.shared = shared, .epoll = -1};
	int rc = interpreter_create(&p->interpreter, settings);
	if (!rc)
		rc = add_natives(p);
	return rc ? rc : run_program(p, answer);
}

int server_program_watch(struct server_program *p, unsigned first, unsigned step, unsigned count)
{
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll < 0)
		return errno;
	for (unsigned i = first; i < count; i += step) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
		if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->shared->connection[i].server, &e))
			return errno;
		p->open++;
	}
	return 0;
}

bool server_program_rests(
	const struct server_shared *shared, unsigned connections, unsigned background)
{
	for (unsigned i = 0; i < connections; i++) {
		const struct connection *c = &shared->connection[i];
		/* A1: acquire; pairs with A0. relaxed: what was served before is seen by then */
		uint64_t awaited = load(&c->awaited, acquire);
		if (awaited != load(&c->served, relaxed) + 1)
			return false;
	}
	return load(&shared->resting, acquire) == background; /* C1: acquire; pairs with C0 */
}

void server_program_fini(struct server_program *p)
{
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->interpreter)
		interpreter_destroy(p->interpreter);
	p->interpreter = NULL;
}
