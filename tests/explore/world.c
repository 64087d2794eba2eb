// SPDX-License-Identifier: BSD-2-Clause
// See world.h. Fibers switch by _setjmp and _longjmp, which cost no system call.
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

// Always the same, so that a schedule means the same in every process.
#define WORLD_ADDRESS ((struct world *)0x200000000000)
struct world *const world = WORLD_ADDRESS;

char explore_failure[512];
uint64_t explore_found;
static unsigned this_fiber;
static jmp_buf scheduler;
static volatile sig_atomic_t inside; // a fiber runs
static unsigned long steps;

enum { LEAP_NS = 1000000000, GLANCE_NS = 1000000, PATIENCE_LOOKS = 4096, PATIENCE_PAUSES = 65536 };

unsigned world_this_fiber(void)
{
	return this_fiber;
}

/* Switching. */

static __attribute__((noinline)) char *stack_pointer(void)
{
	return __builtin_frame_address(0);
}

static __attribute__((noinline)) void to_scheduler(struct fiber *f)
{
	f->low = stack_pointer();
	if (!_setjmp(f->context))
		_longjmp(scheduler, 1);
}

static __attribute__((noinline)) void to_fiber(struct fiber *f)
{
	inside = true;
	if (!_setjmp(scheduler))
		_longjmp(f->context, 1);
	inside = false;
}

// Where every fiber begins and, between its lives, waits.
static void fiber_life(unsigned index)
{
	struct fiber *f = &world->fiber[index];
	for (;;) {
		to_scheduler(f);
		f->result = f->run(f->argument);
		f->done = true;
		f->live = false;
	}
}

void explore_fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (!explore_failure[0])
		vsnprintf(explore_failure, sizeof explore_failure, format, args);
	va_end(args);
	if (inside)
		_longjmp(scheduler, 1);
}

/* Static data of the locks (the Makefile puts it into one section). It is part of the world, but
 * most of it is never written: pages are write-protected until they are. */

enum { PAGE = 4096, STATIC_PAGES_MOST = 64 };
extern char __start_explored[] __attribute__((weak)), __stop_explored[] __attribute__((weak));
static char *statics_pristine;
static uint64_t statics_written; // a bit per page

static size_t statics_size(void)
{
	return (size_t)(__stop_explored - __start_explored);
}

static char *page_of_statics(unsigned page)
{
	return (char *)((uintptr_t)__start_explored & -(uintptr_t)PAGE) + (size_t)page * PAGE;
}

static unsigned static_pages(void)
{
	if (!statics_size())
		return 0;
	return (unsigned)((__stop_explored - page_of_statics(0) + PAGE - 1) / PAGE);
}

// The part of a page that is the locks': the rest may be the explorer's.
static char *static_part(unsigned page, size_t *size)
{
	char *from = page_of_statics(page), *to = from + PAGE;
	from = from < __start_explored ? __start_explored : from;
	to = to > __stop_explored ? __stop_explored : to;
	*size = (size_t)(to - from);
	return from;
}

static void protect_statics(void)
{
	statics_written = 0;
	for (unsigned i = 0; i < static_pages(); i++) {
		size_t size;
		static_part(i, &size);
		if (size < PAGE)
			statics_written |= UINT64_C(1) << i;
		else
			mprotect(page_of_statics(i), PAGE, PROT_READ);
	}
}

static bool unprotect_static(const void *at)
{
	for (unsigned i = 0; i < static_pages(); i++) {
		char *page = page_of_statics(i);
		if ((const char *)at < page || (const char *)at >= page + PAGE ||
			statics_written & UINT64_C(1) << i)
			continue;
		statics_written |= UINT64_C(1) << i;
		return mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0;
	}
	return false;
}

static void on_crash(int signal_number, siginfo_t *about, void *context)
{
	(void)context;
	if (signal_number == SIGSEGV && unprotect_static(about->si_addr))
		return;
	if (!inside)
		_exit(99);
	explore_fail("it dies of signal %d (%s)", signal_number, strsignal(signal_number));
}

