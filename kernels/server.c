// SPDX-License-Identifier: BSD-2-Clause
// server: clients on the loopback device, a thread for each, as a Python program would serve them:
// interpreted code that calls receive and send, which release the interpreter lock. Where threads
// under a global lock make sense (while they wait), and where they hurt (while one of them, or a
// thread in the background, computes). Beside it one thread with epoll, and one process per worker.
//
// The workers sleep meanwhile: the server's threads run on the workers' PUs, the clients on others
// where there are any. Clients pause for a moment before the next request, as those across a
// network do without wanting to: one that asks again at once does so before a thread that waits for
// the interpreter lock has woken up, which hides what that thread does to it (CPython 3.9 to 3.13,
// 2 cores: half of all answers within 20 us without a pause, within 5.2 ms with one of 100 us).
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "futex.h"
#include "kernel.h"
#include "server_program.h"

enum {
	BACKGROUND_MOST = 64,
	THREADS_MOST = CONNECTIONS_MOST + BACKGROUND_MOST,
	FILES_BESIDES = 64, // open ones other than connections
	TURN_NS = 1000000,  // between two looks at how much was done
	LOOK_NS = 50000,    // between two looks whether threads rest
	STACK_SIZE = 512 * 1024,
	CALIBRATION_STEPS = 2000,
	CALIBRATION_TRIES = 5,
};
static const uint64_t patience_ns = 10000000000;

// What is served: so many linear congruential steps from the request, so that no answer can be
// given without the work. A test gives another function.
#ifndef SERVER_ANSWER
#define SERVER_ANSWER                                                                              \
	"def answer(x, steps):\n"                                                                  \
	"    while steps > 0:\n"                                                                   \
	"        x = (x * 5 + 3) & 1073741823\n"                                                   \
	"        steps -= 1\n"                                                                     \
	"    return x\n"
#endif
static const char answer[] = SERVER_ANSWER;
enum { STEP_FACTOR = 5, STEP_SUMMAND = 3 };

struct settings {
	unsigned connections, cpu_us, background, think_us, interval, switch_us;
	unsigned steps; // of `answer`, which take cpu_us
	struct pu_set allowed;
};

struct server_thread {
	pthread_t thread;
	struct server *server;
	struct server_program *program;
	const struct interpreter_function *function;
	atomic_int id;  // the system's; 0: not started yet
	unsigned index; // in its interpreter
	int connection; // -1: none
};

struct server {
	const struct settings *settings;
	struct server_shared *shared;
	struct clients clients;
	struct server_program *program; // of threads: one. Sequential: one, and one for each thread
	unsigned programs;              // in the background. Of processes: none
	struct server_thread *thread;
	unsigned threads;
	pid_t process[PUS_MOST]; // of worker i's connections, then of the background
	unsigned processes;
	atomic_uint failed;        // programs that ended with an error
	bool due;                  // worker 0: the window has begun, the clients have not
	unsigned joined, finished; // workers; under mutex
	struct pu_set pus;         // the workers'; under mutex
	pthread_mutex_t mutex;
};

struct server_own {
	uint64_t claimed; // of all requests, this worker's share
	bool joined;
};

static int init_program(struct server_program *p, const struct settings *s,
	struct server_shared *shared, enum interpreter_mode mode)
{
	struct interpreter_settings i = {
		.mode = mode, .check_interval = s->interval, .switch_interval_us = s->switch_us};
	return server_program_init(p, &i, answer, shared);
}

/* What the user may set. */

static int need_files(struct input *in, unsigned connections)
{
	struct rlimit limit;
	rlim_t needed = 2 * connections + FILES_BESIDES;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= needed)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max >= needed && setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	snprintf(in->error, sizeof in->error,
		"%u connections need %llu open files; the limit is %llu (ulimit -Hn)", connections,
		(unsigned long long)needed, (unsigned long long)limit.rlim_max);
	return EMFILE;
}

// The fastest of some: other work only makes it longer. ns, or 0 and *rc.
static double time_answer(
	struct interpreter_thread *t, const struct server_program *p, int64_t steps, int *rc)
{
	struct interpreter_error why;
	double best = 0;
	for (int try = 0; try < CALIBRATION_TRIES && !*rc; try++) {
		int64_t result, arguments[] = {1, steps};
		uint64_t began = futex_now_ns();
		*rc = interpreter_call(t, p->answer, 2, arguments, &result, &why);
		double took = (double)(futex_now_ns() - began);
		best = try == 0 || took < best ? took : best;
	}
	return best;
}

