// SPDX-License-Identifier: BSD-2-Clause
// Included before everything else in an exploring build: the C library's locks, threads, clocks
// and memory by the explorer's models, under their own names.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hooks.h"

static inline int explore_nothing(const volatile void *p)
{
	(void)p;
	return 0;
}

// `call` with the site of the macro that is expanded, named `text`.
#define EXPLORE_CALL(text, call)                                                                   \
	__extension__({                                                                            \
		static const struct explore_site site = {__FILE__, __LINE__, text};                \
		call;                                                                              \
	})

#define pthread_mutex_init(m, a) explore_mutex_init((m), (a))
#define pthread_mutex_destroy(m) explore_nothing(m)
#define pthread_mutex_lock(m)                                                                      \
	EXPLORE_CALL("pthread_mutex_lock(" #m ")", explore_mutex_lock((m), NULL, true, &site))
#define pthread_mutex_timedlock(m, t)                                                              \
	EXPLORE_CALL("pthread_mutex_timedlock(" #m ")", explore_mutex_lock((m), (t), true, &site))
#define pthread_mutex_trylock(m)                                                                   \
	EXPLORE_CALL("pthread_mutex_trylock(" #m ")", explore_mutex_lock((m), NULL, false, &site))
#define pthread_mutex_unlock(m)                                                                    \
	EXPLORE_CALL("pthread_mutex_unlock(" #m ")", explore_mutex_unlock((m), &site))

#define pthread_spin_init(s, shared) ((void)(shared), *(s) = 0, 0)
#define pthread_spin_destroy(s) explore_nothing(s)
#define pthread_spin_lock(s)                                                                       \
	EXPLORE_CALL("pthread_spin_lock(" #s ")", explore_spin_lock((s), true, &site))
#define pthread_spin_trylock(s)                                                                    \
	EXPLORE_CALL("pthread_spin_trylock(" #s ")", explore_spin_lock((s), false, &site))
#define pthread_spin_unlock(s)                                                                     \
	EXPLORE_CALL("pthread_spin_unlock(" #s ")", explore_spin_unlock((s), &site))

#define pthread_cond_init(c, a) ((void)(a), memset((c), 0, sizeof *(c)), 0)
#define pthread_cond_destroy(c) explore_nothing(c)
#define pthread_cond_wait(c, m)                                                                    \
	EXPLORE_CALL("pthread_cond_wait(" #c ")", explore_cond_wait((c), (m), NULL, &site))
#define pthread_cond_timedwait(c, m, t)                                                            \
	EXPLORE_CALL("pthread_cond_timedwait(" #c ")", explore_cond_wait((c), (m), (t), &site))
#define pthread_cond_clockwait(c, m, clock, t) pthread_cond_timedwait(c, m, t)
#define pthread_cond_signal(c)                                                                     \
	EXPLORE_CALL("pthread_cond_signal(" #c ")", explore_cond_wake((c), false, &site))
#define pthread_cond_broadcast(c)                                                                  \
	EXPLORE_CALL("pthread_cond_broadcast(" #c ")", explore_cond_wake((c), true, &site))

#define pthread_rwlock_init(l, a) ((void)(a), memset((l), 0, sizeof *(l)), 0)
#define pthread_rwlock_destroy(l) explore_nothing(l)
#define pthread_rwlock_rdlock(l)                                                                   \
	EXPLORE_CALL("pthread_rwlock_rdlock(" #l ")", explore_rwlock_lock((l), false, true, &site))
#define pthread_rwlock_wrlock(l)                                                                   \
	EXPLORE_CALL("pthread_rwlock_wrlock(" #l ")", explore_rwlock_lock((l), true, true, &site))
#define pthread_rwlock_tryrdlock(l)                                                                \
	EXPLORE_CALL(                                                                              \
		"pthread_rwlock_tryrdlock(" #l ")", explore_rwlock_lock((l), false, false, &site))
#define pthread_rwlock_trywrlock(l)                                                                \
	EXPLORE_CALL(                                                                              \
		"pthread_rwlock_trywrlock(" #l ")", explore_rwlock_lock((l), true, false, &site))
#define pthread_rwlock_unlock(l)                                                                   \
	EXPLORE_CALL("pthread_rwlock_unlock(" #l ")", explore_rwlock_unlock((l), &site))

#define sem_init(s, shared, value) ((void)(shared), explore_sem_init((s), (value)))
#define sem_destroy(s) explore_nothing(s)
#define sem_wait(s) EXPLORE_CALL("sem_wait(" #s ")", explore_sem_wait((s), NULL, true, &site))
#define sem_timedwait(s, t)                                                                        \
	EXPLORE_CALL("sem_timedwait(" #s ")", explore_sem_wait((s), (t), true, &site))
#define sem_trywait(s)                                                                             \
	EXPLORE_CALL("sem_trywait(" #s ")", explore_sem_wait((s), NULL, false, &site))
#define sem_post(s) EXPLORE_CALL("sem_post(" #s ")", explore_sem_post((s), &site))

#define pthread_create(t, a, f, x)                                                                 \
	EXPLORE_CALL("pthread_create(" #f ")",                                                     \
		((void)(a), explore_thread_create((t), (f), (x), &site)))
#define pthread_join(t, r)                                                                         \
	EXPLORE_CALL("pthread_join(" #t ")", explore_thread_join((t), (r), &site))
#define pthread_self() explore_thread_self()
#define pthread_attr_init(a) explore_nothing(a)
#define pthread_attr_destroy(a) explore_nothing(a)
#define pthread_attr_setaffinity_np(a, n, s) ((void)(a), (void)(n), explore_nothing(s))
#define pthread_attr_setstacksize(a, n) ((void)(n), explore_nothing(a))
#define pthread_setaffinity_np(t, n, s) ((void)(t), (void)(n), explore_nothing(s))
#define pthread_attr_setdetachstate(a, n) ((void)(n), explore_nothing(a))
#define pthread_setname_np(t, name) ((void)(t), explore_nothing(name))
#define pthread_sigmask(how, set, old) ((void)(how), (void)(set), explore_nothing(old))

#define sched_yield() EXPLORE_CALL("sched_yield()", explore_relax(0, &site))
#define usleep(us) EXPLORE_CALL("usleep()", explore_relax((us)*1000ull, &site))
#define nanosleep(t, left)                                                                         \
	((void)(left),                                                                             \
		EXPLORE_CALL("nanosleep()", explore_relax((uint64_t)(t)->tv_sec * 1000000000u +    \
								  (uint64_t)(t)->tv_nsec,          \
						    &site)))
#define clock_gettime(clock, t)                                                                    \
	((void)(clock), EXPLORE_CALL("clock_gettime()", explore_clock_gettime((t), &site)))

// Of address space only the beginning: all that a scenario comes to use.
#define mmap(a, n, p, f, d, o)                                                                     \
	((void)(n), (void)(p), (void)(f), (void)(d), explore_alloc(1024, true))
#define munmap(p, n) ((void)(n), explore_free(p))
#define malloc(n) explore_alloc((n), false)
#define calloc(n, m) explore_alloc((size_t)(n) * (m), true)
#define aligned_alloc(a, n) ((void)(a), explore_alloc((n), false))
#define posix_memalign(p, a, n) ((void)(a), *(p) = explore_alloc((n), false), *(p) ? 0 : 12)
#define realloc(p, n) explore_realloc((p), (n))
#define free explore_free /* of a structure's field too */
