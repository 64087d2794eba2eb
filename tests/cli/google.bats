#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Google Benchmark's flags and reports, as its users know them.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=result
}

# benchmark ARGUMENT...: a short run.
benchmark()
{
	run -0 --separate-stderr "$LOCKSCALE" run --threads 1 "${SHORT[@]}" --output "$dir" "$@"
}

# refused WORD -- FLAG...
refused()
{
	local word=$1
	shift 2
	run -2 --separate-stderr "$LOCKSCALE" run --threads 1 "${SHORT[@]}" --output "$dir" "$@"
	[ -z "$output" ]
	has "$stderr" "$word"
	[ ! -e "$dir" ]
}

@test "--benchmark_list_tests lists all that a filter may select from" {
	"$LOCKSCALE" list --json >list.json
	"$LOCKSCALE" run --threads 1 --benchmark_list_tests | sed 's|/placement:.*||' | sort >listed
	json list.json '"\n".join(v["name"] for k in d["kernels"] for v in k["variants"])' | sort >all
	diff listed all
}

@test "--benchmark_list_tests lists names and measures nothing" {
	run -0 --separate-stderr "$LOCKSCALE" run --threads 1 --benchmark_list_tests
	has "$output" 'counter/global-lock/mcs/placement:compact/threads:1' 'control/private/placement:compact/threads:1'
	[ ! -e results ]
	all=${#lines[@]}
	run -0 "$LOCKSCALE" run --threads 1 --benchmark_list_tests=true --benchmark_filter='mcs'
	[ "${#lines[@]}" -ge 4 ]
	[ "${#lines[@]}" -lt "$all" ]
	lacks "$output" 'ttas'
}

@test "--benchmark_filter chooses, and keeps what is needed for comparison" {
	benchmark --benchmark_filter='counter/global-lock/(mcs|ttas)'
	is "$dir/journal.jsonl" 'set(map(point, s)) == {"counter/global-lock/mcs/compact/1",
		"counter/global-lock/ttas/compact/1", "counter/sequential/compact/1",
		"control/sequential/compact/1", "control/private/compact/1"}'
}

@test "a filter with a minus sign leaves out" {
	benchmark counter --benchmark_filter='-global-lock|lock-free|unsync'
	is "$dir/journal.jsonl" 'not any("lock" in point(x) or "unsync" in point(x) for x in s)'
	is "$dir/journal.jsonl" '"counter/private/compact/1" in set(map(point, s))'
}

@test "a filter that matches nothing, or is no regular expression, is refused" {
	refused 'matches no point' -- --benchmark_filter=nothing/at/all
	refused 'matches no point' -- --benchmark_filter='('
}

@test "--benchmark_repetitions gives exactly that many samples of every point" {
	for n in 1 2 4 9; do
		run -0 "$LOCKSCALE" run counter/lock-free --threads 1 --window-ms 1 --quiet \
			--benchmark_repetitions=$n --output "$dir.$n"
		is "$dir.$n/benchmark.json" "set(Counter(x['name'] for x in d['benchmarks']
			if x['run_type'] == 'iteration').values()) == {$n}"
		is "$dir.$n/benchmark.json" "all(x['repetitions'] == $n for x in d['benchmarks'])"
	done
	# spread over fresh processes
	is "$dir.9/journal.jsonl" 'set(Counter(x["process"] for x in s).values()) == {12}'
}

@test "--benchmark_min_time is the window" {
	benchmark counter/lock-free --benchmark_min_time=0.007
	is "$dir/journal.jsonl" 'd[0]["plan"]["window_ns"] == 7000000'
	dir=$dir.s
	benchmark counter/lock-free --benchmark_min_time=0.007s
	is "$dir/journal.jsonl" 'd[0]["plan"]["window_ns"] == 7000000'
}

@test "--benchmark_format=json makes stdout pure JSON" {
	benchmark counter --benchmark_format=json --benchmark_filter=lock-free --benchmark_repetitions=3
	"$PYTHON" -m json.tool <<<"$output" >/dev/null
	printf '%s' "$output" >out.json
	is out.json '"context" in d and sum(x["run_type"] == "iteration" for x in d["benchmarks"]) >= 3'
	is out.json 'all("lock-free" in x["name"] for x in d["benchmarks"])'
	# the time of an operation, and its rate
	is out.json 'all(abs(x["real_time"] * x["items_per_second"] / 1e9 - 1) < 1e-6
		for x in d["benchmarks"] if x["run_type"] == "iteration")'
}