// What a step takes without any lock; the number of steps is then the same for every strategy.
static int calibrate(struct input *in, struct settings *s)
{
	struct server_program p;
	int rc = init_program(&p, s, NULL, INTERPRETER_SEQUENTIAL);
	struct interpreter_thread *t = rc ? NULL : interpreter_enter(p.interpreter, 0);
	if (!rc && !t)
		rc = ENOMEM;
	if (!rc) {
		double call = time_answer(t, &p, 0, &rc);
		double all = rc ? 0 : time_answer(t, &p, CALIBRATION_STEPS, &rc);
		double step_ns = all > call ? (all - call) / CALIBRATION_STEPS : 1;
		s->steps = (unsigned)(s->cpu_us * 1e3 / step_ns + 0.5);
		snprintf(in->note, sizeof in->note,
			"%u us are %u steps of an interpreted loop; the clients run on PUs without "
			"workers, with %u or more workers on the workers' own",
			s->cpu_us, s->steps, pu_set_count(&s->allowed));
	}
	if (t)
		interpreter_leave(t);
	server_program_fini(&p);
	return rc;
}

static int prepare(struct input *in)
{
	struct settings *s = calloc(1, sizeof *s);
	in->data = s;
	if (!s)
		return ENOMEM;
	const struct {
		const char *name;
		unsigned low, high, *value;
	} number[] = {{"connections", 1, CONNECTIONS_MOST, &s->connections},
		{"cpu", 0, 10000, &s->cpu_us}, {"background", 0, BACKGROUND_MOST, &s->background},
		{"think-us", 0, 1000000, &s->think_us}, {"interval", 1, 1000000, &s->interval},
		{"switch-us", 1, 1000000, &s->switch_us}};
	int rc = pu_set_get(&s->allowed, 0);
	for (size_t i = 0; i < sizeof number / sizeof *number && !rc; i++)
		rc = input_whole(
			in, number[i].name, number[i].low, number[i].high, number[i].value);
	if (!rc)
		rc = need_files(in, s->connections);
	return rc ? rc : calibrate(in, s);
}

static void unprepare(struct input *in)
{
	free(in->data);
}

// Many steps as one.
static struct answer_rule rule_of(unsigned steps)
{
	struct answer_rule r = {1, 1}; /* the program adds 1 first */
	for (unsigned i = 0; i < steps; i++) {
		r.factor = (r.factor * STEP_FACTOR) & REQUEST_MASK;
		r.summand = (r.summand * STEP_FACTOR + STEP_SUMMAND) & REQUEST_MASK;
	}
	return r;
}

/* The server: threads. */

static void *serve(void *arg)
{
	struct server_thread *me = arg;
	struct server *s = me->server;
	struct interpreter_error why;
	int64_t result, steps = s->settings->steps, arguments[] = {me->connection, steps};
	store(&me->id, gettid(), relaxed); /* relaxed: the number is all there is */
	bool background = me->function == me->program->background;
	bool loop = me->function == me->program->loop;
	struct interpreter_thread *t = interpreter_enter(me->program->interpreter, me->index);
	int rc = t ? interpreter_call(t, me->function,
			     background ? 0
			     : loop     ? 1
					: 2,
			     loop ? &steps : arguments, &result, &why)
		   : ENOMEM;
	if (t)
		interpreter_leave(t);
	if (rc)
		fetch_add(&s->failed, 1, relaxed); /* relaxed: the number is all there is */
	/* Nobody is to wait for an answer of it. */
	if (rc && me->connection >= 0)
		shutdown(s->shared->connection[me->connection].server, SHUT_RDWR);
	return NULL;
}

static int start_thread(struct server *s, struct server_program *p,
	const struct interpreter_function *function, unsigned index, int connection)
{
	struct server_thread *t = &s->thread[s->threads];
	*t = (struct server_thread){.server = s,
		.program = p,
		.function = function,
		.index = index,
		.connection = connection};
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	int rc = pthread_create(&t->thread, &attr, serve, t);
	pthread_attr_destroy(&attr);
	s->threads += !rc;
	return rc;
}

static int add_programs(struct server *s, unsigned count, enum interpreter_mode mode)
{
	s->program = calloc(count, sizeof *s->program);
	s->thread = calloc(THREADS_MOST, sizeof *s->thread);
	if (!s->program || !s->thread)
		return ENOMEM;
	int rc = 0;
	while (s->programs < count && !rc)
		rc = init_program(&s->program[s->programs++], s->settings, s->shared, mode);
	return rc;
}

