#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# How long acquire takes, how evenly workers share, how near a hand-over is to what it cannot be
# shorter than: from the option to the tables, and through an interruption.
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

# latencies FILE EXPRESSION: l are the latency samples of the .jsonl file.
latencies()
{
	is "$1" "[$2 for l in [[x for x in d if x['type'] == 'latency']]][0]"
}

# column TABLE NAME [CONDITION]: of all lines, or of those where an awk condition on c["NAME"] holds.
column()
{
	awk -F '\t' "NR == 1 { for (i = 1; i <= NF; i++) n[i] = \$i; next }
		{ for (i = 1; i <= NF; i++) c[n[i]] = \$i } ${3-1} { print c[\"$2\"] }" "$dir/$1"
}

header()
{
	head -n 1 "$dir/$1" | tr '\t' ' '
}

# Each sample of each point exactly once, of both kinds.
is_complete()
{
	is "$dir/journal.jsonl" '(lambda points, times: sorted(map(visit, s)) == sorted((point(x), p, k)
		for x in points for p, k in times) and
		sorted(map(visit, [x for x in d if x["type"] == "latency"])) == sorted((point(x), p, k)
		for x in points if x["lock"] for p, k in times))(d[0]["plan"]["points"],
		[(p, k) for p in range(d[0]["plan"]["processes"]) for k in range(d[0]["plan"]["samples"])])'
}

@test "--latency measures each point with a lock once more, and shows how long acquire takes" {
	run -0 --separate-stderr "$LOCKSCALE" run counter/global-lock bank/fine-lock --threads 1 \
		--window-ms 4 --processes 2 --samples 2 --quiet --latency --output "$dir"
	has "$output" 'acquire latency: counter, 1 worker' 'p50' 'p99.9' 'global-lock/mcs'
	is_complete
	latencies "$dir/journal.jsonl" 'all(x["count"] > 0 and x["clock_ns"] > 0 and
		x["p50"] <= x["p99"] <= x["p999"] <= x["max"] == max(x["worker_longest"]) and
		sum(n for ns, n in x["buckets"]) == x["count"] and len(x["worker_longest"]) == x["threads"] and
		x["disturbed"] in (True, False) for x in l)'
	[ "$(header latency.tsv)" = "kernel strategy lock placement threads acquisitions p50_ns p99_ns \
p999_ns max_ns clock_ns line_ns disturbed_samples what" ]
	[ "$(wc -l <"$dir/latency.tsv")" -eq "$(($(grep -c 'global-lock\|fine-lock' "$dir/speedup.tsv") + 1))" ]
	# the result file is Google's as before, the latency samples lie beside it
	latencies "$dir/latency.jsonl" 'len(l) == len(d) > 0'
	is "$dir/benchmark.json" 'all(len(x["worker_ops"]) == x["threads"] for x in d["benchmarks"]
		if x["run_type"] == "iteration")'
	is "$dir/benchmark.json" 'd["context"]["lockscale"]["locks"]["mcs"]["fifo"] and
		not d["context"]["lockscale"]["locks"]["tas"]["fifo"]'
}

