// SPDX-License-Identifier: BSD-2-Clause
// python: one program in a miniature Python (interpreter/), its work split evenly over the workers,
// under every known answer to "who may run now": the lock of Python 2, that of Python 3, no lock
// and counted references in two ways, an interpreter per worker, a process per worker. A fixed
// amount of work; each worker's share is one batch, so that nothing disturbs the lock's rhythm.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "interpreter/interpreter.h"
#include "kernel.h"

enum { WORKERS_MOST = 1024, WORK_MOST = 1000000000, SMALL_WORK = 1000 };

/* The programs. Each has a function work(n) that does n iterations. */

// The assembler puts them into this one; the paths are the build's, from its top folder.
#define PROGRAM_TEXT(NAME)                                                                         \
	__asm__(".pushsection .rodata\n"                                                           \
		"python_" #NAME "_text:\n"                                                         \
		".incbin \"kernels/interpreter/programs/" #NAME ".py\"\n"                          \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char python_##NAME##_text[]
PROGRAM_TEXT(countdown);
PROGRAM_TEXT(fib);
PROGRAM_TEXT(dict);
PROGRAM_TEXT(methods);
PROGRAM_TEXT(native);
PROGRAM_TEXT(item);
PROGRAM_TEXT(attribute);
PROGRAM_TEXT(global);

// What work(n) returns: a constant and a multiple of n.
struct program_text {
	const char *name, *text;
	unsigned weight; // an iteration takes about as long as that many of countdown
	int64_t returns, per_iteration;
};

static const struct program_text programs[] = {
	{"countdown", python_countdown_text, 1, 0, 0},
	{"fib", python_fib_text, 100, 0, 8},
	{"dict", python_dict_text, 5, 0, 1},
	{"methods", python_methods_text, 5, 0, 1},
	{"native", python_native_text, 1, 0, 1},
	{"item", python_item_text, 2, 1000000, 0},
	{"attribute", python_attribute_text, 2, 1000000, 0},
	{"global", python_global_text, 2, 0, 1},
	{0},
};
enum { NATIVE = 4 };

/* The input: which program, how much of it, and the interpreters' switches. */

struct job {
	const struct program_text *program;
	uint64_t work;                        // in iterations of countdown
	struct interpreter_settings settings; // but for mode and native_keeps_lock
	bool cond;                            // gil-2 as mutex and condition
	unsigned rounds_per_call;             // of native work
};

static int no_such(struct input *in, const char *name)
{
	snprintf(in->error, sizeof in->error, "no such %s as '%s'", name, input_text(in, name));
	return EINVAL;
}

// The index of a parameter's value in a list ended by null.
static int choose(struct input *in, const char *name, const char *const *list, unsigned *index)
{
	for (*index = 0; list[*index]; ++*index)
		if (strcmp(list[*index], input_text(in, name)) == 0)
			return 0;
	return no_such(in, name);
}

static int choose_program(struct input *in, struct job *j)
{
	for (j->program = programs; j->program->name; j->program++)
		if (strcmp(j->program->name, input_text(in, "program")) == 0)
			return 0;
	return no_such(in, "program");
}

// A round of native work lasts about as long as an iteration of countdown: a chain in which no
// multiplication can begin before the one before it has ended.
enum { ROUND = 12 };

static void do_rounds(uint64_t rounds)
{
	uint64_t x = rounds;
	for (uint64_t i = 0; i < rounds * ROUND; i++) {
		x = x * 6364136223846793005u + 1;
		keep_in_register(x);
	}
}

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double round_ns(void)
{
	double shortest = 1e9;
	for (int i = 0; i < 20; i++) {
		double began = now_ns();
		do_rounds(1000);
		double took = (now_ns() - began) / 1000;
		shortest = took < shortest ? took : shortest;
	}
	return shortest > 0.1 ? shortest : 0.1;
}

// The extension's function: up to n rounds, as many as one call makes; returns how many.
static int64_t rounds(void *context, const int64_t *arguments)
{
	const struct job *j = context;
	int64_t most = j->rounds_per_call, n = arguments[0] < most ? arguments[0] : most;
	do_rounds((uint64_t)n);
	return n;
}

static int read_switches(struct input *in, struct job *j)
{
	unsigned gil = 0, check = 0, sharing = 0;
	struct interpreter_settings *s = &j->settings;
	int rc = choose(in, "gil", (const char *const[]){"semaphore", "cond", NULL}, &gil);
	if (!rc)
		rc = choose(
			in, "check", (const char *const[]){"jumps", "instructions", NULL}, &check);
	if (!rc)
		rc = choose(in, "sharing",
			(const char *const[]){[INTERPRETER_BIASED] = "biased",
				[INTERPRETER_DEFERRED] = "deferred",
				[INTERPRETER_IMMORTAL] = "immortal",
				NULL},
			&sharing);
	if (!rc)
		rc = input_whole(in, "interval", 1, 1000000, &s->check_interval);
	if (!rc)
		rc = input_whole(in, "switch-us", 1, 1000000, &s->switch_interval_us);
	j->cond = gil == 1;
	s->check_every_instruction = check == 1;
	s->sharing = (enum interpreter_sharing)sharing;
	return rc;
}

static int prepare(struct input *in)
{
	struct job *j = calloc(1, sizeof *j);
	unsigned work;
	double native_us;
	in->data = j;
	if (!j)
		return ENOMEM;
	int rc = choose_program(in, j);
	if (!rc)
		rc = read_switches(in, j);
	if (!rc)
		rc = input_whole(in, "work", SMALL_WORK, WORK_MOST, &work);
	if (!rc)
		rc = input_number(in, "native-us", 0.1, 100000, &native_us);
	if (rc)
		return rc;
	j->work = work;
	double per_call = native_us * 1000 / round_ns();
	j->rounds_per_call = per_call < 1           ? 1
			     : per_call > WORK_MOST ? WORK_MOST
						    : (unsigned)per_call;
	snprintf(in->note, sizeof in->note,
		"program %s; of native work %u rounds a call, each as long as %d dependent "
		"multiplications",
		j->program->name, j->rounds_per_call, ROUND);
	return 0;
}

static void unprepare(struct input *in)
{
	free(in->data);
}

/* State. */

// What a worker's share came to.
struct outcome {
	int64_t result;
	int error;                        // errno
	size_t objects_before, objects;   // of an interpreter of its own
	struct interpreter_counts counts; // of the same
};

struct python {
	const struct job *job;
	const struct program_text *program;
	struct interpreter_settings settings;
	uint64_t iterations;             // of all workers
	struct interpreter *interpreter; // of all workers; null where each has its own
	const struct interpreter_function *work;
	size_t objects; // of it, before any work
};

// A message to another interpreter: nothing in it is shared. One sender, one receiver, who take
// turns.
struct mailbox {
	LINE_ALIGNED atomic_bool full;
	struct outcome message; // of a share: the number of iterations, as its result
};

static void post(struct mailbox *m, const struct outcome *message)
{
	m->message = *message;
	store(&m->full, true, release); /* A0: release; pairs with A1 */
}

static bool receive(struct mailbox *m, struct outcome *message)
{
	if (!load(&m->full, acquire)) /* A1: acquire; pairs with A0 */
		return false;
	*message = m->message;
	store(&m->full, false,
		relaxed); /* relaxed: the sender waits for the answer, or a barrier */
	return true;
}

struct python_own {
	bool begun; // this makespan's share
	struct outcome outcome;
	/* subinterpreters; in the child of processes */
	struct interpreter *interpreter;
	const struct interpreter_function *work;
	size_t objects;
	struct mailbox in, out;
	/* processes */
	pid_t child;
	int socket; // to it
};

static uint64_t share_of(const struct python *p, unsigned index, unsigned count)
{
	return p->iterations * (index + 1) / count - p->iterations * index / count;
}

/* Interpreters. */

// Makes one, and runs the main program in it, which defines work(n).
static int load_program(const struct python *p, struct interpreter **i,
	const struct interpreter_function **work, size_t *objects)
{
	struct interpreter_error e;
	int rc = interpreter_create(i, &p->settings);
	if (rc)
		return rc;
	rc = interpreter_native(*i, "rounds", 1, true, rounds, (void *)p->job);
	struct interpreter_thread *t = rc ? NULL : interpreter_enter(*i, 0);
	if (!rc)
		rc = t ? interpreter_run(t, p->program->name, p->program->text, &e) : ENOMEM;
	if (t)
		interpreter_leave(t);
	*work = rc ? NULL : interpreter_function(*i, "work");
	if (!rc && !*work)
		rc = EINVAL;
	if (rc) {
		interpreter_destroy(*i);
		*i = NULL;
		return rc;
	}
	*objects = interpreter_objects(*i);
	return 0;
}

static void call_work(struct interpreter *i, const struct interpreter_function *work,
	unsigned index, uint64_t share, struct outcome *o)
{
	struct interpreter_error e;
	struct interpreter_thread *t = interpreter_enter(i, index);
	int64_t argument = (int64_t)share;
	o->result = 0;
	o->error = t ? interpreter_call(t, work, 1, &argument, &o->result, &e) : ENOMEM;
	if (t)
		interpreter_leave(t);
}

static void call_own_work(struct python_own *own, uint64_t share, struct outcome *o)
{
	call_work(own->interpreter, own->work, 0, share, o);
	o->objects_before = own->objects;
	o->objects = interpreter_objects(own->interpreter);
	interpreter_counts(own->interpreter, &o->counts);
}

/* Strategies. A share is done at once; the call after it says that there is no more. */

static uint64_t shared_interpreter(void *state, struct worker *w, uint64_t n)
{
	struct python *p = state;
	struct python_own *own = w->own;
	(void)n;
	if (own->begun)
		return 0;
	own->begun = true;
	uint64_t share = share_of(p, w->index, w->count);
	call_work(p->interpreter, p->work, w->index, share, &own->outcome);
	return share;
}

static uint64_t subinterpreters(void *state, struct worker *w, uint64_t n)
{
	struct python *p = state;
	struct python_own *own = w->own;
	struct outcome message;
	(void)n;
	if (!receive(&own->in, &message))
		return 0;
	uint64_t share = (uint64_t)message.result;
	/* Made, and touched first, by the worker whose it is. */
	message.error = own->interpreter
				? 0
				: load_program(p, &own->interpreter, &own->work, &own->objects);
	if (!message.error)
		call_own_work(own, share, &message);
	post(&own->out, &message);
	return share;
}

// The whole message or nothing. Returns whether it was read.
static bool read_whole(int fd, void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = read(fd, (char *)to + at, size - at);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

// A stream socket takes so little at once; and who has no reader is told so, not killed.
static bool send_whole(int fd, const void *from, size_t size)
{
	ssize_t n;
	do
		n = send(fd, from, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

// The child: its worker's PU is its own too, it has nothing open but the socket and where programs
// print, and it does not outlive whoever waits for it.
_Noreturn static void serve_shares(const struct python *p, int fd, pid_t parent)
{
	struct python_own own = {0};
	struct outcome o = {0};
	uint64_t share;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	dup2(fd, STDIN_FILENO);
	syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0); /* older than Linux 5.9: stay open */
	int rc = load_program(p, &own.interpreter, &own.work, &own.objects);
	while (read_whole(STDIN_FILENO, &share, sizeof share)) {
		o.error = rc;
		if (!rc)
			call_own_work(&own, share, &o);
		if (!send_whole(STDIN_FILENO, &o, sizeof o))
			break;
	}
	_exit(0);
}

static int start_child(const struct python *p, struct python_own *own)
{
	int ends[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return errno;
	pid_t child = fork();
	if (child == 0)
		serve_shares(p, ends[1], parent);
	int rc = errno;
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return rc;
	}
	own->child = child;
	own->socket = ends[0];
	return 0;
}

static uint64_t processes(void *state, struct worker *w, uint64_t n)
{
	struct python *p = state;
	struct python_own *own = w->own;
	struct outcome *o = &own->outcome;
	(void)n;
	if (own->begun)
		return 0;
	own->begun = true;
	uint64_t share = share_of(p, w->index, w->count);
	o->error = own->child ? 0 : start_child(p, own);
	if (!o->error && (!send_whole(own->socket, &share, sizeof share) ||
				 !read_whole(own->socket, o, sizeof *o)))
		o->error = EPIPE;
	return share;
}

static void end_child(struct python_own *own)
{
	/* Other children may hold the socket's end too, so that its closing alone tells nothing. */
	shutdown(own->socket, SHUT_RDWR);
	close(own->socket);
	while (waitpid(own->child, NULL, 0) < 0 && errno == EINTR)
		;
	own->child = 0;
}

/* A point's life. */

static bool own_interpreters(const struct variant *v)
{
	return STRATEGY_IS(v, "subinterpreters") || STRATEGY_IS(v, "processes");
}

static enum interpreter_mode mode_of(const struct job *j, const struct variant *v)
{
	int mode = interpreter_mode_find(v->strategy);
	if (mode == INTERPRETER_GIL_2 && j->cond)
		return INTERPRETER_GIL_2_COND;
	return mode < 0 ? INTERPRETER_GIL_3 : (enum interpreter_mode)mode;
}

static int create(struct run *r)
{
	struct python *p = r->state;
	bool native = STRATEGY_IS(r->variant, "gil-3-native");
	if (r->count > WORKERS_MOST)
		return ENOTSUP;
	p->job = r->input->data;
	p->program = native ? &programs[NATIVE] : p->job->program;
	p->iterations = p->job->work / p->program->weight;
	p->settings = p->job->settings;
	p->settings.mode = mode_of(p->job, r->variant);
	p->settings.native_keeps_lock = !native;
	if (own_interpreters(r->variant))
		return 0;
	return load_program(p, &p->interpreter, &p->work, &p->objects);
}

static void destroy(struct run *r)
{
	struct python *p = r->state;
	for (unsigned i = 0; i < r->count; i++) {
		struct python_own *own = r->workers[i]->own;
		if (own->child)
			end_child(own);
		if (own->interpreter)
			interpreter_destroy(own->interpreter);
	}
	if (p->interpreter)
		interpreter_destroy(p->interpreter);
}

static void begin(struct run *r)
{
	const struct python *p = r->state;
	for (unsigned i = 0; i < r->count; i++) {
		struct python_own *own = r->workers[i]->own;
		struct outcome share = {.result = (int64_t)share_of(p, i, r->count)};
		own->begun = false;
		if (STRATEGY_IS(r->variant, "subinterpreters"))
			post(&own->in, &share);
	}
}

// What its function returned is right, and as many objects exist as before.
static bool right(const struct python *p, const struct outcome *o, uint64_t share)
{
	const struct program_text *of = p->program;
	return !o->error && o->objects == o->objects_before &&
	       o->result == of->returns + of->per_iteration * (int64_t)share;
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct python *p = r->state;
	int64_t wrong = 0;
	uint64_t sum = 0;
	for (unsigned i = 0; i < r->count; i++) {
		struct python_own *own = r->workers[i]->own;
		uint64_t share = share_of(p, i, r->count);
		if (STRATEGY_IS(r->variant, "subinterpreters") &&
			!receive(&own->out, &own->outcome))
			own->outcome.error = ENOMSG;
		if (share && !right(p, &own->outcome, share))
			wrong += (int64_t)share;
		sum += done[i];
	}
	if (p->interpreter)
		wrong += llabs((int64_t)interpreter_objects(p->interpreter) - (int64_t)p->objects);
	return wrong + llabs((int64_t)(sum - p->iterations));
}

/* What explains the speedup. */

static void add(double *value, const struct interpreter_counts *c)
{
	const uint64_t all[] = {c->releases, c->failed_acquires, c->switches, c->drop_requests,
		c->futex_calls, c->merges};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		value[i] += (double)all[i];
}

static void count(struct run *r, double *value)
{
	struct python *p = r->state;
	struct interpreter_counts c;
	memset(value, 0, KERNEL_COUNTS_MOST * sizeof *value);
	for (unsigned i = 0; i < r->count; i++)
		add(value, &((struct python_own *)r->workers[i]->own)->outcome.counts);
	if (p->interpreter) {
		interpreter_counts(p->interpreter, &c);
		add(value, &c);
	}
}

static const struct count counts[] = {
	{"releases", "of the interpreter lock", false},
	{"failed-acquires", "that did not find it free", false},
	{"switches", "acquisitions by another thread than the last", false},
	{"drop-requests", "waits of a whole interval, after which the holder is asked", false},
	{"futex-calls", "waits in the system, and wake-ups of who waited there", false},
	{"merges", "references counted on two sides that became one count", false},
	{0},
};

static const struct param params[] = {
	{"program", "countdown", "what is interpreted",
		"countdown, fib, dict, methods, native, item, attribute, global"},
	{"interval", "100", "ticks after which gil-2 gives way", "1..1000000"},
	{"switch-us", "5000", "microseconds after which who waits for gil-3 asks for it",
		"1..1000000"},
	{"gil", "semaphore", "what gil-2 is built on", "semaphore, cond"},
	{"check", "jumps", "where gil-3 looks for requests: jumps and calls, or every instruction",
		"jumps, instructions"},
	{"sharing", "biased", "how free-threaded counts references to what the main program made",
		"biased, deferred, immortal"},
	{"work", "10000000", "iterations of countdown; of other programs as many as last as long",
		"1000..1000000000"},
	{"native-us", "100", "microseconds of native work in a call of it", "0.1..100000 (real)"},
	{0},
};

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = shared_interpreter},
	{.strategy = "gil-2", .batch = shared_interpreter},
	{.strategy = "gil-3", .batch = shared_interpreter},
	{.strategy = "free-threaded-atomic", .batch = shared_interpreter},
	{.strategy = "free-threaded", .batch = shared_interpreter},
	{.strategy = "subinterpreters", .batch = subinterpreters},
	{.strategy = "processes", .batch = processes},
	{.strategy = "gil-3-native", .batch = shared_interpreter},
};

KERNEL(python,
	.summary = "a miniature Python; gil-3-native: work in C of the same length, lock released",
	.shared = "an interpreter", .unit = "iterations", .kind = KERNEL_MAKESPAN,
	.state_size = sizeof(struct python), .own_size = sizeof(struct python_own),
	.params = params, .counts = counts, VARIANTS(variants), .prepare = prepare,
	.unprepare = unprepare, .create = create, .destroy = destroy, .begin = begin,
	.check = check, .count = count);
