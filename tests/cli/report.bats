#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale report on planted results: files, words and exit status.

setup()
{
	LOCKSCALE=$(realpath "${LOCKSCALE:-$BATS_TEST_DIRNAME/../../build/lockscale}")
	cd "$BATS_TEST_TMPDIR" || return
	# A share folder whose chart script and gnuplot only say that they were called.
	mkdir -p share/scripts bin
	printf '#!/bin/sh\nmkdir -p "$1/charts"; echo "drew $1"\n' >share/scripts/chart
	printf '#!/bin/sh\nexit 0\n' >bin/gnuplot
	chmod +x share/scripts/chart bin/gnuplot
	export LOCKSCALE_SHARE=$PWD/share PATH=$PWD/bin:$PATH
}

# planted DIR [CORES], lines on stdin: kernel strategy lock placement workers rate [line_ns [lost]]
# 15 samples in 3 processes each, within 1 % of the rate. Lock "-": none; rate FAILED: an error.
planted()
{
	mkdir -p "$1"
	awk -v cores="${2:-4}" '
	function entry(text) {
		printf "%s{\"name\": \"x\", \"run_type\": \"iteration\", %s}", separator, text
		separator = ",\n"
	}
	BEGIN {
		printf "{\"context\": {\"lockscale\": {\"cpu\": \"Test CPU\", \"cores\": %d,", cores
		printf "\"pus\": %d, \"allowed_cores\": %d, \"allowed_pus\": %d,", cores, cores, cores
		printf "\"boundaries\": {\"compact\": [{\"after\": 2, \"what\": \"package 2\"}]}}},"
		print "\"benchmarks\": ["
	}
	{
		point = sprintf("\"kernel\": \"%s\", \"strategy\": \"%s\", \"lock\": \"%s\", " \
			"\"placement\": \"%s\", \"threads\": %d", $1, $2, $3 == "-" ? "" : $3, $4, $5)
		if ($6 == "FAILED")
			entry(point ", \"error_occurred\": true, \"error_message\": \"killed\"")
		for (s = 0; s < 15 && $6 != "FAILED"; s++)
			entry(point sprintf(", \"process\": %d, \"sample\": %d, \"line_ns\": %s," \
				"\"ops_per_second\": %.9g, \"ops_min\": 9, \"ops_max\": 10," \
				"\"seconds\": 0.1, \"disturbed\": false, \"lost_updates\": %d," \
				"\"unit\": \"increments\"", s % 3, s / 3, $7 ? $7 : 0,
				$6 * (1 + 0.01 * ((s * 7) % 15 - 7) / 15), $8))
	}
	END { print "]}" }' >"$1/benchmark.json"
}

histogram()
{
	planted "$1" <<-'LINES'
		control private - compact 1 1000
		control private - compact 4 3960 53
		histogram sequential - compact 1 1000
		histogram private - compact 4 3940 53
		histogram lock-free - compact 3 1250 53
		histogram lock-free - compact 4 1200 53
		histogram global-lock mutex compact 4 190 53
		histogram global-lock mcs compact 4 FAILED
		histogram unsynchronized - compact 4 880 53 27
	LINES
}

@test "verdict, tables and charts are made" {
	histogram run1
	run "$LOCKSCALE" report run1
	[ "$status" -eq 0 ]
	[[ $output == *"Does it run 4x faster on 4 cores?"* ]]
	[[ $output == *"attainable here: 3.96x (control, nothing shared)"* ]]
	[[ $output == *"never beats one thread: 5.3x SLOWER"* ]]
	[[ $output == *"loses 31 % of its updates"* ]]
	[[ $output == *"FAILED  killed"* ]]
	[[ $output == *"drew run1"* ]]
	[ -d run1/charts ]
	[ "$(head -n 1 run1/speedup.tsv | tr '\t' ' ')" = "kernel strategy lock placement threads \
ops_per_second lo hi speedup speedup_lo speedup_hi efficiency self_speedup fairness samples \
disturbed mode line_ns" ]
	[ "$(wc -l <run1/speedup.tsv)" -eq 9 ] # 8 points without the failed one, and the header
	awk -F '\t' 'NF != 18 { exit 1 }' run1/speedup.tsv
	awk -F '\t' '$2 == "private" && $1 == "histogram" {
		exit !($3 == "-" && $5 == 4 && $9 > 3.93 && $9 < 3.95 && $10 < $9 && $9 < $11)
	}' run1/speedup.tsv
	[ "$(cat run1/boundaries.tsv)" = "$(printf 'placement\tafter\twhat\ncompact\t2\tpackage 2')" ]
	grep -q "$(printf '^histogram\tcompact\tincrements\thistogram: only private state')" \
		run1/findings.tsv
}

