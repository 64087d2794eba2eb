#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The kernel `python`: every strategy runs and is right, what it counts is told, its switches are
# checked, and its processes end with it.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` sets more

bats_require_minimum_version 1.5.0
load common

STRATEGIES='free-threaded free-threaded-atomic gil-2 gil-3 gil-3-native processes sequential subinterpreters'

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=$BATS_TEST_TMPDIR/result
}

# measure ARGUMENT...: the kernel with little work.
measure()
{
	"$LOCKSCALE" run "${SHORT[@]}" --quiet --output "$dir" --param python.work=100000 "$@"
}

# samples CONDITION: there are samples of the kernel, and of each x the condition holds.
samples()
{
	is "$dir/journal.jsonl" "(lambda p: p and all($1 for x in p))([x for x in s if x['kernel'] == 'python'])"
}

# counts PATTERN COUNT COLUMN: of counts.tsv, of the points whose names match.
counts()
{
	awk -F '\t' -v pattern="$1" -v count="$2" -v name="$3" '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$1 "/" $2 "/" $5 ~ pattern && $6 == count { print $at[name] }' "$dir/counts.tsv"
}

@test "every strategy of the interpreter runs with one and two workers, and more than PUs" {
	workers=1,2,4
	[ "$(nproc)" -ge 2 ] || workers=1,4
	measure python --threads "$workers" --oversubscribe
	samples "x['lost_updates'] == 0"
	is "$dir/journal.jsonl" 'not [x for x in d if x["type"] == "failure"]'
	json "$dir/journal.jsonl" '"\n".join(sorted({x["strategy"] for x in s if x["kernel"] == "python"}))' >measured
	tr ' ' '\n' <<<"$STRATEGIES" | diff - measured
	json "$dir/journal.jsonl" 'max(x["threads"] for x in s)' >most
	[ "$(<most)" -ge 4 ]
}

@test "what the interpreter's lock did is told, per second and per iteration" {
	measure 'python/gil-2' 'python/free-threaded' --threads 1
	head -n 1 "$dir/counts.tsv" >header
	printf 'kernel\tstrategy\tlock\tplacement\tthreads\tcount\tvalue\tper_operation\tsamples\n' |
		diff - header
	cut -f 6 "$dir/counts.tsv" | tail -n +2 | sort -u >named
	printf '%s\n' drop-requests failed-acquires futex-calls involuntary-switches merges releases \
		switches voluntary-switches | diff - named
	# 3 ticks an iteration, and a release after 101 of them
	counts '^python/gil-2/1$' releases per_operation |
		awk '{ found = 1; if ($1 * 101 / 3 < 0.98 || $1 * 101 / 3 > 1.02) exit 1 } END { exit !found }'
	[ "$(counts '^python/free-threaded/' releases value)" = 0 ]
	grep -q 'gil-2 at 1 worker: .*releases.* per iteration' "$dir/verdict.txt"
	is "$dir/benchmark.json" 'all(x["counts"]["releases"] > 0 for x in d["benchmarks"]
		if x["run_type"] == "iteration" and x["strategy"] == "gil-2")'
}

@test "a longer check interval of the old lock releases it less often" {
	measure python/gil-2 --threads 1 --param python.interval=10,1000
	seldom=$(counts 'interval=1000' releases per_operation)
	often=$(counts 'interval=10/' releases per_operation)
	awk -v a="$often" -v b="$seldom" 'BEGIN { exit !(a > 80 * b && b > 0) }'
}

@test "every program runs, and says what it is" {
	for program in countdown fib dict methods native item attribute global; do
		dir=result.$program
		measure python --threads 1 --param "python.program=$program"
		samples "x['lost_updates'] == 0 and len(p) == 8"
		is "$dir/journal.jsonl" "any('program $program' in x['text'] for x in d if x['type'] == 'note')"
	done
}

@test "each switch of the interpreter is accepted in all its values" {
	for set in gil=cond check=instructions sharing=deferred sharing=immortal switch-us=100 native-us=5; do
		dir=result.$set
		measure python --threads 1 --param "python.$set"
		samples "x['lost_updates'] == 0"
	done
}

@test "a wrong switch of the interpreter is refused, and what is accepted is named" {
	while read -r set accepted; do
		run -2 --separate-stderr "$LOCKSCALE" run --dry-run --param "python.$set"
		has "$stderr" "python.$set" "$accepted"
	done <<'END'
program=fortran countdown, fib, dict, methods, native, item, attribute, global
interval=0 1..1000000
interval=1.5 1..1000000
switch-us=x 1..1000000
gil=mutex semaphore, cond
check=never jumps, instructions
sharing=none biased, deferred, immortal
work=10 1000..1000000000
native-us=0 0.1..100000
END
	run -2 --separate-stderr "$LOCKSCALE" run --dry-run --param python.colour=red
	has "$stderr" python.colour python.interval
}

# The processes of a session, but for those that have ended.
left_of()
{
	ps -o pid=,stat= -s "$1" | awk '$2 !~ /Z/ { print $1 }'
}

@test "processes of a run that is killed end with it" {
	setsid "$LOCKSCALE" run --window-ms 1 --quiet --output "$dir" python/processes --threads 1 \
		--param python.work=1000000000 &
	session=$!
	# the run, its measuring process, and the worker's child
	for _ in $(seq 100); do
		[ "$(left_of "$session" | wc -l)" -lt 3 ] || break
		sleep 0.1
	done
	[ "$(left_of "$session" | wc -l)" -ge 3 ]
	kill -KILL "$session"
	for _ in $(seq 100); do
		[ -n "$(left_of "$session")" ] || break
		sleep 0.1
	done
	[ -z "$(left_of "$session")" ]
}

@test "the chart of the interpreter gives each strategy a colour of its own" {
	for strategy in $STRATEGIES; do
		grep -o "style(\"$strategy\", *\"#[0-9A-F]*\"" "$ROOT/plots/palette.awk" | cut -d'"' -f4
	done | sort | uniq -c | awk '$1 > 1 { exit 1 } END { exit NR != 8 }'
}

@test "what the interpreter counts is listed with what it means" {
	run -0 "$LOCKSCALE" list python
	has "$output" 'counts      releases  of the interpreter lock' 'futex-calls'
	"$LOCKSCALE" list --json >list.json
	is list.json 'any(c["name"] == "drop-requests" and not c["level"]
		for k in d["kernels"] if k["name"] == "python" for c in k["counts"])'
	is list.json 'all(k["counts"] == [] for k in d["kernels"] if k["name"] == "counter")'
}
