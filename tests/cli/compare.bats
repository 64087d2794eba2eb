#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale compare on planted results: what is called slower, and what is not.

setup()
{
	LOCKSCALE=$(realpath "${LOCKSCALE:-$BATS_TEST_DIRNAME/../../build/lockscale}")
	cd "$BATS_TEST_TMPDIR" || return
}

# planted DIR, lines on stdin: kernel lock workers rate line_ns [samples [processes [drift]]]
# Defaults: 15 samples in 3 processes, within 1 % of the rate; drift moves processes apart.
planted()
{
	mkdir -p "$1"
	awk '
	function entry(text) {
		printf "%s{\"name\": \"x\", \"run_type\": \"iteration\", %s}", separator, text
		separator = ",\n"
	}
	BEGIN { print "{\"benchmarks\": [" }
	{
		point = sprintf("\"kernel\": \"%s\", \"strategy\": \"global-lock\", \"lock\": \"%s\", " \
			"\"placement\": \"compact\", \"threads\": %d", $1, $2, $3)
		samples = $6 ? $6 : 15
		processes = $7 ? $7 : 3
		if ($4 == "FAILED")
			entry(point ", \"error_occurred\": true, \"error_message\": \"killed\"")
		for (s = 0; s < samples && $4 != "FAILED"; s++) {
			process = s % processes
			rate = $4 * (1 + 0.01 * ((s * 7) % samples - samples / 2) / samples)
			rate *= 1 + $8 * (process - (processes - 1) / 2)
			entry(point sprintf(", \"process\": %d, \"sample\": %d, \"line_ns\": %s," \
				"\"ops_per_second\": %.9g, \"disturbed\": false",
				process, s / processes, $5, rate))
		}
	}
	END { print "]}" }' >"$1/benchmark.json"
}

# locks DIR RATE...: a point for each rate.
locks()
{
	local dir=$1 n=0
	shift
	for rate; do
		n=$((n + 1))
		echo "k lock$n 2 $rate 53"
	done | planted "$dir"
}

last_line()
{
	echo "${lines[${#lines[@]} - 1]}"
}

@test "a result does not differ from itself" {
	locks old 100 200 300
	run "$LOCKSCALE" compare old old
	[ "$status" -eq 0 ]
	[ "$(last_line)" = "0 of 3 points slower, 0 faster" ]
}

@test "a loss of 20 % is found, named and exits 1; a gain does not" {
	locks old 100 200 300
	locks new 100 160 360
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 1 ]
	[[ $(last_line) == "1 of 3 points slower, 1 faster; worst: \
k/global-lock/lock2/placement:compact/threads:2 0.80x [0."* ]]
	[[ $output =~ k/global-lock/lock2\ .*0\.80x\ \[.*\]\ +SLOWER ]]
	run "$LOCKSCALE" compare new/benchmark.json new
	[ "$status" -eq 0 ]
	locks better 100 200 360
	run "$LOCKSCALE" compare old better
	[ "$status" -eq 0 ]
	[ "$(last_line)" = "0 of 3 points slower, 1 faster" ]
}

@test "a loss of 20 % is found among 96 points" {
	locks old $(seq 101 196)
	locks new 80 $(seq 102 196)
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 1 ]
	[[ $(last_line) == "1 of 96 points slower, 0 faster; worst: k/global-lock/lock1/"* ]]
}

@test "a change below the threshold does not count" {
	locks old 100 200 300
	locks new 96 200 300
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 0 ]
	[[ $output == *"slower, within threshold"* ]]
	run "$LOCKSCALE" compare --threshold 2 old new
	[ "$status" -eq 1 ]
	run "$LOCKSCALE" compare --threshold 2% old new
	[ "$status" -eq 1 ]
	locks worse 70 200 300
	run "$LOCKSCALE" compare --threshold 40 old worse
	[ "$status" -eq 0 ]
}

@test "drift of 5 % between processes is no change, a loss of 30 % within it is" {
	for i in 1 2 3 4 5 6; do echo "k lock$i 2 100 53 15 3 0.05"; done | planted old
	for i in 1 2 3 4 5 6; do echo "k lock$i 2 93 53 15 3 -0.05"; done | planted new
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 0 ]
	for i in 1 2 3 4 5 6; do echo "k lock$i 2 70 53 15 3 -0.05"; done | planted worse
	run "$LOCKSCALE" compare old worse
	[ "$status" -eq 1 ]
}