@test "verdict.txt is what the terminal showed, plain and at most 100 columns wide" {
	histogram run1
	"$LOCKSCALE" report --no-charts run1 >shown
	head -n "$(wc -l <run1/verdict.txt)" shown | cmp - run1/verdict.txt
	awk 'length > 100 { exit 1 }' run1/verdict.txt
	run grep -q "$(printf '\033')" shown run1/verdict.txt
	[ "$status" -eq 1 ]
	[ ! -e run1/charts ]
}

@test "the same result gives the same tables" {
	histogram run1
	histogram run2
	"$LOCKSCALE" report --quiet --no-charts run1 run2
	cmp run1/speedup.tsv run2/speedup.tsv
	cmp run1/verdict.txt run2/verdict.txt
}

@test "quiet names the files and nothing else" {
	histogram run1
	run "$LOCKSCALE" report --quiet run1
	[ "$status" -eq 0 ]
	for line in "${lines[@]}"; do
		[ -e "$line" ]
	done
	[ "${#lines[@]}" -eq 7 ]
}

@test "yes-at moves what counts as yes" {
	histogram run1
	run "$LOCKSCALE" report --no-charts --yes-at 0.25 run1
	[ "$status" -eq 0 ]
	[[ $output =~ lock-free\ +1\.20x\ \[1\..*\]\ \ yes ]]
	run "$LOCKSCALE" report --no-charts --yes-at often run1
	[ "$status" -eq 2 ]
	[[ $output == *"often"* ]]
}

@test "a missing chart script keeps the tables and says what to do" {
	histogram run1
	LOCKSCALE_SHARE=$PWD/nowhere run "$LOCKSCALE" report --quiet run1
	[ "$status" -eq 1 ]
	[[ $output == *"scripts/chart"*"LOCKSCALE_SHARE"* ]]
	[ -s run1/speedup.tsv ]
	[ -s run1/verdict.txt ]
}

@test "missing gnuplot keeps the tables and says what to do" {
	histogram run1
	PATH=$PWD/nowhere run "$LOCKSCALE" report --quiet run1
	[ "$status" -eq 1 ]
	[[ $output == *"gnuplot"*"install"* ]]
	[ -s run1/speedup.tsv ]
}

@test "a chart script that fails is reported" {
	histogram run1
	printf '#!/bin/sh\nexit 3\n' >share/scripts/chart
	run "$LOCKSCALE" report --quiet run1
	[ "$status" -eq 1 ]
	[[ $output == *"ended with 3"* ]]
}

@test "usage errors exit 2 and name what was wrong" {
	run "$LOCKSCALE" report
	[ "$status" -eq 2 ]
	[[ $output == *"no DIR"* ]]
	mkdir empty
	run "$LOCKSCALE" report empty
	[ "$status" -eq 2 ]
	[[ $output == *"empty: not a result directory"*"benchmark.json"* ]]
	run "$LOCKSCALE" report absent
	[ "$status" -eq 2 ]
	histogram run1
	run "$LOCKSCALE" report run1 absent # nothing is done by halves
	[ "$status" -eq 2 ]
	[ ! -e run1/verdict.txt ]
}

@test "a broken result exits 1, names file, entry and field, and spares the others" {
	histogram good
	mkdir broken
	echo '{"benchmarks": [{"kernel": "k", "strategy": 3}]}' >broken/benchmark.json
	run "$LOCKSCALE" report --no-charts --quiet broken good
	[ "$status" -eq 1 ]
	[[ $output == *'broken/benchmark.json: benchmarks[0]: field "strategy" is not a string'* ]]
	[ -s good/verdict.txt ]
	head -c 3000 good/benchmark.json >broken/benchmark.json
	run "$LOCKSCALE" report --no-charts --quiet broken
	[ "$status" -eq 1 ]
	[[ $output == *"broken/benchmark.json:"* ]]
	echo '{"benchmarks": []}' >broken/benchmark.json
	run "$LOCKSCALE" report --no-charts --quiet broken
	[ "$status" -eq 1 ]
	[[ $output == *"no samples"* ]]
}

@test "a full disk is reported and leaves nothing behind" {
	histogram run1
	run bash -c "trap '' XFSZ; ulimit -f 0; exec '$LOCKSCALE' report --no-charts --quiet run1"
	[ "$status" -eq 1 ]
	[[ $output == *"speedup.tsv"* ]]
	[ "$(ls -A run1)" = benchmark.json ]
	run bash -c "'$LOCKSCALE' report --no-charts run1 >/dev/full"
	[ "$status" -eq 1 ]
}

@test "one core and no baseline are admitted" {
	planted one 1 <<-'LINES'
		k sequential - compact 1 1000
		k global-lock mutex compact 1 500
		lonely private - compact 1 1000
	LINES
	run "$LOCKSCALE" report --no-charts one
	[ "$status" -eq 0 ]
	[[ $output == *"One worker cannot tell"*"no sequential baseline"*"Cannot be answered"* ]]
	grep -q "$(printf '^lonely\t.*\tNA\tNA\tNA\tNA')" one/speedup.tsv
	run grep -qi nan one/speedup.tsv
	[ "$status" -eq 1 ]
}
