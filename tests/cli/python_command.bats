#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale python, the command: its options and what it says when they are wrong, where output
# goes, exit statuses, signals. What the language can do is tested elsewhere.
# shellcheck disable=SC2154 # `run` sets stderr

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
	clean_up
}

# program LINE...: writes p.py
program()
{
	printf '%s\n' "$@" >p.py
}

# python ARGUMENT...
python()
{
	"$LOCKSCALE" python "$@"
}

# misuse WORD... -- ARGUMENT...: a usage error that has the words; nothing on stdout.
misuse()
{
	local words=()
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	run -2 --separate-stderr python "$@"
	[ -z "$output" ]
	has "$stderr" "${words[@]}"
}

@test "a program's output goes to stdout, under every strategy, and nothing to stderr" {
	program 'n = 1000' 'while n > 0:' '    n = n - 1' 'print(n + 42)'
	for strategy in sequential gil-2 gil-2-cond gil-3 free-threaded-atomic free-threaded; do
		run -0 --separate-stderr python --strategy "$strategy" p.py
		[ "$output" = 42 ]
		[ -z "$stderr" ]
	done
}

@test "a file named - is stdin" {
	run -0 python - <<<'print(6 * 7)'
	[ "$output" = 42 ]
	run -1 --separate-stderr python - <<<'print(nothing)'
	has "$stderr" '<stdin>:1: NameError' "'nothing'"
}

@test "help names every option and strategy" {
	run -0 --separate-stderr python --help
	[ -z "$stderr" ]
	has "$output" 'Usage: lockscale python' --strategy --interval --switch-us --check --sharing \
		--cpus --dis --stats --trace sequential gil-2 gil-2-cond gil-3 free-threaded-atomic
}

@test "wrong options are refused with the value and what is accepted" {
	program 'print(1)'
	misuse "'p.py'" -- p.py p.py
	misuse 'FILE' --
	misuse 'gil-9' 'sequential, gil-2, gil-2-cond, gil-3' -- --strategy gil-9 p.py
	misuse '--interval 0' '1 to' -- --strategy gil-2 --interval 0 p.py
	misuse '--interval x' -- --strategy gil-2 --interval x p.py
	misuse '--switch-us -1' -- --switch-us=-1 p.py
	misuse '--switch-us 1e9' -- --switch-us 1e9 p.py
	misuse '--check always' 'jumps, instructions' -- --check always p.py
	misuse '--sharing never' 'biased, deferred, immortal' -- --strategy free-threaded \
		--sharing never p.py
	misuse '--cpus 0' -- --cpus 0 p.py
	misuse '--cpus 1000' "there are $(allowed_pus)" -- --cpus 1000 p.py
}

@test "an option that would do nothing is refused" {
	program 'print(1)'
	misuse '--interval' 'gil-3' -- --interval 10 p.py
	misuse '--switch-us' 'gil-2' -- --strategy gil-2 --switch-us 10 p.py
	misuse '--check' 'free-threaded' -- --strategy free-threaded --check jumps p.py
	misuse '--sharing' 'gil-3' -- --sharing biased p.py
	misuse '--trace' 'free-threaded' -- --strategy free-threaded --trace p.py
}

@test "a file that cannot be read, or is no text, is an error of one line" {
	run -1 --separate-stderr python missing.py
	has "$stderr" 'missing.py' 'No such file'
	run -1 --separate-stderr python .
	has "$stderr" 'directory'
	printf 'print(1)\n\0\n' >p.py
	run -1 --separate-stderr python p.py
	has "$stderr" 'p.py' 'null byte'
	[ "$(wc -l <<<"$stderr")" = 1 ]
}

@test "a program at fault: file, line and kind on stderr, what it printed before on stdout" {
	program 'print(1)' '' 'print(m)'
	run -1 --separate-stderr python p.py
	[ "$output" = 1 ]
	[[ $stderr == p.py:3:\ NameError:* ]]
}

@test "a program that is not one is refused before it begins" {
	program 'print(1)' 'while'
	run -1 --separate-stderr python p.py
	[ -z "$output" ]
	[[ $stderr == p.py:2:\ SyntaxError:* ]]
}

@test "under sequential a program that starts a thread is told what it needs" {
	program 'import threading' 'def f():' '    pass' 'threading.Thread(target=f).start()'
	run -1 --separate-stderr python --strategy sequential p.py
	has "$stderr" 'p.py:4:' 'sequential'
}

@test "dis: shows the bytecode and runs nothing" {
	program 'print(1)' 'n = 3' 'while n > 0:' '    n = n - 1'
	run -0 --separate-stderr python --dis p.py
	has "$output" BINARY_SUBTRACT JUMP_BACK 'COMPARE'
	[ "$(head -n 1 <<<"$output")" != 1 ]
	run -1 --separate-stderr python --dis - <<<'if'
	has "$stderr" '<stdin>:1: SyntaxError'
}

@test "stats: tells on stderr what the lock did: a release every 101 ticks under gil-2" {
	program 'def f(n):' '    while n > 0:' '        n = n - 1' \
		'import threading' 't = threading.Thread(target=f, args=(1010000,))' \
		't.start()' 't.join()'
	run -0 --separate-stderr python --strategy gil-2 --stats p.py
	[ -z "$output" ]
	has "$stderr" seconds 'failed acquires' switches 'drop requests' 'futex calls' merges
	releases=$(awk '/^releases/ { print $2 }' <<<"$stderr")
	[ "$releases" -ge 29900 ]
	[ "$releases" -le 30200 ]
	[ "$(awk '/^objects left/ { print $3 }' <<<"$stderr")" = 0 ]
	run -0 --separate-stderr python --strategy gil-2 --interval 10000 --stats p.py
	[ "$(awk '/^releases/ { print $2 }' <<<"$stderr")" -lt 1000 ]
}

@test "trace: explains a lost update; without one it says so" {
	program 'import threading' 'x = 0' \
		'def up(n):' '    global x' '    while n > 0:' '        x = x + 1' '        n = n - 1' \
		'def down(n):' '    global x' '    while n > 0:' '        x = x - 1' '        n = n - 1' \
		'a = threading.Thread(target=up, args=(1000000,))' \
		'b = threading.Thread(target=down, args=(1000000,))' \
		'a.start()' 'b.start()' 'a.join()' 'b.join()'
	run -0 --separate-stderr python --check instructions --switch-us 500 --trace p.py
	has "$stderr" 'LOAD_GLOBAL x' 'switch to' '<- stale'
	run -0 --separate-stderr python --trace - <<<'x = 1'
	has "$stderr" 'No update'
}

@test "cpus: 1 keeps the program's threads to one PU" {
	program 'print(1)'
	run -0 python --cpus 1 p.py
	[ "$output" = 1 ]
}

@test "a signal ends a program that does not end: 130 by SIGINT, 143 by SIGTERM" {
	program 'print(1)' 'while True:' '    pass'
	for signal in INT:130 TERM:143; do
		start env --default-signal=INT "$LOCKSCALE" python p.py
		sleep 0.3
		kill -"${signal%:*}" "$started"
		status=0
		wait "$started" || status=$?
		[ "$status" = "${signal#*:}" ]
		[ "$(cat out)" = 1 ]
		[ ! -s err ]
	done
}

@test "output that cannot be written is a failure" {
	[ -c /dev/full ] || skip 'needs /dev/full'
	program 'print(1)'
	run -1 bash -c "'$LOCKSCALE' python p.py >/dev/full"
}