// Twice in the same step: that is an endless loop without a scheduling point.
static void on_tick(int signal_number)
{
	static unsigned long last;
	(void)signal_number;
	if (inside && steps == last)
		explore_fail("it loops for ever without looking at anything atomic");
	last = steps;
}

static void watch_fibers(void)
{
	static char stack[1 << 16];
	sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
	struct sigaction crash = {
		.sa_sigaction = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO};
	const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		sigaction(fatal[i], &crash, NULL);
	struct sigaction tick = {
		.sa_handler = on_tick, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART};
	sigaction(SIGVTALRM, &tick, NULL);
	const struct itimerval every = {{2, 0}, {2, 0}};
	setitimer(ITIMER_VIRTUAL, &every, NULL);
}

void world_begin(const char *pristine)
{
	world_restore(pristine);
	protect_statics();
	explore_failure[0] = '\0';
}

static ucontext_t first_scheduler, first_fiber;

void world_make(void)
{
	void *at = mmap(WORLD_ADDRESS, sizeof *world, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != world) {
		perror("explore: mmap");
		exit(2);
	}
	if (static_pages() > STATIC_PAGES_MOST) {
		fprintf(stderr, "explore: the locks have too much static data\n");
		exit(2);
	}
	statics_pristine = malloc(statics_size() + 1);
	memcpy(statics_pristine, __start_explored, statics_size());
	watch_fibers();
	for (unsigned i = 0; i < FIBERS; i++) {
		getcontext(&first_fiber);
		first_fiber.uc_stack.ss_sp = world->stack[i];
		first_fiber.uc_stack.ss_size = STACK_SIZE;
		makecontext(&first_fiber, (void (*)(void))fiber_life, 1, i);
		if (!_setjmp(scheduler))
			swapcontext(&first_scheduler, &first_fiber);
	}
}

void fiber_start(unsigned index, void *(*run)(void *), void *argument)
{
	struct fiber *f = &world->fiber[index];
	f->run = run;
	f->argument = argument;
	f->live = true;
	f->done = false;
	f->op = OP_START;
	if (world->fibers <= index)
		world->fibers = index + 1;
}

char fiber_letter(unsigned index)
{
	return "mabcdstu"[index];
}

/* Operations as seen before they happen. */

static uint64_t fetch(const volatile void *p, size_t size)
{
	uint64_t v = 0;
	memcpy(&v, (const void *)p, size);
	return v;
}

// What the fiber's atomic operation would leave in memory.
static uint64_t outcome(const struct fiber *f, uint64_t found)
{
	uint64_t mask = f->size == 8 ? UINT64_MAX : (UINT64_C(1) << (f->size * 8)) - 1;
	switch (f->op) {
	case OP_STORE:
	case OP_PLAIN_STORE:
	case OP_EXCHANGE:
		return f->operand;
	case OP_ADD:
		return (found + f->operand) & mask;
	case OP_SUB:
		return (found - f->operand) & mask;
	case OP_OR:
		return found | f->operand;
	case OP_AND:
		return found & f->operand;
	case OP_XOR:
		return found ^ f->operand;
	case OP_CAS:
	case OP_CAS_WEAK:
		return found == f->expected ? f->operand : found;
	default:
		return found;
	}
}

struct model_mutex {
	uint32_t owner, depth, recursive; // owner: fiber + 1
};
struct model_rwlock {
	uint32_t readers, writer;
};

static unsigned sleepers(const volatile void *on)
{
	unsigned mask = 0;
	for (unsigned i = 0; i < world->fibers; i++)
		if (world->fiber[i].live && world->fiber[i].sleeps_on == on &&
			!world->fiber[i].woken)
			mask |= 1u << i;
	return mask;
}

static bool may_go_on(const struct fiber *f)
{
	const struct model_mutex *m = (void *)f->address;
	const struct model_rwlock *l = (void *)f->address;
	switch (f->op) {
	case OP_RELAX:
		return f->news;
	case OP_SLEEP:
		return f->woken;
	case OP_MUTEX_LOCK:
		return !m->owner || (m->recursive && m->owner == f - world->fiber + 1);
	case OP_RWLOCK_READ:
		return !l->writer;
	case OP_RWLOCK_WRITE:
		return !l->writer && !l->readers;
	case OP_SEM_WAIT:
		return fetch(f->address, 4) > 0;
	case OP_SPIN_LOCK:
		return fetch(f->address, 4) == 0;
	case OP_JOIN:
		return world->fiber[f->operand].done;
	case OP_GATE:
		return fetch(f->address, 8) == f->operand;
	default:
		return true;
	}
}

