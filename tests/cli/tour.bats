#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale tour: each claim has its four parts; the race really loses an update; JSON; misuse.
# Verdicts on speed depend on the machine: tests/unit/test_tour.c feeds numbers to them.
# shellcheck disable=SC2154 # `run` sets stderr

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
	clean_up
}

# takes CLAIM: runs it; it has its four parts.
takes()
{
	run -0 --separate-stderr timeout 120 "$LOCKSCALE" tour --quick "$1"
	has "$output" " $1 " '   experiment  ' '   result      ' '   verdict     '
	lacks "$output" 'not decided' nan inf
}

verdict()
{
	sed -n 's/^   verdict  *//p' <<<"$output"
}

@test "help and list name the claims" {
	run -0 "$LOCKSCALE" tour --help
	has "$output" 'Usage: lockscale tour' --list --quick --json
	run -0 --separate-stderr "$LOCKSCALE" tour --list
	[ -z "$stderr" ]
	has "$output" ' 1 join' daemon race mutex rlock semaphore faster slower refcount extension \
		processes '12 server'
	"$LOCKSCALE" tour --list --json >list.json
	is list.json '[c["number"] for c in d] == list(range(1, 13))'
}

@test "an unknown claim is refused with those there are" {
	for bad in 0 13 speed; do
		run -2 --separate-stderr "$LOCKSCALE" tour "$bad"
		[ -z "$output" ]
		has "$stderr" "'$bad'" '1 to 12' join server
	done
}

@test "join: it runs to its end, and joining oneself is EDEADLK" {
	takes join
	has "$output" EDEADLK '500 of 500'
	[ "$(verdict)" = true ]
}

@test "daemon: it vanishes with the program and cannot be joined" {
	takes daemon
	has "$output" EINVAL '120 of 120 steps'
	[ "$(verdict)" = true ]
}

@test "mutex: the count is exact, one at a time, the other sleeps" {
	takes mutex
	has "$output" 'at most 1 inside' 'slept until'
	[ "$(verdict)" = true ]
}

@test "rlock: its owner passes, a mutex's owner does not" {
	takes rlock
	[[ $(verdict) == 'true of a re-entrant lock, false of a mutex' ]]
}

@test "semaphore: as many as it permits" {
	takes semaphore
	[ "$(verdict)" = true ]
}

@test "race: an update is lost at bytecode level, by the rules that lose one" {
	takes race
	has "$output" 'thread 1: x = x + 1' 'thread 2: x = x - 1' 'LOAD_GLOBAL x' 'switch to thread'
	has "$output" 'to 3.9, x = x + 1: updates were lost' \
		'from 3.10 on, x = x + 1: no update was lost' \
		'from 3.10 on, x = x + one(): updates were lost'
	# the value of the stale store is not what the one before it stored, but one off what was loaded
	stale=$(grep -m 1 'STORE_GLOBAL x .*<- stale' <<<"$output")
	[ -n "$stale" ]
	stored=$(grep -oE 'STORE_GLOBAL x +-?[0-9]+' <<<"$stale" | grep -oE -- '-?[0-9]+$')
	grep -qE "LOAD_GLOBAL x +($((stored - 1))|$((stored + 1)))$" <<<"$output"
}

@test "faster, slower: one measurement, a speedup with its interval for then, now and next" {
	need_two_pus
	run -0 --separate-stderr timeout 120 "$LOCKSCALE" tour --quick faster slower
	for strategy in gil-2 gil-3 free-threaded; do
		[ "$(grep -cE "^ +$strategy: 2 workers [0-9.]+ \[[0-9.]+, [0-9.]+\] times|result +$strategy: 2" \
			<<<"$output")" = 2 ]
	done
	[ "$(grep -c 'Countdown from' <<<"$output")" = 2 ]
	[ "$(grep -o 'Countdown from [0-9]*' <<<"$output" | sort -u | wc -l)" = 1 ]
}

@test "refcount, extension and processes have their parts" {
	need_two_pus
	takes refcount
	has "$output" 'atomic counts' 'biased counts' 'deferred counts' 'immortal objects'
	takes extension
	has "$output" 'lock kept' 'lock released'
	takes processes
	has "$output" 'processes' 'a message and its answer take'
}

@test "server: hundreds of connections, and an answer beside a thread that computes" {
	"$LOCKSCALE" list | grep -q '^ *server' || skip 'built without kernel server'
	takes server
	has "$output" '200 connections' epoll gil-2 gil-3 free-threaded processes
}

@test "JSON is valid, and has the numbers that the text shows" {
	"$LOCKSCALE" tour --quick --json join semaphore >tour.json 2>err
	is tour.json '[c["name"] for c in d["claims"]] == ["join", "semaphore"]'
	is tour.json 'd["quick"] is True and d["interrupted"] is False'
	is tour.json 'all(c["claim"] and c["experiment"] and c["result"] and c["verdict"] for c in d["claims"])'
	is tour.json 'all(m["lo"] <= m["median"] <= m["hi"] for m in d["claims"][0]["measurements"])'
	is tour.json '[c["answer"] for c in d["claims"][0]["conditions"]] == ["true", "true"]'
}

@test "a claim that needs two PUs says so on one, and the tour goes on: exit status 1" {
	run -1 --separate-stderr taskset -c "$(first_pu)" "$LOCKSCALE" tour --quick faster semaphore
	has "$output" 'not decided' 'needs two PUs' '3 permitted'
}

@test "Ctrl-C ends the tour with 130, what was finished is there, no process is left" {
	start env --default-signal=INT "$LOCKSCALE" tour --json
	wait_until 30 grep -q mutex err
	kill -INT "$started"
	status=0
	wait "$started" || status=$?
	[ "$status" = 130 ]
	is out 'd["interrupted"] is True and d["claims"][0]["name"] == "join"'
	run ! pgrep -P "$started"
}
