// SPDX-License-Identifier: BSD-2-Clause
// A recording is blocks of rounds. In a round the workers start together and do random operations,
// as many as they like, and then one of them looks alone at what is left: all keys of a map; all
// values of the others, which it removes. All of that is one history. A block's histories are
// judged while the workers sleep. The structure stays from round to round, and its memory is used
// again.
//
// Time is CLOCK_MONOTONIC, which is the same on all PUs and orders nothing: a shared counter would
// put a barrier between all operations that hides missing ones. It is read before the operation's
// first access and, since a store may wait in its core, after its last one is visible: what a fence
// around the operation makes sure of, so that no interval is recorded shorter than it was. (That
// the operation would be visible at its return without the fence is not tested.) Equal times
// overlap.
//
// Operations of a few nanoseconds seldom meet halfway. So a timer stops each worker at any
// instruction, every few microseconds, for as long as others need for one operation or for dozens.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "recording.h"

enum {
	KEYS = 7, // 1 .. KEYS
	WORKERS_MOST = 8,
	OPERATIONS_MOST = 96, // of a worker in a round
	FILL_MOST = 1100,     // insertions that look for a capacity: more than a round's
	SMALL = 64,           // a capacity that is cheap to fill
	EVENTS_MOST = 4096,   // of a round
	BLOCK = 32,           // rounds
	VALUE_BITS = 24,
	SPIN_MOST = 64,
	STALL_EVERY_NS = 25000, // at least, and up to five times that
	STALL_LONG_NS = 16000,  // at most
};

struct logbook { // of a worker in a round
	struct event event[EVENTS_MOST];
	unsigned count;
};

// What all workers do alike in a round.
struct round {
	unsigned operations;     // of each worker
	unsigned keys;           // 1 .. keys
	unsigned insert, remove; // percent
	unsigned spin;           // between operations, at most
	unsigned yield;          // one operation in so many is followed by a sched_yield; 0: none
	unsigned first;          // values that are put in before
};

struct seat { // of a worker; its own lines
	LINE_ALIGNED struct worker worker;
	uint64_t random;
	uint64_t values;     // that it made so far
	uint64_t sum;        // keeps the compiler from removing a wait
	struct logbook *log; // BLOCK of them
	timer_t timer;
	bool has_timer, yields;
	volatile sig_atomic_t stalls; // the timer is to go on
	uint64_t stall_random;        // the signal handler's
};

struct recording {
	const struct recording_plan *plan;
	struct run run;
	struct lock_team flat;
	struct barrier barrier;
	struct seat *seat;
	struct worker *workers[WORKERS_MOST];
	uint64_t random;
	struct round round[BLOCK];
	atomic_int failed;
	unsigned capacity;
	struct checker *checker;
	struct item content[KEYS]; // of a map, before the next round
	unsigned items;
	struct event *event; // of one round
	uint64_t began_ns;
};

// xorshift (Marsaglia 2003).
static unsigned below(uint64_t *random, unsigned limit)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (unsigned)(*random >> 32) % limit;
}

/* One operation and its times. */

// All stores before are visible, all loads before done; nothing after has begun.
static void fence(void)
{
	atomic_int word = 0;
	exchange(&word, 1, seq_cst);
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_lfence(); /* the clock is read neither earlier nor later */
#elif defined __aarch64__
	__asm__ volatile("dsb ish; isb" ::: "memory");
#else
	exchange(&word, 2, seq_cst);
#endif
}

static struct event *operate(struct recording *s, struct seat *seat, struct logbook *log,
	enum verb verb, uint32_t key, uint32_t value)
{
	bool by_key = s->plan->variant->model == MODEL_PRIORITY_QUEUE;
	struct operation op = {.verb = verb, .key = by_key ? value : key, .value = value};
	struct event *e = &log->event[log->count];
	uint64_t call = clock_ns();
	fence();
	bool ok = s->plan->variant->operate(s->run.state, &seat->worker, &op);
	fence();
	*e = (struct event){.call = call, .back = clock_ns(), .verb = verb, .ok = ok};
	e->worker = seat->worker.index;
	e->key = key;
	e->value = verb == VERB_INSERT ? value : (uint32_t)(by_key ? op.key : op.value);
	log->count += log->count < EVENTS_MOST - 1;
	return e;
}

// Never the same in a recording, and in no order: the number through a bijection, then the worker.
static uint32_t new_value(const struct recording *s, struct seat *seat)
{
	uint32_t number = (uint32_t)(++seat->values * s->plan->workers) + seat->worker.index;
	return (number * 0x9e3775u) & ((1u << VALUE_BITS) - 1);
}

static struct event *insert_new(struct recording *s, struct seat *seat, struct logbook *log)
{
	return operate(s, seat, log, VERB_INSERT, 0, new_value(s, seat));
}