unsigned world_alternatives(const struct fiber *f, bool despair)
{
	unsigned mask = may_go_on(f);
	switch (f->op) {
	case OP_RELAX:
		return mask | 2;
	case OP_CAS_WEAK:
		return mask |
		       (world->spurious && fetch(f->address, f->size) == f->expected ? 2 : 0);
	case OP_CLOCK:
		return mask | (world->leaps || despair ? 2 : 0);
	case OP_SLEEP:
		if (f->timed && (world->timeouts || despair))
			mask |= 2;
		return mask | (world->spurious ? 4 : 0);
	case OP_MUTEX_LOCK:
	case OP_SEM_WAIT:
		return mask | (f->timed && (world->timeouts || despair) ? 2 : 0);
	case OP_WAKE:
		mask = sleepers(f->address);
		return mask ? mask : 1;
	default:
		return mask;
	}
}

// Stops before an operation until it is scheduled. Returns which of its outcomes was chosen.
static unsigned stop_at(enum op_kind op, volatile void *address, size_t size, uint64_t operand,
	uint64_t expected, const struct explore_site *site)
{
	struct fiber *f = &world->fiber[this_fiber];
	f->op = op;
	f->address = address;
	f->size = size;
	f->operand = operand;
	f->expected = expected;
	f->site = site;
	f->alternative = 0;
	if (f->asking && (op == OP_RELAX || op == OP_SLEEP))
		f->arrived = true;
	if (world->alone)
		return 0;
	to_scheduler(f);
	return f->alternative;
}

/* What follows an operation. */

// The address was looked at: a change of it may end the fiber's spinning.
static void looked_at(const volatile void *p)
{
	struct fiber *f = &world->fiber[this_fiber];
	if (f->relaxed) {
		f->relaxed = f->news = false;
		f->watching = 0;
		memset(f->watched, 0, sizeof f->watched);
	}
	uintptr_t word = (uintptr_t)p / 8;
	for (unsigned i = 0; i < f->watching && i < WATCHED; i++)
		if (f->watched[i] == word)
			return;
	if (f->watching < WATCHED)
		f->watched[f->watching] = word;
	if (f->watching <= WATCHED)
		f->watching++; /* more than there is room for: all addresses count */
}

static void changed(const volatile void *p)
{
	uintptr_t word = (uintptr_t)p / 8;
	for (unsigned i = 0; i < world->fibers; i++) {
		struct fiber *f = &world->fiber[i];
		if (!f->live || i == this_fiber)
			continue;
		bool watched = f->watching > WATCHED;
		for (unsigned k = 0; k < f->watching && k < WATCHED; k++)
			watched |= f->watched[k] == word;
		f->news |= watched;
	}
}

// The same by an operation that both reads and writes: with it a fiber takes its place in a queue.
static void took(const volatile void *p)
{
	changed(p);
	if (world->fiber[this_fiber].asking)
		world->fiber[this_fiber].arrived = true;
}

static void must_be_valid(const volatile void *p)
{
	const char *at = (const char *)p;
	if (at < world->heap || at >= world->heap + HEAP_SIZE)
		return;
	for (unsigned i = 0; i < world->blocks; i++) {
		const struct heap_block *b = &world->block[i];
		if (b->freed && at >= world->heap + b->offset &&
			at < world->heap + b->offset + b->size)
			explore_fail("it uses memory that was freed");
	}
}

/* Atomics. */

