// SPDX-License-Identifier: BSD-2-Clause
// What the headers of an exploring build call instead of the machine, C library and kernel. Each
// of these is a scheduling point: the calling fiber stops before the operation, and carries it
// out when the search schedules it again.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum op_kind {
	OP_START,
	OP_LOAD,
	OP_STORE,
	OP_EXCHANGE,
	OP_ADD,
	OP_SUB,
	OP_OR,
	OP_AND,
	OP_XOR,
	OP_CAS,
	OP_CAS_WEAK,
	OP_PLAIN_LOAD, // of the data that the lock protects
	OP_PLAIN_STORE,
	OP_RELAX,
	OP_CLOCK,
	OP_FUTEX_WAIT, // looks at the word, and goes to sleep in the same step
	OP_SLEEP,      // until somebody wakes it
	OP_WAKE,       // one sleeper: which one is a choice
	OP_WAKE_ALL,
	OP_MUTEX_LOCK,
	OP_COND_WAIT, // releases the mutex and goes to sleep
	OP_RWLOCK_READ,
	OP_RWLOCK_WRITE,
	OP_SEM_WAIT,
	OP_SPIN_LOCK,
	OP_MODEL, // an operation of the C library that never waits
	OP_CREATE,
	OP_JOIN,
	OP_GATE, // the scenario waits until a word has a value
};

// Where an operation is written, and how.
struct explore_site {
	const char *file;
	int line;
	const char *text;
};

uint64_t explore_atomic(enum op_kind kind, volatile void *p, size_t size, uint64_t operand,
	const struct explore_site *site);
bool explore_compare_exchange(enum op_kind kind, volatile void *p, size_t size, uint64_t *expected,
	uint64_t desired, const struct explore_site *site);
int explore_relax(uint64_t ns, const struct explore_site *site); // 0

uint64_t explore_now(const struct explore_site *site);
int explore_futex_wait(
	volatile void *word, unsigned value, uint64_t timeout_ns, const struct explore_site *site);
void explore_futex_wake(volatile void *word, int most, const struct explore_site *site);

/* The C library's. */

int explore_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a);
int explore_mutex_lock(pthread_mutex_t *m, const struct timespec *until, bool may_wait,
	const struct explore_site *site);
int explore_mutex_unlock(pthread_mutex_t *m, const struct explore_site *site);
int explore_spin_lock(pthread_spinlock_t *s, bool may_wait, const struct explore_site *site);
int explore_spin_unlock(pthread_spinlock_t *s, const struct explore_site *site);
int explore_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until,
	const struct explore_site *site);
int explore_cond_wake(pthread_cond_t *c, bool all, const struct explore_site *site);
int explore_rwlock_lock(
	pthread_rwlock_t *l, bool write, bool may_wait, const struct explore_site *site);
int explore_rwlock_unlock(pthread_rwlock_t *l, const struct explore_site *site);
int explore_sem_init(sem_t *s, unsigned value);
int explore_sem_wait(
	sem_t *s, const struct timespec *until, bool may_wait, const struct explore_site *site);
int explore_sem_post(sem_t *s, const struct explore_site *site);
int explore_thread_create(
	pthread_t *thread, void *(*run)(void *), void *argument, const struct explore_site *site);
int explore_thread_join(pthread_t thread, void **result, const struct explore_site *site);
pthread_t explore_thread_self(void);
int explore_clock_gettime(struct timespec *t, const struct explore_site *site);

void *explore_alloc(size_t size, bool zeroed);
void *explore_realloc(void *p, size_t size);
void explore_free(void *p);

/* The scenario's own. */

uint64_t explore_plain_load(uint64_t *p, const struct explore_site *site);
void explore_plain_store(uint64_t *p, uint64_t v, const struct explore_site *site);
void explore_gate(const uint64_t *p, uint64_t value, const struct explore_site *site);