/* Stalls. */

static void arm(struct seat *seat)
{
	struct itimerspec next = {
		.it_value.tv_nsec = STALL_EVERY_NS * (1 + below(&seat->stall_random, 5))};
	timer_settime(seat->timer, 0, &next, NULL);
}

// Wherever the worker is. A third of the stalls are as long as an operation.
static void stall(int signal, siginfo_t *info, void *context)
{
	struct seat *seat = info->si_value.sival_ptr;
	int error = errno;
	(void)signal;
	(void)context;
	uint64_t longest = STALL_LONG_NS >> 3 * below(&seat->stall_random, 3);
	uint64_t end = clock_ns() + below(&seat->stall_random, (unsigned)longest);
	if (seat->yields && below(&seat->stall_random, 2))
		sched_yield();
	while (clock_ns() < end)
		;
	if (seat->stalls)
		arm(seat);
	errno = error;
}

#ifndef sigev_notify_thread_id /* older C libraries */
#define sigev_notify_thread_id _sigev_un._tid
#endif

// By the worker. Without timers it does without stalls.
static void make_timer(struct seat *seat)
{
	struct sigaction action = {.sa_sigaction = stall, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGRTMIN,
		.sigev_value.sival_ptr = seat,
		.sigev_notify_thread_id = gettid()};
	sigaction(SIGRTMIN, &action, NULL);
	seat->has_timer = timer_create(CLOCK_MONOTONIC, &event, &seat->timer) == 0;
}

static void begin_stalls(struct seat *seat)
{
	seat->stalls = true;
	if (seat->has_timer)
		arm(seat);
}

// None comes afterwards: a signal that was sent is handled before the system call returns.
static void end_stalls(struct seat *seat)
{
	struct itimerspec never = {0};
	seat->stalls = false;
	if (seat->has_timer)
		timer_settime(seat->timer, 0, &never, NULL);
}

/* A round. */

static void draw_round(struct recording *s, struct round *r)
{
	uint64_t *random = &s->random;
	bool crowded = team_oversubscribed(s->plan->team, s->plan->workers);
	static const unsigned inserts[] = {30, 50, 50, 70};
	*r = (struct round){.operations = 4 + below(random, OPERATIONS_MOST - 4),
		.keys = 1 + below(random, KEYS),
		.insert = inserts[below(random, 4)]};
	r->remove = 100 - r->insert;
	if (s->plan->variant->model == MODEL_MAP) {
		r->insert = r->insert * 6 / 10;
		r->remove = r->remove * 6 / 10;
	} else {
		unsigned most = s->capacity ? s->capacity : 4, seldom = most <= SMALL ? 2 : 16;
		bool nearly_full = s->capacity && below(random, seldom) == 0;
		r->first = nearly_full ? most - below(random, most < 3 ? most : 3)
				       : below(random, most < 4 ? most : 4);
	}
	if (below(random, 2))
		r->spin = 1 + below(random, SPIN_MOST);
	if (crowded ? below(random, 4) > 0 : below(random, 4) == 0)
		r->yield = 2 + below(random, 16);
}

static void do_something(
	struct recording *s, struct seat *seat, const struct round *r, struct logbook *log)
{
	unsigned which = below(&seat->random, 100);
	uint32_t key = s->plan->variant->model == MODEL_MAP ? 1 + below(&seat->random, r->keys) : 0;
	if (which < r->insert)
		operate(s, seat, log, VERB_INSERT, key, new_value(s, seat));
	else if (which < r->insert + r->remove)
		operate(s, seat, log, VERB_REMOVE, key, 0);
	else
		operate(s, seat, log, VERB_LOOKUP, key, 0);
}

static void pause_between(struct seat *seat, const struct round *r)
{
	for (unsigned i = r->spin ? below(&seat->random, r->spin) : 0; i > 0; i--)
		keep_in_register(seat->sum);
	if (r->yield && below(&seat->random, r->yield) == 0)
		sched_yield();
}

// At rest. A structure that gives more than was ever put in is stopped by the logbook's end.
static void look_at_rest(struct recording *s, struct seat *seat, struct logbook *log)
{
	if (s->plan->variant->model == MODEL_MAP)
		for (uint32_t key = 1; key <= KEYS; key++)
			operate(s, seat, log, VERB_LOOKUP, key, 0);
	else
		while (log->count < EVENTS_MOST - 1 && operate(s, seat, log, VERB_REMOVE, 0, 0)->ok)
			;
}