uint64_t explore_atomic(enum op_kind kind, volatile void *p, size_t size, uint64_t operand,
	const struct explore_site *site)
{
	stop_at(kind, p, size, operand, 0, site);
	must_be_valid(p);
	uint64_t found = explore_found = fetch(p, size);
	uint64_t left = outcome(&world->fiber[this_fiber], found);
	if (kind != OP_STORE)
		looked_at(p);
	if (left == found)
		return found;
	memcpy((void *)p, &left, size);
	if (kind == OP_STORE)
		changed(p);
	else
		took(p);
	return found;
}

bool explore_compare_exchange(enum op_kind kind, volatile void *p, size_t size, uint64_t *expected,
	uint64_t desired, const struct explore_site *site)
{
	unsigned fails = stop_at(kind, p, size, desired, *expected, site);
	must_be_valid(p);
	uint64_t found = explore_found = fetch(p, size);
	looked_at(p);
	if (fails) {
		world->spurious--;
		return false;
	}
	if (found != *expected) {
		*expected = found;
		return false;
	}
	memcpy((void *)p, &desired, size);
	if (found != desired)
		took(p);
	return true;
}

int explore_relax(uint64_t ns, const struct explore_site *site)
{
	struct fiber *f = &world->fiber[this_fiber];
	f->relaxed = true;
	if (!f->impatient)
		world->clock += ns;
	/* In a loop of pauses only the first stops; a change since the last look ends it all. */
	if (!f->news && !f->impatient)
		stop_at(OP_RELAX, NULL, 0, 0, 0, site);
	if (f->impatient && ++f->alternative > PATIENCE_PAUSES)
		stop_at(OP_RELAX, NULL, 0, 0, 0, site);
	return 0;
}

uint64_t explore_now(const struct explore_site *site)
{
	struct fiber *f = &world->fiber[this_fiber];
	if (f->impatient) {
		world->clock += GLANCE_NS;
	} else if (stop_at(OP_CLOCK, NULL, 0, 0, 0, site)) {
		world->leaps -= world->leaps > 0;
		world->clock += LEAP_NS;
	}
	return world->clock;
}

int explore_clock_gettime(struct timespec *t, const struct explore_site *site)
{
	uint64_t now = explore_now(site);
	t->tv_sec = (time_t)(now / 1000000000u);
	t->tv_nsec = (long)(now % 1000000000u);
	return 0;
}

/* Sleeping. */

// Returns whether it was woken (or for no reason) rather than out of time.
static bool sleep_on(
	const volatile void *on, bool timed, uint64_t until, const struct explore_site *site)
{
	struct fiber *f = &world->fiber[this_fiber];
	f->sleeps_on = on;
	f->woken = false;
	f->timed = timed;
	f->until = until;
	unsigned how = stop_at(OP_SLEEP, (volatile void *)on, 0, 0, 0, site);
	f->sleeps_on = NULL;
	f->woken = f->timed = false;
	if (how == 2)
		world->spurious--;
	if (how == 1) {
		world->timeouts -= world->timeouts > 0;
		if (world->clock < until)
			world->clock = until;
	}
	return how != 1;
}

static void wake(volatile void *on, unsigned most, const struct explore_site *site)
{
	unsigned chosen = stop_at(most == 1 ? OP_WAKE : OP_WAKE_ALL, on, 0, most, 0, site);
	unsigned asleep = sleepers(on);
	if (most == 1 && asleep) {
		world->fiber[chosen].woken = true;
		return;
	}
	for (unsigned i = 0; i < world->fibers && most; i++)
		if (asleep & 1u << i) {
			world->fiber[i].woken = true;
			most--;
		}
}

int explore_futex_wait(
	volatile void *word, unsigned value, uint64_t timeout_ns, const struct explore_site *site)
{
	stop_at(OP_FUTEX_WAIT, word, 4, value, 0, site);
	must_be_valid(word);
	looked_at(word);
	if (fetch(word, 4) != value)
		return 0;
	return sleep_on(word, timeout_ns, world->clock + timeout_ns, site) ? 0 : -1;
}

void explore_futex_wake(volatile void *word, int most, const struct explore_site *site)
{
	if (most > 0)
		wake(word, (unsigned)most, site);
}

/* The C library's locks. Their state lies where the C library has its own. */

