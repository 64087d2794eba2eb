#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Locks and kernels broken on purpose (tests/twins, built by `make twins`): whatever is wrong is
# caught, named, and ends neither the run nor the machine's peace.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=result
	twins=$BUILD_DIR/twins/lockscale
	[ -x "$twins" ] || {
		echo "$twins is missing: make twins"
		return 1
	}
}

teardown()
{
	clean_up
}

# fails ARGUMENT...: the run exits 1 and says FAILED with a name.
fails()
{
	run -1 --separate-stderr "$twins" run --window-ms 10 --processes 2 --samples 2 --output "$dir" "$@"
	has "$stderr" 'FAILED'
}

failed_line()
{
	grep FAILED <<<"$stderr"
}

# All points but those whose name holds the word were measured to the last sample.
others_are_complete()
{
	is "$dir/journal.jsonl" "all(sum(point(x) == point(p) for x in s) ==
		d[0]['plan']['processes'] * d[0]['plan']['samples']
		for p in d[0]['plan']['points'] if '$1' not in point(p))"
}

@test "a lock that admits two owners fails its check" {
	need_two_pus
	for kernel in counter histogram bank; do
		dir=result.$kernel
		fails "$kernel/global-lock/twin-two-owners" --threads 2
		has "$(failed_line)" "$kernel/global-lock/twin-two-owners/placement:compact/threads:2" \
			'updates were lost' 'exactly once'
		others_are_complete twin
		is "$dir/benchmark.json" 'any(x.get("error_occurred") and "exactly once" in x["error_message"]
			for x in d["benchmarks"])'
	done
}

@test "a fine-grained lock that admits two owners fails its check" {
	need_two_pus
	fails histogram/fine-lock/twin-two-owners --threads 2
	has "$(failed_line)" 'histogram/fine-lock/twin-two-owners/placement:compact/threads:2'
}

@test "a failed point is not measured any further" {
	need_two_pus
	fails counter/global-lock/twin-two-owners --threads 2 --samples 5
	is "$dir/journal.jsonl" 'sum(x["type"] == "failure" for x in d) == 1'
	is "$dir/journal.jsonl" 'sum("twin" in point(x) for x in s) < 10'
	run -1 --separate-stderr "$twins" run --resume "$dir" --quiet
	is "$dir/journal.jsonl" 'sum(x["type"] == "failure" for x in d) == 1'
}

@test "a point that fails after good samples is reported with them" {
	"$twins" run counter/lock-free --threads 1 --window-ms 1 --processes 1 --samples 4 --quiet \
		--output "$dir" >/dev/null
	line=$(grep '"type":"sample".*"lock-free"' "$dir/journal.jsonl" | tail -n 1)
	echo "${line/'"type":"sample"'/'"type":"failure","why":"lost at last"'}" >>"$dir/journal.jsonl"
	run -1 --separate-stderr "$twins" run --resume "$dir" --quiet
	is "$dir/benchmark.json" 'sum("lock-free" in x["name"] and x["run_type"] == "iteration" and
		not x.get("error_occurred") for x in d["benchmarks"]) == 4'
	is "$dir/benchmark.json" '[x["error_message"] for x in d["benchmarks"] if x.get("error_occurred")] ==
		["lost at last"]'
	grep -q 'lost at last\|FAILED' <<<"$output"
}

@test "a lost wake-up is ended by the watchdog and the run goes on" {
	# of several sleepers a release wakes one, so that the last of a window leaves the others behind
	fails counter/global-lock/twin-lost-wakeup counter/lock-free --threads 4 --oversubscribe --watchdog 2
	has "$(failed_line)" 'counter/global-lock/twin-lost-wakeup/placement:compact/threads:4' \
		'no progress for 2 s' 'watchdog'
	others_are_complete twin
	is "$dir/journal.jsonl" 'sum("lock-free" in point(x) for x in s) == 4'
}

@test "a crash is named with its signal and the run goes on" {
	fails twin_twice/private twin_twice/sequential --threads 1
	has "$(failed_line)" 'twin_twice/private/placement:compact/threads:1' 'signal 11' \
		'Segmentation fault'
	others_are_complete private/compact/1
	[ "$(failed_line | wc -l)" = 1 ]
}

@test "operations that take effect twice are caught" {
	fails twin_twice/lock-free --threads 1 --window-ms 100
	has "$(failed_line)" 'twin_twice/lock-free/placement:compact/threads:1' 'too many'
}

@test "a kernel that cannot be set up is named with the reason" {
	fails twin_twice/rcu --threads 1
	has "$(failed_line)" 'twin_twice/rcu/placement:compact/threads:1' 'cannot set up twin_twice/rcu' \
		'Cannot allocate memory'
	others_are_complete rcu
	is "$dir/benchmark.json" 'any(x.get("error_occurred") and "cannot set up" in x["error_message"]
		for x in d["benchmarks"])'
}

@test "failures are in the verdict" {
	fails twin_twice --threads 1 --window-ms 100
	for strategy in lock-free private rcu; do
		grep -q "$strategy.*FAILED\|FAILED.*$strategy" <<<"$output" || {
			echo "$output"
			return 1
		}
	done
}

# control_run OPTION...
control_run()
{
	rm -rf "$dir"
	"$LOCKSCALE" run control/private --threads 1 --processes 1 --quiet --output "$dir" "$@" >/dev/null
}

@test "work beside a worker disturbs its samples, which are measured four times and marked" {
	# shellcheck disable=SC2016 # the inner shell's
	start taskset -c "$(first_pu)" sh -c 'while :; do :; done'
	# far longer than the neighbour's turns
	control_run --window-ms 20 --samples 8
	is "$dir/journal.jsonl" 'sum(x["disturbed"] for x in s) >= 12 and len(s) == 16'
	is "$dir/journal.jsonl" 'all(x["tries"] == 4 for x in s if x["disturbed"])'
	is "$dir/journal.jsonl" 'sum(x["foreign_ns"] > 0.01 * x["seconds"] * 1e9 for x in s) >= 12'
	has "$(cat "$dir/verdict.txt")" 'disturbed by other work'
}

@test "without work beside it a worker is not disturbed" {
	# Shorter than turns are: whatever else this machine does, some windows fall in between.
	control_run --window-ms 1 --samples 20
	is "$dir/journal.jsonl" 'sum(not x["disturbed"] for x in s) > 0'
	is "$dir/journal.jsonl" 'all(x["foreign_ns"] <= 0.01 * x["seconds"] * 1e9 for x in s if not x["disturbed"])'
}

@test "a server that answers without having done the work fails its check" {
	fails twin_server/sequential twin_server/gil-3 --threads 1
	has "$(failed_line)" 'twin_server/sequential' 'twin_server/gil-3' 'exactly once'
}