// A thread for each connection, all in one interpreter.
static int start_threads(struct server *s, enum interpreter_mode mode)
{
	const struct settings *set = s->settings;
	int rc = add_programs(s, 1, mode);
	struct server_program *p = s->program;
	for (unsigned i = 0; i < set->connections && !rc; i++)
		rc = start_thread(s, p, p->connection, 1 + i, (int)i);
	for (unsigned i = 0; i < set->background && !rc; i++)
		rc = start_thread(s, p, p->background, 1 + set->connections + i, -1);
	return rc;
}

// One thread for all connections; what runs in the background has interpreters of its own.
static int start_loop(struct server *s)
{
	int rc = add_programs(s, 1 + s->settings->background, INTERPRETER_SEQUENTIAL);
	if (!rc)
		rc = server_program_watch(s->program, 0, 1, s->settings->connections);
	for (unsigned i = 0; i < s->programs && !rc; i++)
		rc = start_thread(s, &s->program[i],
			i == 0 ? s->program[i].loop : s->program[i].background, 1, -1);
	return rc;
}

/* The server: processes. */

// In the child. first: of its connections; s->process's later ones are the background's.
static void serve_as_process(struct server *s, unsigned number, unsigned workers)
{
	struct server_program p;
	struct interpreter_error why;
	unsigned connections = s->settings->connections;
	bool background = number >= workers;
	int64_t result, steps = s->settings->steps;
	/* The other ends' closing must be seen, so they must not be held here. */
	for (unsigned i = 0; i < connections; i++) {
		close(s->shared->connection[i].client);
		if (background || i % workers != number)
			close(s->shared->connection[i].server);
	}
	int rc = init_program(&p, s->settings, s->shared, INTERPRETER_GIL_3);
	if (!rc && !background)
		rc = server_program_watch(&p, number, workers, connections);
	struct interpreter_thread *t = rc ? NULL : interpreter_enter(p.interpreter, 1);
	if (t)
		rc = interpreter_call(t, background ? p.background : p.loop, background ? 0 : 1,
			&steps, &result, &why);
	_exit(rc || !t);
}

