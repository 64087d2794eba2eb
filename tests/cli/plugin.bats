#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale run --lock-plugin: other people's locks, measured and checked as ours are; and the
# examples of docs/your-lock.md, as they stand there.
# shellcheck disable=SC2154 # `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=result
}

# example NAME: the program of that name in the document.
example()
{
	awk -v file="$1" '
		index($0, "`" file "`:") { ours = 1 }
		/^```c$/ && ours { on = 1; next }
		/^```$/ && on { exit }
		on { print }' "$ROOT/docs/your-lock.md" >"$1"
	[ -s "$1" ]
}

# plugin NAME: builds NAME.so from stdin.
plugin()
{
	cat >"$1.c"
	"${CC:-cc}" -Wall -Wextra -Werror -shared -fPIC -O2 -o "$1.so" "$1.c"
}

# A lock that works, in parts that a test may replace.
good_init='int init(void *l) { *(int *)l = 0; return 0; }'
good_acquire='void acquire(void *l) { while (__atomic_exchange_n((int *)l, 1, 2)) ; }'
good_try='_Bool try_acquire(void *l) { return !__atomic_exchange_n((int *)l, 1, 2); }'
good_release='void release(void *l) { __atomic_store_n((int *)l, 0, 3); }'
good_fini='void fini(void *l) { (void)l; }'

good()
{
	plugin "$1" <<<"$good_init
$good_acquire
$good_try
$good_release
$good_fini
${2-}"
}

# measure ARGUMENT...: a short run that must succeed.
measure()
{
	run -0 --separate-stderr "$LOCKSCALE" run "${SHORT[@]}" --output "$dir" "$@"
}

# fails ARGUMENT...: measured, and a point failed.
fails()
{
	run -1 --separate-stderr "$LOCKSCALE" run --window-ms 10 --processes 2 --samples 2 --output "$dir" "$@"
	has "$stderr" FAILED
}

others_are_complete()
{
	is "$dir/journal.jsonl" "all(sum(point(x) == point(p) for x in s) ==
		d[0]['plan']['processes'] * d[0]['plan']['samples']
		for p in d[0]['plan']['points'] if '$1' not in point(p))"
}

@test "the document's two plugins build as it says and pass in every kernel" {
	example handoff.c
	example queue.c
	[ "$(wc -l <handoff.c)" -lt 50 ]
	lacks "$(cat handoff.c)" '"lock.h"'
	ln -s "$ROOT/kernels" kernels
	grep '^cc ' "$ROOT/docs/your-lock.md" >commands
	[ "$(wc -l <commands)" = 2 ]
	sh -e commands
	measure '*/*/handoff' '*/*/queue' --lock-plugin ./handoff.so --lock-plugin queue.so
	for lock in handoff queue; do
		for variant in 'counter	global-lock' 'bank	fine-lock' 'histogram	fine-lock' \
			'mandelbrot	global-lock'; do
			grep -q "^$variant	$lock	" "$dir/speedup.tsv"
		done
	done
}

@test "without a pattern a plugin is measured beside mutex, ttas and mcs and nothing else" {
	good mine
	run -0 --separate-stderr "$LOCKSCALE" run --dry-run --threads 1 --lock-plugin mine.so
	[ "$(sed -n 's|^bank/fine-lock/\([a-z]*\)/.*|\1|p' <<<"$output" | sort | paste -sd' ')" = 'mcs mine mutex ttas' ]
	[ "$(sed -n 's|^counter/global-lock/\([a-z-]*\)/.*|\1|p' <<<"$output" | sort | paste -sd' ')" = \
		'mcs mine mutex tas tas-indirect ttas' ]
	lacks "$output" lock-free private/placement:spread unsynchronized
	has "$output" control/private counter/sequential mandelbrot/global-lock/mine
}

@test "a plugin can be named in --locks, whichever option comes first" {
	good mine
	run -0 --separate-stderr "$LOCKSCALE" run --dry-run --threads 1 --locks mine,spin \
		--strategies global-lock --lock-plugin mine.so counter
	has "$output" counter/global-lock/mine counter/global-lock/spin
	lacks "$output" /mcs
}

