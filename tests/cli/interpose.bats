#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale run --interpose: the pthread_mutex that a preloaded library provides, beside the C
# library's own, each in processes of its own.
# shellcheck disable=SC2154 # `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=result
}

# A ticket lock in pthread_mutex_t's memory, all zeros when free as static mutexes are. It notes the
# first argument of each process that it was in.
ticket_lock()
{
	cat >ticket.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ticket { atomic_uint next, serving; };

__attribute__((destructor)) static void tell(void)
{
	FILE *f = getenv("TICKET_LOG") ? fopen(getenv("TICKET_LOG"), "a") : NULL;
	char line[4096] = "";
	int command = open("/proc/self/cmdline", O_RDONLY);
	if (f && read(command, line, sizeof line - 1) > 0) {
		fprintf(f, "%s\n", line + strlen(line) + 1);
		fclose(f);
	}
}
int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
	(void)a;
	memset(m, 0, sizeof *m);
	return 0;
}
int pthread_mutex_destroy(pthread_mutex_t *m) { (void)m; return 0; }
int pthread_mutex_lock(pthread_mutex_t *m)
{
	struct ticket *t = (struct ticket *)m;
	unsigned mine = atomic_fetch_add(&t->next, 1);
	while (atomic_load(&t->serving) != mine)
		sched_yield();
	return 0;
}
int pthread_mutex_trylock(pthread_mutex_t *m)
{
	struct ticket *t = (struct ticket *)m;
	unsigned mine = atomic_load(&t->serving);
	return atomic_compare_exchange_strong(&t->next, &mine, mine + 1) ? 0 : EBUSY;
}
int pthread_mutex_unlock(pthread_mutex_t *m)
{
	struct ticket *t = (struct ticket *)m;
	atomic_fetch_add(&t->serving, 1);
	return 0;
}
END
	"${CC:-cc}" -shared -fPIC -O2 -o ticket.so ticket.c
}

measure()
{
	run -0 --separate-stderr "$LOCKSCALE" run "${SHORT[@]}" --output "$dir" "$@"
}

@test "a library's mutex is measured beside the C library's own in every kernel with locks" {
	ticket_lock
	measure --interpose=ticket.so
	for variant in 'counter	global-lock' 'bank	fine-lock' 'histogram	global-lock' 'mandelbrot	global-lock'; do
		for lock in interposed mutex; do
			grep -q "^$variant	$lock	" "$dir/speedup.tsv"
		done
	done
	is "$dir/journal.jsonl" '{x["lock"] for x in s} == {"", "mutex", "interposed"}'
	is "$dir/journal.jsonl" '{x["strategy"] for x in s if not x["lock"]} == {"sequential", "private"}'
}

@test "only the processes that measure the library have it" {
	ticket_lock
	TICKET_LOG=$PWD/log measure counter/global-lock/mutex counter/global-lock/interposed --threads 1 \
		--interpose=./ticket.so --processes 2
	# one that tries it out, then one each; those of mutex and the run itself go without
	[ "$(sort log | uniq -c | tr -s ' ')" = ' 3 _measure' ]
	is "$dir/journal.jsonl" 'sum(x["lock"] == "interposed" for x in s) == 2 == sum(x["lock"] == "mutex" for x in s)'
}

@test "without an argument the library is LD_PRELOAD's, and mutex goes without it" {
	ticket_lock
	TICKET_LOG=$PWD/log LD_PRELOAD=./ticket.so measure counter/global-lock --threads 1 --locks mutex,interposed \
		--interpose
	is "$dir/journal.jsonl" "d[0]['plan']['preload'] == '$(realpath ticket.so)'"
	# one that tries it out, and one
	[ "$(grep -c '^_measure$' log)" = 2 ]
	grep -q '^counter	global-lock	interposed	' "$dir/speedup.tsv"
	unset LD_PRELOAD
	rm -r "$dir"
	refused --interpose LD_PRELOAD -- --interpose
	LD_PRELOAD='' refused --interpose LD_PRELOAD -- --interpose
	refused --interpose LIB.so -- --interpose=
}

@test "such a run is resumed with the library" {
	ticket_lock
	measure counter/global-lock/interposed --threads 1 --interpose=ticket.so
	grep -v '"type":"sample".*"lock":"interposed"' "$dir/journal.jsonl" >kept
	cp kept "$dir/journal.jsonl"
	mkdir elsewhere
	(cd elsewhere && TICKET_LOG=$BATS_TEST_TMPDIR/log "$LOCKSCALE" run --resume "../$dir" --quiet >/dev/null)
	[ "$(grep -c '^_measure$' log)" = 2 ]
	is "$dir/journal.jsonl" 'sum(x["lock"] == "interposed" for x in s) == 1'
}

@test "a library without pthread_mutex_lock is refused, and named" {
	echo 'int other(void) { return 0; }' >other.c
	"${CC:-cc}" -shared -fPIC -o other.so other.c
	refused --interpose "$(realpath other.so)" 'no pthread_mutex_lock' 'libc' -- --interpose=other.so
}

@test "a missing file and what is no library are refused" {
	refused '--interpose nothing.so' 'No such file' -- --interpose=nothing.so
	printf '%0100d' 0 >text.so
	refused --interpose text.so 'no pthread_mutex_lock' -- --interpose=text.so
}

@test "a library that crashes at once is refused, and named" {
	cat >crash.c <<'END'
#include <pthread.h>
__attribute__((constructor)) static void start(void) { __builtin_trap(); }
int pthread_mutex_lock(pthread_mutex_t *m) { (void)m; return 0; }
END
	"${CC:-cc}" -shared -fPIC -o crash.so crash.c
	refused --interpose crash.so 'killed by signal' -- --interpose=crash.so
}

@test "a library whose mutex admits two owners fails its check, and mutex does not" {
	need_two_pus
	ticket_lock
	sed 's/while (atomic_load(&t->serving) != mine)/while (0 \&\& mine)/' ticket.c >both.c
	"${CC:-cc}" -shared -fPIC -O2 -o both.so both.c
	run -1 --separate-stderr "$LOCKSCALE" run --window-ms 10 --processes 2 --samples 2 --output "$dir" \
		counter/global-lock/mutex counter/global-lock/interposed --threads 2 --interpose=both.so
	has "$stderr" 'FAILED counter/global-lock/interposed/placement:compact/threads:2' 'exactly once'
	is "$dir/journal.jsonl" 'sum(x["lock"] == "mutex" for x in s) == 4'
}

@test "interposed is a lock only with --interpose" {
	refused "'counter/global-lock/interposed'" -- counter/global-lock/interposed
}