@test "results from elsewhere, without their journal, give the same tables" {
	"$LOCKSCALE" run counter/global-lock/mcs --threads 1 "${SHORT[@]}" --quiet --latency \
		--output "$dir" >/dev/null
	cp -r "$dir" copy
	rm copy/journal.jsonl copy/*.tsv
	"$LOCKSCALE" report --no-charts --quiet copy
	for table in latency fairness handover speedup; do
		cmp "$dir/$table.tsv" "copy/$table.tsv"
	done
}

@test "without --latency there is none, and nothing else changes" {
	run -0 --separate-stderr "$LOCKSCALE" run counter/global-lock --threads 1 "${SHORT[@]}" --quiet \
		--output "$dir"
	lacks "$output" 'acquire latency'
	[ ! -e "$dir/latency.jsonl" ]
	[ ! -e "$dir/latency.tsv" ]
	run -1 grep -q '"type":"latency"' "$dir/journal.jsonl"
	[ "$(header fairness.tsv)" = \
		"kernel strategy lock placement threads jain fewest_over_most longest_wait_ns shares" ]
	[ "$(header handover.tsv)" = \
		"lock fifo placement threads handover_ns section_ns line_ns limit_ns ratio" ]
}

@test "an interrupted run is resumed with the latency samples that are missing, and no others" {
	"$LOCKSCALE" run counter/global-lock --threads 1 --window-ms 2 --processes 2 --samples 2 \
		--quiet --latency --output "$dir" >/dev/null
	is_complete
	cp "$dir/journal.jsonl" whole
	# every third line was never written, of either kind
	awk 'NR == 1 || NR % 3' whole >"$dir/journal.jsonl"
	kept=$(wc -l <"$dir/journal.jsonl")
	run -0 --separate-stderr "$LOCKSCALE" run --resume "$dir" --quiet
	is_complete
	# what was there is there still, and only what was missing came after
	head -n "$kept" "$dir/journal.jsonl" | cmp - <(awk 'NR == 1 || NR % 3' whole)
	[ "$(wc -l <"$dir/journal.jsonl")" -eq "$(($(wc -l <whole) + 1))" ]
	run -2 "$LOCKSCALE" run --resume "$dir" --latency
}

@test "a killed run with --latency loses no finished sample" {
	start "$LOCKSCALE" run counter/global-lock --threads 1 --window-ms 10 --processes 2 --samples 2 \
		--quiet --latency --output "$dir"
	wait_until 60 journal_has 8 "$dir"
	kill -9 "$started"
	wait "$started" || :
	run -0 --separate-stderr "$LOCKSCALE" run --resume "$dir" --quiet
	is_complete
}

@test "a latency sample that cannot be read is measured again" {
	"$LOCKSCALE" run counter/global-lock/mcs --threads 1 "${SHORT[@]}" --quiet --latency \
		--output "$dir" >/dev/null
	sed -i 's/"buckets":\[.*/"buckets":7}/' "$dir/journal.jsonl"
	run -0 --separate-stderr "$LOCKSCALE" run --resume "$dir"
	has "$stderr" '1 damaged line'
	latencies "$dir/journal.jsonl" 'len(l) == 2 and l[1]["count"] > 0'
	latencies "$dir/latency.jsonl" 'len(l) == 1'
}

@test "a lock that starves a worker has a low index of fairness" {
	need_two_pus
	twins=$BUILD_DIR/twins/lockscale
	[ -x "$twins" ] || {
		echo "$twins is missing: make twins"
		return 1
	}
	"$twins" run counter/global-lock/twin-starving counter/global-lock/ticket --threads 2 \
		--window-ms 20 --processes 1 --samples 3 --quiet --output "$dir" >/dev/null
	starving=$(column fairness.tsv jain 'c["lock"] == "twin-starving"')
	ticket=$(column fairness.tsv jain 'c["lock"] == "ticket"')
	awk "BEGIN { exit !($starving < 0.75 && $starving >= 0.5 && $starving < $ticket) }"
	# the first worker has it nearly all
	awk "BEGIN { split(\"$(column fairness.tsv shares 'c["lock"] == "twin-starving"')\", s, \",\")
		exit !(s[1] > 0.8 && s[2] < 0.2 && s[1] + s[2] > 0.99) }"
	[ "$(column handover.tsv fifo 'c["lock"] == "ticket"')" = 1 ]
	[ "$(column handover.tsv fifo 'c["lock"] == "twin-starving"')" = 0 ]
}

@test "a lock that loses updates loses them while latency is measured too" {
	need_two_pus
	twins=$BUILD_DIR/twins/lockscale
	[ -x "$twins" ] || {
		echo "$twins is missing: make twins"
		return 1
	}
	run -1 --separate-stderr "$twins" run counter/global-lock/twin-two-owners --threads 2 \
		--window-ms 10 --processes 2 --samples 2 --latency --output "$dir"
	has "$stderr" 'FAILED' 'updates were lost'
	lacks "$(cat "$dir/latency.tsv" 2>/dev/null)" 'twin'
}

@test "whether the hardware counts is said by machine and by each run, with a reason" {
	run -0 "$LOCKSCALE" machine
	has "$output" 'Counters'
	"$LOCKSCALE" run control "${SHORT[@]}" --threads 1 --quiet --output "$dir" >/dev/null
	reason=$("$LOCKSCALE" machine --json | "$PYTHON" -c \
		'import json, sys; print(json.load(sys.stdin)["hardware_counters"])')
	is "$dir/benchmark.json" "d['context']['lockscale']['hardware_counters'] == '''$reason'''"
	if [ "$reason" = available ]; then
		is "$dir/journal.jsonl" 'all(x["cycles"] > 0 and x["instructions"] > 0 for x in s)'
		[ -e "$dir/counters.tsv" ]
	else
		[[ $reason == none:* || $reason == refused:* ]]
		is "$dir/journal.jsonl" 'not any("cycles" in x for x in s)'
		is "$dir/benchmark.json" 'not any("cycles" in x for x in d["benchmarks"])'
		[ ! -e "$dir/counters.tsv" ]
	fi
}