static uint64_t in_ns(const struct timespec *t)
{
	return t ? (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec : 0;
}

int explore_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
	int type = PTHREAD_MUTEX_DEFAULT;
	if (a)
		pthread_mutexattr_gettype(a, &type);
	memset(m, 0, sizeof *m);
	((struct model_mutex *)m)->recursive = type == PTHREAD_MUTEX_RECURSIVE;
	return 0;
}

static bool out_of_time(void)
{
	struct fiber *f = &world->fiber[this_fiber];
	bool out = f->alternative == 1;
	if (out) {
		world->timeouts -= world->timeouts > 0;
		if (world->clock < f->until)
			world->clock = f->until;
	}
	f->timed = false;
	return out;
}

int explore_mutex_lock(pthread_mutex_t *mutex, const struct timespec *until, bool may_wait,
	const struct explore_site *site)
{
	struct model_mutex *m = (struct model_mutex *)mutex;
	struct fiber *f = &world->fiber[this_fiber];
	f->timed = until;
	f->until = in_ns(until);
	stop_at(may_wait ? OP_MUTEX_LOCK : OP_MODEL, m, 4, 0, 0, site);
	if (out_of_time())
		return ETIMEDOUT;
	must_be_valid(m);
	looked_at(m);
	if (m->owner && !(m->recursive && m->owner == this_fiber + 1))
		return EBUSY;
	m->owner = this_fiber + 1;
	m->depth++;
	took(m);
	return 0;
}

int explore_mutex_unlock(pthread_mutex_t *mutex, const struct explore_site *site)
{
	struct model_mutex *m = (struct model_mutex *)mutex;
	stop_at(OP_MODEL, m, 4, 0, 0, site);
	must_be_valid(m);
	if (m->owner != this_fiber + 1)
		explore_fail("it unlocks a mutex that it does not hold");
	if (--m->depth == 0)
		m->owner = 0;
	changed(m);
	return 0;
}

int explore_spin_lock(pthread_spinlock_t *s, bool may_wait, const struct explore_site *site)
{
	stop_at(may_wait ? OP_SPIN_LOCK : OP_MODEL, s, 4, 0, 0, site);
	must_be_valid(s);
	looked_at(s);
	if (*s)
		return EBUSY;
	*s = 1;
	took(s);
	return 0;
}

int explore_spin_unlock(pthread_spinlock_t *s, const struct explore_site *site)
{
	stop_at(OP_MODEL, s, 4, 0, 0, site);
	must_be_valid(s);
	*s = 0;
	changed(s);
	return 0;
}

int explore_cond_wait(pthread_cond_t *c, pthread_mutex_t *mutex, const struct timespec *until,
	const struct explore_site *site)
{
	struct model_mutex *m = (struct model_mutex *)mutex;
	stop_at(OP_COND_WAIT, c, 0, 0, 0, site);
	if (m->owner != this_fiber + 1)
		explore_fail("it waits on a condition without holding the mutex");
	m->owner = m->depth = 0;
	changed(m);
	bool woken = sleep_on(c, until, in_ns(until), site);
	explore_mutex_lock(mutex, NULL, true, site);
	return woken ? 0 : ETIMEDOUT;
}

int explore_cond_wake(pthread_cond_t *c, bool all, const struct explore_site *site)
{
	wake(c, all ? FIBERS : 1, site);
	return 0;
}

int explore_rwlock_lock(
	pthread_rwlock_t *lock, bool write, bool may_wait, const struct explore_site *site)
{
	struct model_rwlock *l = (struct model_rwlock *)lock;
	stop_at(!may_wait ? OP_MODEL : write ? OP_RWLOCK_WRITE : OP_RWLOCK_READ, l, 8, 0, 0, site);
	must_be_valid(l);
	looked_at(l);
	if (l->writer || (write && l->readers))
		return EBUSY;
	if (write)
		l->writer = this_fiber + 1;
	else
		l->readers++;
	took(l);
	return 0;
}