@test "the lock is called after its file" {
	good libfirst.lock
	mkdir folder
	cp libfirst.lock.so folder/second
	measure counter/global-lock --threads 1 --lock-plugin ./libfirst.lock.so --lock-plugin folder/second
	grep -q '^counter	global-lock	first.lock	' "$dir/speedup.tsv"
	grep -q '^counter	global-lock	second	' "$dir/speedup.tsv"
}

@test "what calling through pointers costs is measured and told" {
	good mine
	measure --threads 1 --samples 3 --lock-plugin mine.so counter/global-lock/mine
	is "$dir/journal.jsonl" 'sorted(x["lock"] for x in s if x["lock"].startswith("tas")) ==
		["tas"] * 3 + ["tas-indirect"] * 3'
	for text in "$output" "$("$LOCKSCALE" report --no-charts "$dir")"; do
		[[ $(tr '\n' ' ' <<<"$text") =~ indirect\ call:\ -?[0-9.]+\ ns\ per\ acquire\ and\ release\ \[-?[0-9.]+,\ -?[0-9.]+\]\ \(tas\ through\ pointers\ against\ inlined\) ]]
	done
}

@test "without a plugin nothing is said of pointers" {
	measure counter/global-lock/tas --threads 1
	lacks "$output" 'indirect'
	lacks "$(cat "$dir/journal.jsonl")" 'tas-indirect' plugins
}

@test "a plugin's run is resumed with the plugin" {
	good mine
	measure counter/global-lock/mine --threads 1 --lock-plugin mine.so
	grep -v '"type":"sample".*"lock":"mine"' "$dir/journal.jsonl" >kept
	cp kept "$dir/journal.jsonl"
	mkdir elsewhere
	(cd elsewhere && "$LOCKSCALE" run --resume "../$dir" --quiet >/dev/null)
	is "$dir/journal.jsonl" 'sum(x["lock"] == "mine" for x in s) == 1'
	mv mine.so gone.so
	run -2 --separate-stderr "$LOCKSCALE" run --resume "$dir" --quiet
	has "$stderr" 'mine.so' 'No such file'
}

@test "a plugin gets zeroed, aligned memory, a team, and nodes of its own workers" {
	plugin strict <<'END'
#include <stdint.h>
#include <string.h>
struct team { unsigned workers; };
struct node { unsigned char bytes[112]; void *instrument; unsigned worker; };
static unsigned workers;
int init(int *l, const struct team *team)
{
	static const char zeros[256];
	workers = team->workers;
	return ((uintptr_t)l & 15) || memcmp(l, zeros, sizeof zeros) || workers < 1 || workers > 2 ? 71 : 0;
}
_Bool try_acquire(int *l, struct node *node)
{
	if (node->worker >= workers || ((uintptr_t)node & 127))
		__builtin_trap();
	return !__atomic_exchange_n(l, 1, 2);
}
void acquire(int *l, struct node *node) { while (!try_acquire(l, node)) ; }
void release(int *l) { __atomic_store_n(l, 0, 3); }
void fini(int *l) { memset(l, 1, 256); }
END
	measure --lock-plugin strict.so '*/*/strict'
}

@test "what a plugin may export besides is used" {
	good mine 'const __SIZE_TYPE__ lock_size = 8; const _Bool lock_fifo = 1;
		#include <stdio.h>
		void execute(void *l, void *n, void (*section)(void *, void *), void *s, void *a)
		{ static int told; if (!told++) puts("executed"); (void)n; acquire(l); section(s, a); release(l); }
		void retire(void *n) { (void)n; static int told; if (!told++) puts("retired"); }'
	measure counter/global-lock/mine --threads 1 --lock-plugin mine.so
	# and what it prints does not get in the way
	has "$stderr" executed retired
	grep -q '^counter	global-lock	mine	' "$dir/speedup.tsv"
}

