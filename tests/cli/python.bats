#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The miniature Python's language: programs in tests/python/NAME.py print what is in NAME.out, which
# is what CPython prints, under every strategy; and a program at fault is told what, where and why.
# shellcheck disable=SC2154 # `run` sets more

bats_require_minimum_version 1.5.0
load common

PROGRAMS=$ROOT/tests/python

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# prints_as_python OPTION...: each program, but the one that starts threads where there can be none.
prints_as_python()
{
	local program name count=0
	for program in "$PROGRAMS"/*.py; do
		name=$(basename "$program" .py)
		[ "$name $2" != 'threads sequential' ] || continue
		timeout 60 "$LOCKSCALE" python "$@" "$program" >"$name.got" 2>"$name.err" || {
			echo "$name: exit status $?"
			cat "$name.err"
			return 1
		}
		diff "${program%.py}.out" "$name.got" || {
			echo "$name differs"
			return 1
		}
		[ ! -s "$name.err" ] || {
			cat "$name.err"
			return 1
		}
		count=$((count + 1))
	done
	[ $count -ge 12 ]
}

# at_fault TEXT PART...: the program ends with exit status 1 and one line on stderr, which has the
# parts; whatever it printed before is in $output.
at_fault()
{
	printf '%s\n' "$1" >fault.py
	run -1 --separate-stderr timeout 60 "$LOCKSCALE" python fault.py
	has "$stderr" "${@:2}"
	[ "$(wc -l <<<"$stderr")" = 1 ]
}

@test "programs print under sequential what Python prints" {
	prints_as_python --strategy sequential
}

@test "programs print under gil-2 what Python prints" {
	prints_as_python --strategy gil-2
}

@test "programs print under gil-2 with a switch at every tick what Python prints" {
	prints_as_python --strategy gil-2 --interval 1
}

@test "programs print under gil-2-cond what Python prints" {
	prints_as_python --strategy gil-2-cond
}

@test "programs print under gil-3 what Python prints" {
	prints_as_python --strategy gil-3
}

@test "programs print under gil-3 that checks at every instruction what Python prints" {
	prints_as_python --strategy gil-3 --check instructions --switch-us 1
}

@test "programs print under free-threaded-atomic what Python prints" {
	prints_as_python --strategy free-threaded-atomic
}

@test "programs print under free-threaded what Python prints" {
	prints_as_python --strategy free-threaded
}

@test "programs print under free-threaded what Python prints, however shared objects are counted" {
	prints_as_python --strategy free-threaded --sharing deferred
	prints_as_python --strategy free-threaded --sharing immortal
}

@test "the real python3 prints the same" {
	command -v "$PYTHON" >/dev/null || skip 'python3 is not installed'
	local program
	for program in "$PROGRAMS"/*.py; do
		[ "${program##*/}" != python2.py ] || continue
		"$PYTHON" "$program" >got
		diff "${program%.py}.out" got
	done
}

@test "the real python2 prints the same, but for how floats are rounded" {
	python2 -c 1 2>/dev/null || skip 'python2 is not installed'
	local program
	for program in "$PROGRAMS"/*.py; do
		[ "${program##*/}" != floats.py ] || continue
		python2 "$program" >got
		diff "${program%.py}.out" got
	done
}

@test "a program from standard input is one too" {
	run -0 "$LOCKSCALE" python - <<<'print(6 * 7)'
	[ "$output" = 42 ]
}

@test "a syntax error is told before anything runs" {
	at_fault $'print(1)\nx = = 2' "fault.py:2: SyntaxError: an expression is wanted, not '='"
	[ -z "$output" ]
	at_fault $'print(1)\n\ntry:\n    f()\nexcept: pass' \
		"fault.py:3: SyntaxError: 'try' is outside the subset"
	[ -z "$output" ]
	at_fault $'if 1:\n\tpass\n        pass' 'fault.py:3: SyntaxError: tabs and blanks'
	at_fault "$(printf '(%.0s' {1..5000})" 'fault.py:1: SyntaxError: ' 'deep'
}