int explore_rwlock_unlock(pthread_rwlock_t *lock, const struct explore_site *site)
{
	struct model_rwlock *l = (struct model_rwlock *)lock;
	stop_at(OP_MODEL, l, 8, 0, 0, site);
	must_be_valid(l);
	if (l->writer == this_fiber + 1)
		l->writer = 0;
	else if (l->readers && !l->writer)
		l->readers--;
	else
		explore_fail("it unlocks a read-write lock that it does not hold");
	changed(l);
	return 0;
}

int explore_sem_init(sem_t *s, unsigned value)
{
	memset(s, 0, sizeof *s);
	memcpy(s, &value, 4);
	return 0;
}

int explore_sem_wait(
	sem_t *s, const struct timespec *until, bool may_wait, const struct explore_site *site)
{
	struct fiber *f = &world->fiber[this_fiber];
	f->timed = until;
	f->until = in_ns(until);
	stop_at(may_wait ? OP_SEM_WAIT : OP_MODEL, s, 4, 0, 0, site);
	if (out_of_time()) {
		errno = ETIMEDOUT;
		return -1;
	}
	must_be_valid(s);
	looked_at(s);
	uint32_t value = (uint32_t)fetch(s, 4);
	if (value == 0) {
		errno = EAGAIN;
		return -1;
	}
	value--;
	memcpy(s, &value, 4);
	took(s);
	return 0;
}

int explore_sem_post(sem_t *s, const struct explore_site *site)
{
	stop_at(OP_MODEL, s, 4, 0, 0, site);
	must_be_valid(s);
	uint32_t value = (uint32_t)fetch(s, 4) + 1;
	memcpy(s, &value, 4);
	changed(s);
	return 0;
}

/* Threads. */

int explore_thread_create(
	pthread_t *thread, void *(*run)(void *), void *argument, const struct explore_site *site)
{
	stop_at(OP_CREATE, NULL, 0, 0, 0, site);
	for (unsigned i = WORKERS_MOST + 1; i < FIBERS; i++)
		if (!world->fiber[i].live && !world->fiber[i].done) {
			fiber_start(i, run, argument);
			*thread = i;
			return 0;
		}
	return EAGAIN;
}

int explore_thread_join(pthread_t thread, void **result, const struct explore_site *site)
{
	stop_at(OP_JOIN, NULL, 0, thread, 0, site);
	world->fiber[thread].done = false; /* its place is free again */
	if (result)
		*result = world->fiber[thread].result;
	return 0;
}

pthread_t explore_thread_self(void)
{
	return this_fiber;
}

/* Memory. Never used twice, so that a use after free is seen. */

void *explore_alloc(size_t size, bool zeroed)
{
	unsigned room = (unsigned)(size + 127) & ~127u;
	if (world->blocks == HEAP_BLOCKS || size > HEAP_SIZE - world->heap_used)
		explore_fail("it allocates more than the explorer has room for");
	char *p = world->heap + world->heap_used;
	world->block[world->blocks++] = (struct heap_block){world->heap_used, room, false};
	world->heap_used += room;
	memset(p, zeroed ? 0 : 0xa5, room);
	return p;
}

void explore_free(void *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < world->blocks; i++) {
		struct heap_block *b = &world->block[i];
		if (world->heap + b->offset == p && !b->freed) {
			b->freed = true;
			memset(p, 0xdd, b->size);
			return;
		}
	}
	explore_fail("it frees what it has not allocated, or twice");
}

void *explore_realloc(void *p, size_t size)
{
	char *more = explore_alloc(size, false);
	for (unsigned i = 0; p && i < world->blocks; i++)
		if (world->heap + world->block[i].offset == p)
			memcpy(more, p, world->block[i].size < size ? world->block[i].size : size);
	explore_free(p);
	return more;
}

/* Accesses that are not atomic, of what is compiled with -fsanitize=thread: they are no steps, but
 * must not go to memory that was freed. These are the names that the compiler calls. */