static void play_round(struct recording *s, struct seat *seat, unsigned number)
{
	const struct round *r = &s->round[number];
	struct logbook *log = &seat->log[number];
	bool leads = seat->worker.index == number % s->plan->workers;
	log->count = 0;
	for (unsigned i = 0; leads && i < r->first; i++)
		insert_new(s, seat, log);
	barrier_wait(&s->barrier);
	for (unsigned i = 0; i < r->operations; i++) {
		do_something(s, seat, r, log);
		pause_between(seat, r);
	}
	barrier_wait(&s->barrier);
	if (leads)
		look_at_rest(s, seat, log);
	barrier_wait(&s->barrier);
}

static void play_block(void *arg, unsigned i)
{
	struct recording *s = arg;
	begin_stalls(&s->seat[i]);
	for (unsigned number = 0; number < BLOCK; number++)
		play_round(s, &s->seat[i], number);
	end_stalls(&s->seat[i]);
}

/* The beginning and the end, as in a measurement: each worker touches its own first. */

static int attach(struct recording *s, unsigned i)
{
	struct seat *seat = &s->seat[i];
	size_t size = (s->plan->kernel->own_size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	struct worker *w = &seat->worker;
	w->index = i;
	w->count = s->plan->workers;
	w->lock = s->plan->variant->lock;
	w->node[0].worker = w->node[1].worker = i;
	w->own = aligned_alloc(LINE_PAIR, size);
	seat->log = malloc(BLOCK * sizeof *seat->log);
	seat->random = seat->stall_random = s->plan->seed * 0x9e3779b97f4a7c15u + i + 1;
	seat->yields = team_oversubscribed(s->plan->team, s->plan->workers);
	make_timer(seat);
	if (!w->own || !seat->log)
		return ENOMEM;
	memset(w->own, 0, size);
	return 0;
}

static int create(struct recording *s)
{
	const struct kernel *k = s->plan->kernel;
	size_t size = (k->state_size + LINE_PAIR) / LINE_PAIR * LINE_PAIR;
	s->run.state = aligned_alloc(LINE_PAIR, size);
	if (!s->run.state)
		return ENOMEM;
	memset(s->run.state, 0, size);
	int rc = k->create ? k->create(&s->run) : 0;
	if (!rc && k->begin)
		k->begin(&s->run);
	return rc;
}

// Fills what is bounded until it fails, reads a map's content, and empties the others.
static void look_first(struct recording *s)
{
	struct seat *seat = &s->seat[0];
	struct logbook *log = &seat->log[0];
	log->count = 0;
	if (s->plan->variant->model == MODEL_MAP) {
		look_at_rest(s, seat, log);
		return;
	}
	look_at_rest(s, seat, log);
	log->count = 0;
	while (log->count < FILL_MOST && insert_new(s, seat, log)->ok)
		;
	s->capacity = log->count < FILL_MOST ? log->count - 1 : 0;
	look_at_rest(s, seat, log);
}

static void set_up(void *arg, unsigned i)
{
	struct recording *s = arg;
	int rc = attach(s, i);
	if (rc)
		store(&s->failed, rc, relaxed); /* relaxed: the barrier publishes it */
	barrier_wait(&s->barrier);
	if (i == 0 && !load(&s->failed, relaxed)) {
		store(&s->failed, create(s), relaxed);
		if (!load(&s->failed, relaxed))
			look_first(s);
	}
	barrier_wait(&s->barrier);
}

static void tear_down(void *arg, unsigned i)
{
	struct recording *s = arg;
	struct worker *w = &s->seat[i].worker;
	if (i == 0 && s->run.state && s->plan->kernel->destroy)
		s->plan->kernel->destroy(&s->run);
	barrier_wait(&s->barrier);
	for (unsigned j = 0; w->lock && w->lock->retire && j < 2; j++)
		w->lock->retire(&w->node[j]);
	free(w->own);
	free(s->seat[i].log);
	if (s->seat[i].has_timer)
		timer_delete(s->seat[i].timer);
}

/* Judgement. */

static void gather(struct recording *s, unsigned number, struct history *h)
{
	*h = (struct history){.model = s->plan->variant->model,
		.capacity = s->capacity,
		.before = s->content,
		.before_count = s->items,
		.event = s->event};
	for (unsigned i = 0; i < s->plan->workers; i++) {
		const struct logbook *log = &s->seat[i].log[number];
		memcpy(&h->event[h->count], log->event, log->count * sizeof *h->event);
		h->count += log->count;
	}
	history_excuse(h);
}

// What the one who looked at rest saw: the last lookup of each key, by time.
static void read_content(struct recording *s, const struct event *event, unsigned count)
{
	uint64_t last[KEYS + 1] = {0};
	const struct event *seen[KEYS + 1] = {NULL};
	if (s->plan->variant->model != MODEL_MAP)
		return;
	for (unsigned i = 0; i < count; i++)
		if (event[i].verb == VERB_LOOKUP && event[i].call > last[event[i].key]) {
			last[event[i].key] = event[i].call;
			seen[event[i].key] = &event[i];
		}
	s->items = 0;
	for (uint32_t key = 1; key <= KEYS; key++)
		if (seen[key] && seen[key]->ok)
			s->content[s->items++] = (struct item){key, seen[key]->value};
}

static int keep(struct recording_result *result, const struct history *h)
{
	result->found = *h;
	result->found.event = malloc((h->count + 1) * sizeof *h->event);
	result->found.before = malloc((h->before_count + 1) * sizeof *h->before);
	if (!result->found.event || !result->found.before)
		return ENOMEM;
	memcpy(result->found.event, h->event, h->count * sizeof *h->event);
	memcpy(result->found.before, h->before, h->before_count * sizeof *h->before);
	return 0;
}

static int judge_round(struct recording *s, unsigned number, struct recording_result *result)
{
	struct history h;
	gather(s, number, &h);
	enum verdict verdict = history_check(s->checker, &h);
	result->overlapping += history_overlapping(&h);
	result->operations += h.count;
	for (unsigned i = 0; i < h.count; i++)
		result->failed += !h.event[i].ok;
	result->undecided += verdict == UNDECIDED;
	result->round = (unsigned)++result->histories;
	if (verdict == IMPOSSIBLE) {
		result->impossible = true;
		result->whole = h.count;
		if (keep(result, &h))
			return ENOMEM;
		history_shrink(s->checker, &result->found);
		history_explain(&result->found, result->explanation, sizeof result->explanation);
	}
	read_content(s, h.event, h.count);
	return 0;
}

static bool goes_on(const struct recording *s, const struct recording_result *result)
{
	uint64_t most = s->plan->time_most_ns;
	return !result->impossible && result->operations < s->plan->operations &&
	       (most == 0 || clock_ns() - s->began_ns < most);
}

static int play(struct recording *s, struct recording_result *result)
{
	int rc = 0;
	read_content(s, s->seat[0].log[0].event, s->seat[0].log[0].count);
	result->capacity = s->capacity;
	while (goes_on(s, result) && !rc) {
		for (unsigned i = 0; i < BLOCK; i++)
			draw_round(s, &s->round[i]);
		team_run(s->plan->team, s->plan->workers, play_block, NULL, s);
		for (unsigned i = 0; i < BLOCK && !result->impossible && !rc; i++)
			rc = judge_round(s, i, result);
	}
	return rc;
}

int recording_run(const struct recording_plan *plan, struct recording_result *result)
{
	struct recording s = {.plan = plan, .random = plan->seed * 0x2545f4914f6cdd1du + 1};
	size_t seats = plan->workers * sizeof *s.seat;
	*result = (struct recording_result){0};
	s.flat = (struct lock_team){.workers = plan->workers, .spare_pu = -1};
	s.seat = aligned_alloc(LINE_PAIR, seats);
	s.checker = checker_create();
	s.event = malloc((size_t)plan->workers * EVENTS_MOST * sizeof *s.event);
	int rc = s.seat && s.checker && s.event && plan->workers <= WORKERS_MOST ? 0 : ENOMEM;
	if (!rc) {
		memset(s.seat, 0, seats);
		for (unsigned i = 0; i < plan->workers; i++)
			s.workers[i] = &s.seat[i].worker;
		s.run = (struct run){.kernel = plan->kernel,
			.variant = plan->variant,
			.input = plan->input,
			.workers = s.workers,
			.count = plan->workers,
			.team = &s.flat};
		barrier_init(&s.barrier, plan->workers, true); /* other work may have a PU */
		s.began_ns = clock_ns();
		team_run(plan->team, plan->workers, set_up, NULL, &s);
		rc = load(&s.failed, relaxed); /* relaxed: the team is at rest */
		if (!rc)
			rc = play(&s, result);
		team_run(plan->team, plan->workers, tear_down, NULL, &s);
	}
	free(s.run.state);
	free(s.seat);
	free(s.event);
	checker_destroy(s.checker);
	return rc;
}

void recording_free(struct recording_result *result)
{
	free(result->found.event);
	free(result->found.before);
	result->found.event = NULL;
	result->found.before = NULL;
}

void recording_print(const struct recording_plan *plan, const struct recording_result *result,
	const char *prefix, FILE *out)
{
	const struct variant *v = plan->variant;
	fprintf(out, "%s%s/%s%s%s, %u workers, seed %llu, round %u: of its %u operations:\n",
		prefix, plan->kernel->name, v->strategy, v->lock ? "/" : "",
		v->lock ? v->lock->name : "", plan->workers, (unsigned long long)plan->seed,
		result->round, result->whole);
	fprintf(out, "%s%s\n", prefix, result->explanation);
	history_print(&result->found, prefix, out);
}
