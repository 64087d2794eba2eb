#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The whole program under ThreadSanitizer (build/tsan) and AddressSanitizer with
# UndefinedBehaviorSanitizer (build/asan): no report from ours, one from a lock without release.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	# ThreadSanitizer of older compilers dies where addresses are very random.
	no_random=()
	if setarch -R true 2>/dev/null; then no_random=(setarch -R); fi
	export TSAN_OPTIONS="halt_on_error=0 exitcode=66 log_path=$PWD/report"
	export ASAN_OPTIONS="detect_leaks=1 exitcode=66 log_path=$PWD/report"
	export UBSAN_OPTIONS="print_stacktrace=1 log_path=$PWD/report"
}

# sanitized FLAVOUR ARGUMENT...
sanitized()
{
	local flavour=$1
	shift
	[ -x "$BUILD_DIR/$flavour/lockscale" ] || {
		echo "$BUILD_DIR/$flavour/lockscale is missing: make $flavour"
		return 1
	}
	"${no_random[@]}" "$BUILD_DIR/$flavour/lockscale" "$@"
}

reports()
{
	find . -maxdepth 1 -name 'report.*' -exec cat {} +
}

no_report()
{
	[ -z "$(reports)" ] || {
		reports | head -n 40
		return 1
	}
}

# no_races_in KERNEL...: all variants with one lock of each kind, one, two and too many workers. All
# locks: tsan.bats.
no_races_in()
{
	run -0 sanitized tsan run "$@" --locks mutex,ttas,mcs --threads 1,2,3 --oversubscribe \
		"${SHORT[@]}" --watchdog 60 --output result --quiet \
		--param mandelbrot.width=32 --param mandelbrot.height=32
	no_report
	is result/journal.jsonl 'all(x["type"] != "failure" for x in d)'
}

@test "no data race in counter and control" {
	no_races_in counter
}

@test "no data race in histogram" {
	no_races_in histogram
}

@test "no data race in bank" {
	no_races_in bank
}

@test "no data race in mandelbrot" {
	no_races_in mandelbrot
}

@test "no data race in team, probe and race, pinned or not" {
	run -0 sanitized tsan run control --threads 1,2 --oversubscribe --placement compact,none "${SHORT[@]}" \
		--samples 3 --output result --quiet
	run -0 sanitized tsan race --iterations 2000 --seconds 1
	no_report
}

@test "a lock that releases without ordering is reported as a data race" {
	run sanitized tsan run counter/global-lock/twin-no-release --threads 2 --oversubscribe \
		"${SHORT[@]}" --samples 3 --output result --quiet
	has "$(reports)" 'ThreadSanitizer: data race' 'global_lock'
	# and the run knows that its measuring process did not end well
	[ "$status" = 1 ]
}

@test "no bad access, no undefined behaviour and no leak in list and machine" {
	run -0 sanitized asan list
	run -0 sanitized asan list --json
	run -0 sanitized asan machine
	run -0 sanitized asan machine --json --topology 'pack:2 numa:2 l3:1 core:8 pu:2'
	run -0 sanitized asan --help
	run -0 sanitized asan --version
	no_report
}

@test "nor in run, report and compare" {
	for side in old new; do
		run -0 sanitized asan run counter histogram/fine-lock bank/fine-lock mandelbrot/private \
			--threads 1,2 --oversubscribe --quick --window-ms 1 --placement compact,none \
			--param bank.theta=0.5 --output $side
		no_report
	done
	run -0 sanitized asan report --no-charts old
	run sanitized asan compare old new
	[ "$status" -le 1 ]
	no_report
}

@test "nor in resuming and in Google's reports" {
	run -0 sanitized asan run counter/lock-free --threads 1 "${SHORT[@]}" --samples 4 --output result
	truncate -s -30 result/journal.jsonl
	sed -i '3s/.*/rubbish/' result/journal.jsonl
	run -0 sanitized asan run --resume result
	run -0 sanitized asan run counter/lock-free --threads 1 "${SHORT[@]}" --output result.2 \
		--benchmark_format=json --benchmark_filter=lock --benchmark_repetitions=4 --benchmark_out=out.csv \
		--benchmark_out_format=csv
	run -0 sanitized asan run --benchmark_list_tests
	no_report
}

@test "nor in dry runs, races and refusals" {
	run -0 sanitized asan run --dry-run --topology 'pack:8 core:28 pu:2' --threads 1,448
	run -0 sanitized asan race --iterations 2000 --seconds 1
	for bad in '--threads 0' '--placement x' '--locks x' '--param x' '--param bank.accounts=1' \
		'--param histogram.input=/no/such' '--benchmark_x' '--resume /no/such' nothing \
		'--benchmark_filter=nothing --threads 1'; do
		# shellcheck disable=SC2086 # words wanted
		run sanitized asan run $bad --quiet
		[ "$status" = 1 ] || [ "$status" = 2 ]
	done
	no_report
}