@test "a missing file, no shared object and a directory are refused" {
	refused --lock-plugin 'nothing.so' 'No such file' -- --lock-plugin nothing.so
	printf '%0100d' 0 >text.so
	refused 'text.so' 'cannot be loaded' 'invalid ELF' -- --lock-plugin text.so
	mkdir folder.so
	refused 'cannot be loaded' -- --lock-plugin folder.so
	refused --lock-plugin 'requires an argument' -- --lock-plugin
}

@test "each missing symbol is named, with those that are needed" {
	good whole
	for symbol in init acquire try_acquire release fini; do
		sed "s/ $symbol(/ other_$symbol(/" whole.c | plugin "no_$symbol"
		refused "has no symbol '$symbol'" 'init, acquire, try_acquire, release and fini' \
			-- --lock-plugin "no_$symbol.so"
	done
}

@test "names that are taken or cannot be typed are refused" {
	good mcs
	refused "a lock named 'mcs' already" rename -- --lock-plugin mcs.so
	good mine
	refused "a lock named 'mine' already" -- --lock-plugin mine.so --lock-plugin ./mine.so
	cp mine.so 'a lock.so'
	refused "'a lock'" accepted -- --lock-plugin 'a lock.so'
	cp mine.so tas-indirect.so
	refused "'tas-indirect' already" -- --lock-plugin tas-indirect.so
}

@test "a lock larger than its memory is refused with what to do" {
	good large 'const __SIZE_TYPE__ lock_size = 257;'
	refused 'lock_size is 257' '1 to 256' 'allocated in init' -- --lock-plugin large.so
	good none 'const unsigned lock_size = 0;'
	refused 'lock_size is 0' -- --lock-plugin none.so
	good some 'const unsigned lock_size = 4, more = 99;'
	run -0 "$LOCKSCALE" run --dry-run --lock-plugin some.so
}

@test "half a read side is refused" {
	good half 'void read_acquire(void *l) { (void)l; }'
	refused 'read_release' 'all three or none' -- --lock-plugin half.so
}

@test "a plugin that admits two owners fails its check" {
	need_two_pus
	good_acquire='void acquire(void *l) { (void)l; }'
	good both
	fails counter/global-lock/both counter/lock-free --threads 2 --lock-plugin both.so
	has "$stderr" 'FAILED counter/global-lock/both/placement:compact/threads:2' 'updates were lost' 'exactly once'
	others_are_complete both
	has "$(cat "$dir/verdict.txt")" FAILED
}

@test "a plugin that crashes costs its own point and no other" {
	good_acquire='void acquire(void *l) { (void)l; __builtin_trap(); }'
	good crash
	fails counter/global-lock/crash counter/lock-free --threads 1 --lock-plugin crash.so
	has "$stderr" 'FAILED counter/global-lock/crash/placement:compact/threads:1' 'killed by signal'
	others_are_complete crash
}

@test "a plugin that crashes at the end of the process costs nothing" {
	good_acquire='static int used; void acquire(void *l)
		{ used = 1; while (__atomic_exchange_n((int *)l, 1, 2)) ; }'
	good late '__attribute__((destructor)) static void end(void) { if (used) __builtin_trap(); }'
	measure counter/global-lock/late --threads 1 --lock-plugin late.so
	is "$dir/journal.jsonl" 'not any(x["type"] == "failure" for x in d)'
	others_are_complete nothing
}

@test "a plugin that waits for ever is ended by the watchdog" {
	good_acquire='void acquire(void *l) { (void)l; for (;;) __asm__ volatile("" ::: "memory"); }'
	good hang
	fails counter/global-lock/hang counter/lock-free --threads 1 --watchdog 1 --lock-plugin hang.so
	has "$stderr" 'FAILED counter/global-lock/hang/placement:compact/threads:1' 'no progress for 1 s'
	others_are_complete hang
}

@test "a plugin whose init fails is told with the reason" {
	good_init='int init(void *l) { (void)l; return 12; }'
	good poor
	fails counter/global-lock/poor bank/fine-lock/poor counter/lock-free --threads 1 --lock-plugin poor.so
	has "$stderr" 'FAILED counter/global-lock/poor' 'Cannot allocate memory' 'FAILED bank/fine-lock/poor'
	others_are_complete poor
}