@test "--benchmark_format=csv makes stdout CSV" {
	benchmark counter/lock-free --benchmark_format=csv --benchmark_repetitions=2 --quiet
	[[ $output == name,iterations,real_time,* ]] || [[ ${lines[*]} == *'name,iterations,real_time'* ]]
	has "$output" '"counter/lock-free/placement:compact/threads:1/manual_time",1,'
}

@test "the console report has Google's columns" {
	benchmark counter/lock-free --benchmark_format=console
	has "$output" 'Benchmark' 'Time' 'CPU' 'Iterations' \
		'counter/lock-free/placement:compact/threads:1/manual_time' 'items_per_second'
	lacks "$output" 'Does it run'
}

@test "aggregates alone are reported where asked for" {
	benchmark counter/lock-free --benchmark_format=json --benchmark_repetitions=3 \
		--benchmark_report_aggregates_only=true
	printf '%s' "$output" >out.json
	is out.json 'all(x["run_type"] == "aggregate" for x in d["benchmarks"])'
	# but every sample is in our own file
	is "$dir/benchmark.json" 'sum(x["run_type"] == "iteration" for x in d["benchmarks"]) >= 9'
}

@test "--benchmark_out writes a report of its own" {
	benchmark counter/lock-free --benchmark_out=out.json
	is out.json 'any(x["name"].startswith("counter/lock-free/") for x in d["benchmarks"])'
	dir=$dir.csv
	benchmark counter/lock-free --benchmark_out=out.csv --benchmark_out_format=csv
	grep -q '^name,iterations' out.csv
	has "$output" 'Does it run' # stdout is still ours
}

@test "a report that cannot be written is an error and the results are kept" {
	run --separate-stderr "$LOCKSCALE" run counter/lock-free --threads 1 "${SHORT[@]}" --output "$dir" \
		--benchmark_out=/no/such/folder/out.json
	[ "$status" = 1 ] || [ "$status" = 2 ]
	has "$stderr" '/no/such/folder/out.json'
}

@test "unknown and malformed flags are refused by name" {
	refused '--benchmark_frobnicate' -- --benchmark_frobnicate
	refused '--benchmark_frobnicate=1' -- --benchmark_frobnicate=1
	refused '--benchmark_repetitions=0' -- --benchmark_repetitions=0
	refused '--benchmark_repetitions=many' -- --benchmark_repetitions=many
	refused '--benchmark_repetitions=2.5' -- --benchmark_repetitions=2.5
	refused '--benchmark_repetitions' -- --benchmark_repetitions
	refused '--benchmark_min_time=-1' -- --benchmark_min_time=-1
	refused '--benchmark_min_time=soon' -- --benchmark_min_time=soon
	refused '--benchmark_min_time=nan' -- --benchmark_min_time=nan
	refused '--benchmark_format=xml' -- --benchmark_format=xml
	refused '--benchmark_out_format=xml' -- --benchmark_out_format=xml --benchmark_out=x
}

@test "every entry has every field of ours" {
	run -0 "$LOCKSCALE" run counter --threads 1 --window-ms 1 --samples 2 --processes 2 --quiet --output "$dir"
	is "$dir/benchmark.json" 'all({"kernel", "strategy", "lock", "placement", "threads", "process",
		"sample", "ops_per_second", "start_skew_ns", "disturbed", "line_ns", "mode",
		"lost_updates", "ops_min", "ops_max"} <= set(x) for x in d["benchmarks"])'
	is "$dir/benchmark.json" 'set(x.get("aggregate_name", "") for x in d["benchmarks"]) ==
		{"", "mean", "median", "stddev", "cv"}'
}

@test "compare.py reads two of our results and tests their difference" {
	[ -f /usr/share/benchmark/compare.py ] || skip 'compare.py (libbenchmark-tools) is not installed'
	"$PYTHON" -c 'import scipy' 2>/dev/null || skip 'scipy is not installed'
	for side in old new; do
		"$LOCKSCALE" run counter/lock-free --threads 1 --window-ms 1 --quiet \
			--benchmark_repetitions=9 --output $side >/dev/null
	done
	run -0 "$PYTHON" /usr/share/benchmark/compare.py --no-color benchmarks old/benchmark.json new/benchmark.json
	has "$output" 'counter/lock-free/placement:compact/threads:1/manual_time_pvalue' \
		'U Test, Repetitions: 9 vs 9'
	lacks "$output" 'Traceback'
}