static int start_processes(struct server *s, unsigned workers)
{
	pid_t parent = getpid();
	if (workers > PUS_MOST - s->settings->background)
		return E2BIG;
	while (s->processes < workers + s->settings->background) {
		pid_t pid = fork();
		if (pid < 0)
			return errno;
		if (pid == 0) {
			/* It must not outlive a measurement that is killed. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			serve_as_process(s, s->processes, workers);
		}
		s->process[s->processes++] = pid;
	}
	return 0;
}

static void end_processes(struct server *s)
{
	for (unsigned i = 0; i < s->processes; i++)
		kill(s->process[i], SIGKILL); /* nothing of it is wanted any more */
	for (unsigned i = 0; i < s->processes; i++)
		while (waitpid(s->process[i], NULL, 0) < 0 && errno == EINTR)
			;
}

/* A point. */

static int start_server(struct server *s, struct run *r)
{
	if (STRATEGY_IS(r->variant, "sequential"))
		return start_loop(s);
	if (STRATEGY_IS(r->variant, "processes"))
		return start_processes(s, r->count);
	int mode = interpreter_mode_find(r->variant->strategy);
	return mode < 0 ? EINVAL : start_threads(s, (enum interpreter_mode)mode);
}

// As many as there are PUs for them alone.
static unsigned generators(const struct settings *s, unsigned workers)
{
	unsigned allowed = pu_set_count(&s->allowed);
	unsigned spare = allowed > workers ? allowed - workers : 1;
	unsigned most = spare < GENERATORS_MOST ? spare : GENERATORS_MOST;
	return most < s->connections ? most : s->connections;
}

// Processes are forked before there are threads of the clients.
static int create(struct run *r)
{
	struct server *s = r->state;
	s->settings = r->input->data;
	pthread_mutex_init(&s->mutex, NULL);
	void *shared = mmap(
		NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return errno;
	s->shared = shared;
	s->clients.connection = s->shared->connection;
	s->clients.count = s->settings->connections;
	s->clients.generators = generators(s->settings, r->count);
	s->clients.think_ns = s->settings->think_us * UINT64_C(1000);
	s->clients.patience_ns = patience_ns;
	s->clients.rule = rule_of(s->settings->steps);
	int rc = clients_open(&s->clients);
	if (!rc)
		rc = start_server(s, r);
	return rc ? rc : clients_start(&s->clients);
}

// The clients' ends are closed first, whereupon every connection's program ends.
static void destroy(struct run *r)
{
	struct server *s = r->state;
	if (s->shared) {
		/* B0: release, both; pairs with B1: as in sleep_and_count */
		store(&s->shared->running, false, release);
		store(&s->shared->ending, true, release);
		clients_stop(&s->clients);
		for (unsigned i = 0; i < s->threads; i++)
			pthread_join(s->thread[i].thread, NULL);
		end_processes(s);
		for (unsigned i = 0; i < s->programs; i++)
			server_program_fini(&s->program[i]);
		clients_close(&s->clients);
		munmap(s->shared, sizeof *s->shared);
	}
	free(s->program);
	free(s->thread);
	pthread_mutex_destroy(&s->mutex);
}

// Threads run on any of the workers' PUs, clients on the others. Under the mutex, by the last
// worker to come.
static void spread(struct server *s, unsigned workers)
{
	struct pu_set rest;
	for (unsigned i = 0; i < s->threads; i++)
		pu_set_apply_thread(&s->pus, s->thread[i].thread);
	for (unsigned i = workers; i < s->processes; i++)
		pu_set_apply(&s->pus, s->process[i]);
	pu_set_rest(&rest, &s->settings->allowed, &s->pus);
	clients_pin(&s->clients, &rest);
}

// In its first batch, before anything is measured, a worker tells where it runs. A process runs
// where its worker does.
static void join(struct server *s, const struct worker *w)
{
	struct pu_set own;
	if (pu_set_get(&own, 0))
		own = s->settings->allowed;
	pthread_mutex_lock(&s->mutex);
	if (w->index < s->processes)
		pu_set_apply(&own, s->process[w->index]);
	pu_set_add(&s->pus, &own);
	if (++s->joined == w->count)
		spread(s, w->count);
	pthread_mutex_unlock(&s->mutex);
}

static void begin(struct run *r)
{
	struct server *s = r->state;
	s->finished = 0;
	s->due = true;
}

// Sleeps while the server works; then an even share of the answers that have come. Those that end a
// window come after its last batch, and are counted with the next one's, whose last ones are in
// turn counted later: each window has as many as it answered, but for the first.
static uint64_t sleep_and_count(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	struct server *s = state;
	struct server_own *own = w->own;
	if (!own->joined) {
		join(s, w);
		own->joined = true;
	}
	if (w->index == 0 && s->due) {
		s->due = false;
		/* B0: release; pairs with B1: what was read of threads at rest was read before */
		store(&s->shared->running, true, release);
		clients_begin(&s->clients);
	}
	nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
	uint64_t share = (clients_answered(&s->clients) + w->count - 1 - w->index) / w->count;
	uint64_t done = share - own->claimed;
	own->claimed = share;
	return done;
}

// The window ends when every request has its answer: what is measured next finds quiet PUs, and
// the longest times are not left out.
static void finish(void *state, struct worker *w)
{
	struct server *s = state;
	pthread_mutex_lock(&s->mutex);
	bool last = ++s->finished == w->count;
	pthread_mutex_unlock(&s->mutex);
	if (last)
		clients_end(&s->clients);
	clients_rest(&s->clients);
	if (last)
		store(&s->shared->running, false, relaxed); /* relaxed: only says when */
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct server *s = r->state;
	/* relaxed: the number is all there is */
	uint64_t lost = clients_lost(&s->clients) + load(&s->failed, relaxed);
	for (unsigned i = 0; i < r->count; i++) {
		const struct server_own *own = r->workers[i]->own;
		lost += done[i] > own->claimed ? done[i] - own->claimed : own->claimed - done[i];
	}
	return (int64_t)lost;
}

enum {
	COUNT_SWITCHES,
	COUNT_FAILED_ACQUIRES,
	COUNT_FUTEX_CALLS,
	COUNT_VOLUNTARY,
	COUNT_INVOLUNTARY,
	COUNT_P50,
	COUNT_P99,
	COUNT_P999,
	COUNT_MAX,
	COUNTS
};
static const struct count counts[COUNTS + 1] = {
	[COUNT_SWITCHES] = {"switches", "another thread has the interpreter lock", false},
	[COUNT_FAILED_ACQUIRES] = {"failed-acquires", "of the lock, which was not free", false},
	[COUNT_FUTEX_CALLS] = {"futex-calls", "sleeps for the lock, and wake-ups", false},
	[COUNT_VOLUNTARY] = {"voluntary-switches", "the server's threads' sleeps", false},
	[COUNT_INVOLUNTARY] = {"involuntary-switches", "their waits for a PU", false},
	[COUNT_P50] = {"p50_ns", "a request, as its client sees it", true},
	[COUNT_P99] = {"p99_ns", NULL, true},
	[COUNT_P999] = {"p999_ns", NULL, true},
	[COUNT_MAX] = {"max_ns", NULL, true},
};

// Context switches: threads that went to sleep, threads that were made to wait.
struct turns {
	unsigned long long voluntary, involuntary;
};

// Adds those of a thread.
static void add_turns(struct turns *sum, pid_t process, pid_t thread)
{
	char path[64], line[128];
	unsigned long long value;
	snprintf(path, sizeof path, "/proc/%d/task/%d/status", process, thread);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &value) == 1)
			sum->voluntary += value;
		else if (sscanf(line, "nonvoluntary_ctxt_switches: %llu", &value) == 1)
			sum->involuntary += value;
	}
	if (f)
		fclose(f);
}

