#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Whatever ends a run, no finished sample is lost, nothing goes on measuring behind the user's
# back, and --resume measures what is missing and no more.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=result
}

teardown()
{
	clean_up
}

# A run that takes some seconds, in the background, until some samples are there.
start_long_run()
{
	start "$LOCKSCALE" run counter/global-lock --locks mcs,mutex,spin,tas,ticket,ttas --threads 1 --window-ms 10 --samples 3 --processes 3 \
		--output "$dir" --quiet
	wait_until 60 journal_has "${1-8}" "$dir"
	measuring=$(pgrep -P "$started")
	[ -n "$measuring" ]
	echo "$measuring" >>started
}

# Waits for the run to end; its exit status in $status.
wait_for_run()
{
	status=0
	wait "$started" || status=$?
}

gone()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

# Every point has each sample of each process exactly once.
is_complete()
{
	is "$dir/journal.jsonl" 'sorted(map(visit, s)) == sorted((point(x), p, k) for x in d[0]["plan"]["points"]
		for p in range(d[0]["plan"]["processes"]) for k in range(d[0]["plan"]["samples"]))'
}

# benchmark.json holds what the journal holds.
is_in_order()
{
	[ "$(json "$dir/benchmark.json" 'sorted(visit(x) for x in d["benchmarks"] if x["run_type"] == "iteration")')" = \
		"$(json "$dir/journal.jsonl" 'sorted(map(visit, s))')" ]
}

resume()
{
	run -0 --separate-stderr "$LOCKSCALE" run --resume "$dir"
}

# A complete run of 4 points x 2 processes x 2 samples.
complete_run()
{
	"$LOCKSCALE" run counter/lock-free --threads 1 --window-ms 1 --processes 2 --samples 2 \
		--output "$dir" --quiet >/dev/null
	is_complete
}

@test "killing a run ends its measuring process and leaves whole lines" {
	start_long_run
	kill -9 "$started"
	wait_for_run
	[ "$status" = 137 ]
	wait_until 20 gone "$measuring"
	is "$dir/journal.jsonl" 'len(s) >= 7'
	[ "$(tail -c 1 "$dir/journal.jsonl" | od -An -c | tr -d ' ')" = '\n' ]
}

@test "a killed run can be reported as far as it is" {
	start_long_run 20
	kill -9 "$started"
	wait_for_run
	[ ! -e "$dir/benchmark.json" ]
	run -0 "$LOCKSCALE" report --no-charts "$dir"
	has "$output" 'control'
	is_in_order
}

@test "results are written from the journal alone" {
	complete_run
	mv "$dir/benchmark.json" before.json
	run -0 "$LOCKSCALE" report --no-charts "$dir"
	is_in_order
	for entries in 'd["benchmarks"]' 'd["context"]["lockscale"]'; do
		[ "$(json before.json "$entries")" = "$(json "$dir/benchmark.json" "$entries")" ]
	done
}

@test "a killed run is resumed without measuring anything twice" {
	start_long_run
	kill -9 "$started"
	wait_for_run
	wait_until 20 gone "$measuring"
	cp "$dir/journal.jsonl" before
	resume
	is_complete
	is_in_order
	head -c "$(wc -c <before)" "$dir/journal.jsonl" | cmp - before
	is "$dir/journal.jsonl" 'sum(x["type"] == "resume" for x in d) == 1'
	# each process keeps its order: the rest of it follows on what it had
	is "$dir/journal.jsonl" '[x["process"] for x in s] == sorted(x["process"] for x in s)'
}

@test "a measuring process that is killed costs one point and not the run" {
	start_long_run
	kill -9 "$measuring"
	wait_for_run
	[ "$status" = 1 ]
	has "$(cat err)" 'FAILED' 'killed by signal 9'
	is "$dir/journal.jsonl" 'sum(x["type"] == "failure" for x in d) == 1'
	# all other points are complete
	is "$dir/journal.jsonl" 'sum(n == 9 for n in Counter(map(point, s)).values()) >=
		len(d[0]["plan"]["points"]) - 1'
	# and what failed is not measured again
	cp "$dir/journal.jsonl" before
	run -1 "$LOCKSCALE" run --resume "$dir" --quiet
	is "$dir/journal.jsonl" "sum(x['type'] == 'sample' for x in d) == $(grep -c '"type":"sample"' before)"
}

interrupted_by()
{
	start_long_run
	kill "-$1" "$started"
	wait_for_run
	[ "$status" = 130 ]
	wait_until 20 gone "$measuring"
	has "$(cat err)" 'interrupted' "--resume $dir"
	is_in_order
	is "$dir/benchmark.json" 'len(d["benchmarks"]) >= 7'
	resume
	is_complete
	is_in_order
}

@test "Ctrl-C ends a run with 130, its results in order, and says how to go on" {
	interrupted_by INT
}

@test "so does SIGTERM" {
	interrupted_by TERM
}

@test "a terminal that hangs up is an interruption too" {
	start_long_run
	kill -HUP "$started"
	wait_for_run
	[ "$status" = 130 ]
	is_in_order
}

@test "a signal to the whole group marks no point as failed" {
	start setsid "$LOCKSCALE" run counter/global-lock --threads 1 --window-ms 10 --output "$dir" --quiet
	wait_until 60 journal_has 8 "$dir"
	kill -TERM -- "-$started"
	wait_for_run
	[ "$status" = 130 ]
	is "$dir/journal.jsonl" 'all(x["type"] != "failure" for x in d)'
}