#define EXPLORE_ACCESS(SIZE)                                                                       \
	void __tsan_read##SIZE(void *p);                                                           \
	void __tsan_read##SIZE(void *p)                                                            \
	{                                                                                          \
		must_be_valid(p);                                                                  \
	}                                                                                          \
	void __tsan_write##SIZE(void *p);                                                          \
	void __tsan_write##SIZE(void *p)                                                           \
	{                                                                                          \
		must_be_valid(p);                                                                  \
	}                                                                                          \
	void __tsan_unaligned_read##SIZE(void *p);                                                 \
	void __tsan_unaligned_read##SIZE(void *p)                                                  \
	{                                                                                          \
		must_be_valid(p);                                                                  \
	}                                                                                          \
	void __tsan_unaligned_write##SIZE(void *p);                                                \
	void __tsan_unaligned_write##SIZE(void *p)                                                 \
	{                                                                                          \
		must_be_valid(p);                                                                  \
	}
EXPLORE_ACCESS(1)
EXPLORE_ACCESS(2)
EXPLORE_ACCESS(4)
EXPLORE_ACCESS(8)
EXPLORE_ACCESS(16)

void __tsan_read_range(void *p, size_t size);
void __tsan_read_range(void *p, size_t size)
{
	(void)size;
	must_be_valid(p);
}

void __tsan_write_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size)
{
	(void)size;
	must_be_valid(p);
}

void __tsan_func_entry(void *p);
void __tsan_func_entry(void *p)
{
	(void)p;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}

/* The scenario's own. */

uint64_t explore_plain_load(uint64_t *p, const struct explore_site *site)
{
	stop_at(OP_PLAIN_LOAD, p, 8, 0, 0, site);
	return *p;
}

void explore_plain_store(uint64_t *p, uint64_t v, const struct explore_site *site)
{
	stop_at(OP_PLAIN_STORE, p, 8, v, 0, site);
	*p = v;
}

void explore_gate(const uint64_t *p, uint64_t value, const struct explore_site *site)
{
	stop_at(OP_GATE, (volatile void *)p, 8, value, 0, site);
}

/* Stepping. */

