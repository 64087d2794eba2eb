// SPDX-License-Identifier: BSD-2-Clause
#ifdef HAVE_URCU
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#include "structures/urcu_thread.h"

static pthread_key_t leaving;

static void leave(void *unused)
{
	(void)unused;
	urcu_qsbr_unregister_thread();
	urcu_memb_unregister_thread();
}

static void make_key(void)
{
	if (pthread_key_create(&leaving, leave))
		abort(); /* a process has room for a thousand of them */
}

void urcu_thread_known(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static _Thread_local bool known;
	if (known)
		return;
	pthread_once(&once, make_key);
	if (pthread_setspecific(leaving, &known))
		abort();
	urcu_memb_register_thread();
	urcu_qsbr_register_thread();
	urcu_qsbr_thread_offline();
	known = true;
}
#endif
