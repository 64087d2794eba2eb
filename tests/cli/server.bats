#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Kernel server: a thread for each client under every kind of interpreter lock, one thread with
# epoll, processes; answers are checked, times of requests recorded, nothing is left behind.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=$BATS_TEST_TMPDIR/result
}

teardown()
{
	clean_up
}

# measure ARGUMENT...: a short run into $dir that must succeed, with every answer right.
measure()
{
	run -0 --separate-stderr "$LOCKSCALE" run --window-ms 20 --processes 1 --samples 1 --output "$dir" "$@"
	is "$dir/journal.jsonl" 'all(x["lost_updates"] == 0 for x in s)'
}

# value STRATEGY THREADS COUNT: per second, or a level, of counts.tsv.
value()
{
	awk -F '\t' -v strategy="$1" -v threads="$2" -v count="$3" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["kernel"] == "server" && $at["strategy"] == strategy && $at["threads"] == threads &&
			$at["count"] == count { print $at["value"] }' "$dir/counts.tsv"
}

@test "without being named the server is not measured" {
	run -0 --separate-stderr "$LOCKSCALE" run --dry-run
	lacks "$output" server
}

@test "every strategy answers every request, with one worker and with two" {
	need_two_pus
	measure --threads 1,2 'server/*'
	for strategy in sequential:1 gil-2:1 gil-2:2 gil-3:1 gil-3:2 free-threaded:1 free-threaded:2 \
		processes:1 processes:2; do
		is "$dir/journal.jsonl" "all(x['ops_per_second'] > 0 for x in s) and
			any(x['strategy'] == '${strategy%:*}' and x['threads'] == ${strategy#*:} for x in s)"
	done
}

@test "the times of requests and what the lock did are told" {
	measure --threads 1 'server/*'
	for strategy in sequential gil-2 gil-3 free-threaded processes; do
		for count in p50_ns p99_ns p999_ns max_ns switches failed-acquires futex-calls \
			voluntary-switches involuntary-switches; do
			[ "$(value "$strategy" 1 "$count" | wc -l)" = 1 ]
		done
		awk -v p50="$(value $strategy 1 p50_ns)" -v p99="$(value $strategy 1 p99_ns)" \
			-v p999="$(value $strategy 1 p999_ns)" -v most="$(value $strategy 1 max_ns)" \
			'BEGIN { exit !(0 < p50 && p50 <= p99 && p99 <= p999 && p999 <= most) }'
	done
	# a thread each, and one lock
	for strategy in gil-2 gil-3; do
		awk -v switches="$(value $strategy 1 switches)" 'BEGIN { exit !(switches > 0) }'
	done
	for strategy in sequential free-threaded processes; do
		[ "$(value $strategy 1 switches)" = 0 ]
	done
	[ "$(grep -c $'\trequest$' "$dir/latency.tsv")" = 5 ]
	has "$output" 'request latency: server'
}

@test "five hundred clients are served by five hundred threads" {
	measure --threads 1 --param server.connections=500 --param server.cpu=1 'server/*'
	is "$dir/journal.jsonl" 'all(sum(x["worker_ops"]) >= 500 for x in s if x["kernel"] == "server")'
}

@test "beside a thread that computes requests wait for the interval of Python 3's lock alone" {
	measure --threads 1 --param server.connections=1 --param server.cpu=0 --param server.background=1 \
		--param server.switch-us=50000 'server/*'
	awk -v new="$(value gil-3 1 p50_ns)" -v old="$(value gil-2 1 p50_ns)" \
		-v free="$(value free-threaded 1 p50_ns)" \
		'BEGIN { if (new < 4 * old || new < 4 * free) { print new, old, free; exit 1 } }'
}

@test "a client that thinks sends less" {
	measure --threads 1 --param server.think-us=0 server/sequential
	busy=$(json "$dir/journal.jsonl" '[x["ops_per_second"] for x in s if x["kernel"] == "server"][0]')
	dir=$dir.thinking
	measure --threads 1 --param server.think-us=100000 server/sequential
	is "$dir/journal.jsonl" "[x['ops_per_second'] for x in s if x['kernel'] == 'server'][0] < $busy / 2"
}

@test "wrong values are refused with what is accepted" {
	for wrong in 'connections=0:1..500' 'connections=501:1..500' 'cpu=10001:0..10000' 'cpu=x:0..10000' \
		'background=65:0..64' 'think-us=-1:0..1000000' 'interval=0:1..1000000' \
		'switch-us=0:1..1000000'; do
		refused "server.${wrong%%=*}" "${wrong#*:}" -- --param "server.${wrong%%:*}" server
	done
}

@test "too few open files are named before anything is measured" {
	run -2 bash -c 'ulimit -n 300; "$0" run --param server.connections=500 --output "$1" server' "$LOCKSCALE" "$dir"
	has "$output" '500 connections need' 'the limit is 300'
	[ ! -e "$dir" ]
	# a soft limit is raised
	run -0 --separate-stderr bash -c 'ulimit -Sn 100; exec "$@"' - "$LOCKSCALE" run "${SHORT[@]}" --threads 1 \
		--param server.connections=200 --output "$dir" server/sequential
}

# family PID: it and all its descendants.
family()
{
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		family "$child"
	done
}

gone()
{
	local pid
	for pid; do
		[ ! -d "/proc/$pid" ] || [ "$(awk '/^State/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" = Z ] || return 1
	done
}

serves()
{
	[ "$(family "$started" | wc -l)" -ge "$1" ]
}

@test "Ctrl-C leaves no process and no thread behind" {
	need_two_pus
	for strategy in gil-3:2 processes:5; do
		rm -rf "$dir"
		start "$LOCKSCALE" run --threads 2 --samples 50 --window-ms 500 --param server.connections=100 \
			--param server.background=1 --output "$dir" "server/${strategy%:*}"
		wait_until 20 serves "${strategy#*:}"
		sleep 0.5
		all=$(family "$started")
		kill -INT "$started"
		status=0
		wait "$started" || status=$?
		[ "$status" = 130 ]
		# shellcheck disable=SC2086
		wait_until 5 gone $all
	done
}

@test "processes do not outlive a measuring process that is killed" {
	need_two_pus
	start "$LOCKSCALE" run --threads 2 --samples 50 --window-ms 500 --param server.background=1 --output "$dir" \
		server/processes
	wait_until 20 serves 5
	all=$(family "$started")
	kill -KILL "$started"
	# shellcheck disable=SC2086
	wait_until 5 gone $all
}