void world_step(unsigned fiber, unsigned alternative)
{
	struct fiber *f = &world->fiber[fiber];
	this_fiber = fiber;
	f->alternative = alternative;
	steps++;
	to_fiber(f);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

// Four independent chains, for speed. Sizes are multiples of 8.
static uint64_t hash(uint64_t seed, const void *from, size_t size)
{
	const uint64_t *p = from;
	size_t n = size / 8;
	uint64_t a = seed, b = seed + 1, c = seed + 2, d = seed + 3;
	for (; n >= 4; n -= 4, p += 4) {
		a = mix(a, p[0]);
		b = mix(b, p[1]);
		c = mix(c, p[2]);
		d = mix(d, p[3]);
	}
	while (n-- > 0)
		a = mix(a, *p++);
	return mix(mix(mix(a, b), c), d);
}

static size_t in_use(unsigned fiber, const char **low)
{
	const char *end = world->stack[fiber] + STACK_SIZE;
	*low = (const char *)((uintptr_t)world->fiber[fiber].low & ~(uintptr_t)7);
	return (size_t)(end - *low);
}

static uint64_t hash_fiber(uint64_t h, unsigned fiber)
{
	const char *low;
	size_t size = in_use(fiber, &low);
	h = hash(h, &world->fiber[fiber], sizeof(struct fiber));
	return hash(h, low, size);
}

// All but the fibers.
static uint64_t hash_memory(void)
{
	uint64_t h = hash(1, (char *)world + offsetof(struct world, fibers),
		offsetof(struct world, block) - offsetof(struct world, fibers));
	h = hash(h, world->block, (world->blocks * sizeof(struct heap_block) + 7) & ~(size_t)7);
	h = hash(h, world->scenario, sizeof world->scenario);
	h = hash(h, world->heap, world->heap_used);
	for (unsigned i = 0; i < static_pages(); i++)
		if (statics_written & UINT64_C(1) << i) {
			size_t size;
			char *part = static_part(i, &size);
			h = hash(h, part, size & ~(size_t)7);
		}
	return h;
}

static bool is_atomic(const struct fiber *f)
{
	return f->op >= OP_LOAD && f->op <= OP_CAS_WEAK;
}

// While it only looks, nobody else moves: if it comes to the same place with the same registers
// and stack again, it would do so for ever. Brent's way to find a cycle.
static bool leaves_alone(unsigned fiber)
{
	struct fiber *f = &world->fiber[fiber];
	uint64_t seen = 0;
	bool leaves = false;
	f->impatient = true;
	world_step(fiber, 0);
	for (unsigned looks = 0; looks < PATIENCE_LOOKS && !explore_failure[0]; looks++) {
		if (f->op == OP_RELAX && f->live)
			break; /* it paused too often */
		bool quiet = f->live && is_atomic(f) &&
			     outcome(f, fetch(f->address, f->size)) == fetch(f->address, f->size);
		if (!quiet) {
			leaves = true;
			break;
		}
		f->alternative = 0;
		uint64_t now = mix(hash_fiber(0, fiber), world->clock);
		if (now == seen)
			break;
		if ((looks & (looks + 1)) == 0)
			seen = now;
		world_step(fiber, 0);
	}
	f->impatient = false;
	return leaves || explore_failure[0];
}

// Who spins for ever does so wherever the others are: found out once, remembered.
bool world_lose_patience(unsigned fiber)
{
	enum { REMEMBERED = 1 << 16 };
	static uint64_t endless[REMEMBERED];
	uint64_t key = hash_fiber(hash_memory(), fiber);
	uint64_t *place = &endless[key % REMEMBERED];
	if (*place == key)
		return false;
	bool leaves = leaves_alone(fiber);
	if (!leaves)
		*place = key;
	return leaves;
}

#define BEFORE_HEAP (offsetof(struct world, heap))

uint64_t world_hash(void)
{
	uint64_t h = hash_memory();
	for (unsigned i = 0; i < world->fibers; i++)
		if (world->fiber[i].live)
			h = hash_fiber(mix(h, i), i);
		else
			h = mix(h, world->fiber[i].done);
	return h;
}

size_t world_size(void)
{
	return sizeof *world + statics_size() + sizeof statics_written;
}

size_t world_save(char *to)
{
	char *at = to;
	memcpy(at, world, BEFORE_HEAP);
	at += BEFORE_HEAP;
	memcpy(at, world->heap, world->heap_used);
	at += world->heap_used;
	for (unsigned i = 0; i < FIBERS; i++) {
		const char *low;
		size_t size = in_use(i, &low);
		memcpy(at, low, size);
		at += size;
	}
	memcpy(at, &statics_written, sizeof statics_written);
	at += sizeof statics_written;
	for (unsigned i = 0; i < static_pages(); i++)
		if (statics_written & UINT64_C(1) << i) {
			size_t size;
			const char *part = static_part(i, &size);
			memcpy(at, part, size);
			at += size;
		}
	/* of 8: the next one begins there */
	return ((size_t)(at - to) + 7) & ~(size_t)7;
}

void world_restore(const char *from)
{
	memcpy(world, from, BEFORE_HEAP);
	from += BEFORE_HEAP;
	memcpy(world->heap, from, world->heap_used);
	from += world->heap_used;
	for (unsigned i = 0; i < FIBERS; i++) {
		const char *low;
		size_t size = in_use(i, &low);
		memcpy((char *)low, from, size);
		from += size;
	}
	uint64_t saved;
	memcpy(&saved, from, sizeof saved);
	from += sizeof saved;
	for (unsigned i = 0; i < static_pages(); i++) {
		size_t size;
		char *part = static_part(i, &size);
		if (saved & UINT64_C(1) << i) {
			memcpy(part, from, size);
			from += size;
		} else if (statics_written & UINT64_C(1) << i) {
			memcpy(part, statics_pristine + (part - __start_explored), size);
		}
	}
}

static const char *short_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

// "mcs.h:41 exchange(&l->tail, me)", with the outcome where there are several.
void world_describe(unsigned fiber, char *text, size_t size)
{
	const struct fiber *f = &world->fiber[fiber];
	if (!f->live)
		snprintf(text, size, f->done ? "is done" : "is not there");
	else if (f->op == OP_START)
		snprintf(text, size, "starts");
	else
		snprintf(text, size, "%s:%d: %s", short_name(f->site->file), f->site->line,
			f->site->text);
}