@test "an integer beyond 64 bits is told where it is written and where it is computed" {
	at_fault $'print(1)\nx = 9223372036854775808' \
		'fault.py:2: OverflowError: 9223372036854775808 does not fit 64 bits'
	[ -z "$output" ]
	for expression in 'x + 1' '-x - 2' 'x * 2' '1 << 63' 'x - -1' '2 ** 63' '-(-x - 1)' '(-x - 1) // -1'; do
		at_fault $'print(1)\nx = 9223372036854775807\nprint('"$expression)" \
			'fault.py:3: OverflowError: ' '64 bits'
		[ "$output" = 1 ]
	done
}

@test "an undefined name is told with its line" {
	at_fault $'def f():\n    return m\nprint(1)\nf()' "fault.py:2: NameError: name 'm' is not defined"
	[ "$output" = 1 ]
	at_fault $'def f():\n    n += 1\nf()' 'fault.py:2: ' 'Error: ' "'n'"
}

@test "a recursion without end is told, not a crash" {
	at_fault $'def f(n):\n    return f(n + 1)\nf(0)' 'fault.py:2: RecursionError: '
	at_fault $'class A:\n    def m(self):\n        self.m()\nA().m()' 'fault.py:3: RecursionError: '
}

@test "other faults have Python's names and their line" {
	at_fault '1 // 0' 'fault.py:1: ZeroDivisionError: '
	at_fault '1 / 0' 'fault.py:1: ZeroDivisionError: '
	at_fault '1 % 0' 'fault.py:1: ZeroDivisionError: '
	at_fault '1 + "a"' 'fault.py:1: TypeError: '
	at_fault '1 < "a"' 'fault.py:1: TypeError: ' "'<'"
	at_fault $'l = [1]\nl[1]' 'fault.py:2: IndexError: '
	at_fault $'d = {1: 2}\nd[2]' 'fault.py:2: KeyError: 2'
	at_fault $'class A: pass\nA().x' 'fault.py:2: AttributeError: ' "'x'"
	at_fault $'def f(a): pass\nf(1, 2)' 'fault.py:' 'TypeError: '
	at_fault 'import antigravity' 'fault.py:1: ' 'Error: ' "'antigravity'"
	at_fault 'a, b = 1, 2, 3' 'fault.py:1: ValueError: '
	at_fault '5()' 'fault.py:1: TypeError: '
	at_fault $'for x in 5:\n    pass' 'fault.py:1: TypeError: '
	at_fault $'x = 1\nassert x == 2, "x is not 2"' 'fault.py:2: AssertionError: x is not 2'
	at_fault $'\nassert None' 'fault.py:2: AssertionError'
}

@test "sequential, which has no lock, refuses to start a thread" {
	printf '%s\n' 'import threading' 'def f(): pass' 't = threading.Thread(target=f)' 't.start()' >t.py
	run -1 --separate-stderr "$LOCKSCALE" python --strategy sequential t.py
	has "$stderr" 't.py:4: RuntimeError: ' 'sequential'
	printf '%s\n' 'import thread' 'def f(): pass' 'thread.start_new_thread(f, ())' >t.py
	run -1 --separate-stderr "$LOCKSCALE" python --strategy sequential t.py
	has "$stderr" 't.py:3: RuntimeError: ' 'sequential'
}

@test "the bytecode of the countdown is shown" {
	run -0 "$LOCKSCALE" python --dis "$PROGRAMS/countdown.py"
	has "$output" 'countdown(n): 1 locals, 2 values on the stack' 'LOAD_FAST                  0 (n)' \
		'COMPARE                    4 (>)' 'POP_JUMP_IF_FALSE          9 (to 9)' \
		'BINARY_SUBTRACT' 'JUMP_BACK                  0 (to 0)'
}