@test "an interruption before the first sample can be resumed" {
	start "$LOCKSCALE" run counter/lock-free --threads 1 --window-ms 1000 --samples 1 --processes 1 \
		--output "$dir" --quiet
	wait_until 60 journal_has 1 "$dir"
	kill -INT "$started"
	wait_for_run
	[ "$status" = 130 ]
	is "$dir/benchmark.json" 'd["benchmarks"] == []'
}

@test "a line cut off at the end is measured again, and nothing else" {
	complete_run
	cp "$dir/journal.jsonl" before
	cut=$(json "$dir/journal.jsonl" 'visit(s[-1])')
	truncate -s -40 "$dir/journal.jsonl"
	resume
	is_complete
	# all lines but the last are as they were; the last sample is the one that was cut off
	head -n -1 before >whole
	head -c "$(wc -c <whole)" "$dir/journal.jsonl" | cmp - whole
	[ "$(json "$dir/journal.jsonl" 'visit(s[-1])')" = "$cut" ]
	is "$dir/journal.jsonl" 'len(s) == 16'
}

@test "a damaged line is named, and what it held is measured again" {
	complete_run
	lost=$(json "$dir/journal.jsonl" 'visit(s[3])')
	sed -i '5s/.*/gar\x01bage/' "$dir/journal.jsonl"
	resume
	has "$stderr" 'warning' 'line 5' 'measured again'
	sed -i 5d "$dir/journal.jsonl"
	is_complete
	[ "$(json "$dir/journal.jsonl" 'visit(s[-1])')" = "$lost" ]
	is_in_order
}

@test "a complete run has nothing to resume" {
	complete_run
	cp "$dir/journal.jsonl" before
	resume
	is_complete
	head -n "$(wc -l <before)" "$dir/journal.jsonl" | cmp - before
	is "$dir/journal.jsonl" 'len(s) == 16'
}

@test "a resumed run keeps its parameters and its window" {
	printf abc >text
	"$LOCKSCALE" run histogram/sequential --threads 1 --window-ms 7 --processes 1 --samples 2 \
		--param histogram.input=text --output "$dir" --quiet >/dev/null
	sed -i '/"type":"sample","kernel":"histogram"/d' "$dir/journal.jsonl"
	rm text
	# were the parameter forgotten, the default text would be counted without complaint
	run -1 --separate-stderr "$LOCKSCALE" run --resume "$dir"
	has "$stderr" 'FAILED' "cannot read 'text'"
}

# contradicts ARGUMENT...: refused, and nothing is touched.
contradicts()
{
	run -2 --separate-stderr "$LOCKSCALE" run --resume "$dir" "$@"
	has "$stderr" '--resume'
	cmp before "$dir/journal.jsonl"
}

@test "--resume takes no options that choose what to measure" {
	complete_run
	cp "$dir/journal.jsonl" before
	contradicts counter
	contradicts --threads 1
	contradicts --locks mcs
	contradicts --strategies private
	contradicts --samples 2
	contradicts --processes 2
	contradicts --window-ms 2
	contradicts --seed 2
	contradicts --output elsewhere
	contradicts --quick
	contradicts --full
}

@test "--resume takes no placements, parameters or flags of Google that choose" {
	complete_run
	cp "$dir/journal.jsonl" before
	contradicts --placement spread
	contradicts --param bank.accounts=2
	contradicts --oversubscribe
	contradicts --dry-run
	contradicts --benchmark_filter=private
	contradicts --benchmark_repetitions=9
	contradicts --benchmark_min_time=0.1
	contradicts --benchmark_list_tests
}

@test "what is no run cannot be resumed" {
	mkdir empty
	run --separate-stderr "$LOCKSCALE" run --resume empty
	[ "$status" = 1 ] || [ "$status" = 2 ]
	has "$stderr" 'empty/journal.jsonl' 'No such file'
	run --separate-stderr "$LOCKSCALE" run --resume /no/such
	[ "$status" = 1 ] || [ "$status" = 2 ]
	has "$stderr" '/no/such/journal.jsonl'
	mkdir damaged
	echo rubbish >damaged/journal.jsonl
	run --separate-stderr "$LOCKSCALE" run --resume damaged
	[ "$status" = 1 ] || [ "$status" = 2 ]
	has "$stderr" 'damaged/journal.jsonl' 'start a new run'
	echo '{"type":"run"}' >damaged/journal.jsonl
	run --separate-stderr "$LOCKSCALE" run --resume damaged
	[ "$status" = 1 ] || [ "$status" = 2 ]
	has "$stderr" 'plan'
}

@test "a run is not resumed on another machine" {
	complete_run
	sed -i '1s/"allowed_pus":[0-9]*/"allowed_pus":4711/' "$dir/journal.jsonl"
	run -2 --separate-stderr "$LOCKSCALE" run --resume "$dir"
	has "$stderr" '4711'
}

@test "a full disk ends a run that is complete once there is space" {
	mount_small "$PWD/disk" size=64k
	dir=disk/result
	run -1 --separate-stderr "$LOCKSCALE" run 'counter/*' --threads 1 --window-ms 1 --output "$dir" --quiet
	has "$stderr" 'No space left' 'free some space' '--resume'
	is "$dir/journal.jsonl" 'len(s) >= 10'
	before=$(json "$dir/journal.jsonl" 'len(s)')
	mount -o remount,size=8m disk
	resume
	is_complete
	is_in_order
	is "$dir/journal.jsonl" "len(s) > $before"
}
