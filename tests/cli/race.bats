#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale race: an update is lost before the reader's eyes, and none under a mutex.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

@test "an update is lost and the interleaving shown in two columns" {
	need_two_pus
	# rounds longer than a time slice: then the workers meet on a busy machine too
	run -0 --separate-stderr "$LOCKSCALE" race --iterations 3000000 --seconds 60
	[ -z "$stderr" ]
	has "$output" 'worker 1: x = x + 1' 'worker 2: x = x - 1' 'updates were lost' '<- from a stale x' \
		'<- wipes out'
	# the second column begins where its title does
	title=$(grep 'worker 1: x = x + 1 ' <<<"$output")
	before=${title%%worker 2*}
	grep -qE "^ {${#before}}(load|add|store) " <<<"$output"
	grep -qE '^  (load|add|store) ' <<<"$output"
}

@test "both workers load the same value, and the last store is the one that stays" {
	need_two_pus
	run -0 "$LOCKSCALE" race --iterations 3000000 --seconds 60
	loads=$(grep -oE 'load +r = -?[0-9]+' <<<"$output" | sort -u | wc -l)
	[ "$loads" = 1 ]
	[ "$(grep -cE 'load +r = ' <<<"$output")" = 2 ]
	# one worker computes +1 from it, the other -1
	loaded=$(grep -oE 'load +r = -?[0-9]+' <<<"$output" | head -n 1 | sed 's/.*= //')
	grep -qE "add +r = $((loaded + 1))( |$)" <<<"$output"
	grep -qE "add +r = $((loaded - 1))( |$)" <<<"$output"
	# and the wiping store stores what was computed from the stale value
	last=$(grep 'wipes out' <<<"$output" | grep -oE 'x = -?[0-9]+' | sed 's/.*= //')
	[ "$last" = $((loaded + 1)) ] || [ "$last" = $((loaded - 1)) ]
}

@test "under a mutex none is lost" {
	run -0 "$LOCKSCALE" race --iterations 20000 --seconds 1
	has "$output" 'Under a mutex' 'x ended at 0, should be 0; 0 updates were lost'
}

@test "on one PU the hunt ends after the given time, and says what that means" {
	# one iteration a round: no two can meet for long
	run -0 timeout 60 taskset -c "$(first_pu)" "$LOCKSCALE" race --iterations 1 --seconds 1
	has "$output" 'No update was lost' 'proves nothing' '0 updates were lost'
}

@test "bad options are refused with the value" {
	for bad in '--iterations 0' '--iterations x' '--iterations 1e12' '--seconds 0' '--seconds -1' \
		'--seconds 5s'; do
		# shellcheck disable=SC2086 # two words
		run -2 --separate-stderr "$LOCKSCALE" race ${bad/ /=}
		[ -z "$output" ]
		has "$stderr" "$bad"
	done
	run -2 --separate-stderr "$LOCKSCALE" race now
	has "$stderr" "'now'"
}