// Of all threads that serve, wherever they are: the workers do nothing but sleep.
static struct turns turns(const struct server *s)
{
	struct turns sum = {0};
	for (unsigned i = 0; i < s->threads; i++)
		/* relaxed: the number is all there is */
		add_turns(&sum, getpid(), load(&s->thread[i].id, relaxed));
	for (unsigned i = 0; i < s->processes; i++)
		add_turns(&sum, s->process[i], s->process[i]);
	return sum;
}

// After the last answer its thread still has to come to its next request.
static void await_rest(const struct server *s)
{
	uint64_t since = futex_now_ns();
	while (!server_program_rests(
		       s->shared, s->settings->connections, s->settings->background) &&
		load(&s->failed, relaxed) == 0 && futex_now_ns() - since < patience_ns)
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

// Of threads in an interpreter; where each has one for itself, its lock is always free.
static void count(struct run *r, double *value)
{
	struct server *s = r->state;
	bool together = s->programs == 1 && !STRATEGY_IS(r->variant, "sequential");
	struct request_percentiles p = {0};
	struct interpreter_counts c = {0};
	if (together) {
		await_rest(s);
		interpreter_counts(s->program->interpreter, &c);
	}
	struct turns t = turns(s);
	if (!s->due) /* no memory: they read 0 */
		clients_percentiles(&s->clients, &p);
	value[COUNT_SWITCHES] = (double)c.switches;
	value[COUNT_FAILED_ACQUIRES] = (double)c.failed_acquires;
	value[COUNT_FUTEX_CALLS] = (double)c.futex_calls;
	value[COUNT_VOLUNTARY] = (double)t.voluntary;
	value[COUNT_INVOLUNTARY] = (double)t.involuntary;
	value[COUNT_P50] = p.p50_ns;
	value[COUNT_P99] = p.p99_ns;
	value[COUNT_P999] = p.p999_ns;
	value[COUNT_MAX] = p.max_ns;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sleep_and_count},
	{.strategy = "gil-2", .batch = sleep_and_count},
	{.strategy = "gil-3", .batch = sleep_and_count},
	{.strategy = "free-threaded", .batch = sleep_and_count},
	{.strategy = "processes", .batch = sleep_and_count},
};

static const struct param params[] = {
	{"connections", "32", "clients, each with a thread of the server", "1..500"},
	{"cpu", "20", "interpreted work of a request, us", "0..10000"},
	{"background", "0",
		"CPU-bound threads beside them (sequential, processes: interpreters of their own)",
		"0..64"},
	{"think-us", "100",
		"pause of a client between answer and request, us; 0: it finds its thread awake",
		"0..1000000"},
	{"interval", "100", "gil-2: ticks between releases", "1..1000000"},
	{"switch-us", "5000", "gil-3: how long a thread waits before it asks for the lock, us",
		"1..1000000"},
	{0},
};

KERNEL(server, .summary = "a thread per client: each request some I/O, some interpreted work",
	.shared = "an interpreter and its lock", .unit = "requests", .extra = true,
	.state_size = sizeof(struct server), .own_size = sizeof(struct server_own),
	.params = params, .counts = counts, .own_threads = true, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.begin = begin, .finish = finish, .count = count, .check = check);