@test "one process and 3 samples are not believed too much" {
	echo "k mutex 2 100 53 3 1" | planted old
	echo "k mutex 2 85 53 3 1" | planted new
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 0 ]
	[[ $output == *"one process a side"*"cannot be seen"* ]]
	echo "k mutex 2 40 53 3 1" | planted broken
	run "$LOCKSCALE" compare old broken
	[ "$status" -eq 1 ]
}

@test "like is compared with like: modes that moved are no change" {
	# Mostly close before, mostly far after; as fast as ever within each.
	planted old <<-'LINES'
		k tas 2 38 53 9
		k tas 2 29 330 6
	LINES
	planted new <<-'LINES'
		k tas 2 38 55 6
		k tas 2 29 320 9
	LINES
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 0 ]
	[ "$(last_line)" = "0 of 1 points slower, 0 faster" ]
	# The twin without line transfers mixes them and alarms.
	sed -i 's/"line_ns": [0-9]*/"line_ns": 0/' old/benchmark.json new/benchmark.json
	run "$LOCKSCALE" compare old new
	[[ $output =~ 0\.[78][0-9]x ]]
}

@test "modes without counterpart are named" {
	planted old <<-'LINES'
		k tas 2 38 53 9
		k tas 2 29 330 6
		k mcs 2 38 53
	LINES
	planted new <<-'LINES'
		k tas 2 38 55
		k mcs 2 29 330
	LINES
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 0 ]
	[[ $output == *"only in OLD: k/global-lock/tas/placement:compact/threads:2 at 330 ns"* ]]
	[[ $output == *"only in OLD: k/global-lock/mcs/placement:compact/threads:2 at 53 ns"* ]]
	[[ $output == *"only in NEW: k/global-lock/mcs/placement:compact/threads:2 at 330 ns"* ]]
	[ "$(last_line)" = "0 of 1 points slower, 0 faster" ]
}

@test "a point that fails now is a regression, one that failed before is not" {
	locks old 100 200
	locks new 100 FAILED
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 1 ]
	[[ $output == *"FAILED in NEW: k/global-lock/lock2/placement:compact/threads:2: killed"* ]]
	[[ $(last_line) == "0 of 1 points slower, 0 faster, 1 newly FAILED" ]]
	run "$LOCKSCALE" compare new old
	[ "$status" -eq 0 ]
	[[ $output == *"FAILED in OLD only"* ]]
	run "$LOCKSCALE" compare new new
	[ "$status" -eq 0 ]
	[[ $output == *"FAILED in both"* ]]
}

@test "points of only one result are counted and named" {
	locks old 100 200
	locks new 100
	run "$LOCKSCALE" compare old new
	[ "$status" -eq 0 ]
	[[ $output == *"only in OLD: k/global-lock/lock2/placement:compact/threads:2"* ]]
	[[ $output == *"1 points only in OLD, 0 only in NEW"* ]]
}

@test "the table is aligned" {
	locks old 100 2000000 30
	locks new 90 1000000 30
	run "$LOCKSCALE" compare old new
	echo "$output" | awk '/^k\// { at = index($0, "["); if (last && at != last) exit 1; last = at }'
}

@test "json holds the same" {
	locks old 100 200
	locks new 100 160
	run "$LOCKSCALE" compare --json old new
	[ "$status" -eq 1 ]
	[[ $output == *'"outcome": "slower"'* ]]
	[[ $output == *'"points": 2'* ]]
}

@test "what cannot be compared exits 2" {
	locks old 100
	run "$LOCKSCALE" compare old
	[ "$status" -eq 2 ]
	run "$LOCKSCALE" compare old old old
	[ "$status" -eq 2 ]
	run "$LOCKSCALE" compare --threshold much old old
	[ "$status" -eq 2 ]
	run "$LOCKSCALE" compare old absent
	[ "$status" -eq 2 ]
	[[ $output == *"absent"* ]]
	mkdir broken
	echo '{' >broken/benchmark.json
	run "$LOCKSCALE" compare old broken
	[ "$status" -eq 2 ]
	[[ $output == *"broken/benchmark.json:"* ]]
	echo "other mutex 2 100 53" | planted other
	run "$LOCKSCALE" compare old other
	[ "$status" -eq 2 ]
	[[ $output == *"no measured point in common"* ]]
}
