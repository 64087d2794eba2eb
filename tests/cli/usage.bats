#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The command line's surface: help everywhere, on stdout and with 0; misuse on stderr and with 2.
# shellcheck disable=SC2154 # `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# help COMMAND OPTION...: its --help names all of them.
help()
{
	run -0 --separate-stderr "$LOCKSCALE" "$1" --help
	[ -z "$stderr" ]
	has "$output" "Usage: lockscale $1" "${@:2}"
	run -0 "$LOCKSCALE" "$1" --usage
}

@test "without a command there is a usage message and exit status 2" {
	run -2 --separate-stderr "$LOCKSCALE"
	[ -z "$output" ]
	has "$stderr" 'Usage: lockscale COMMAND' list machine run report compare race python tour
}

@test "an unknown command is named, with those there are" {
	run -2 --separate-stderr "$LOCKSCALE" mesure
	[ -z "$output" ]
	has "$stderr" "'mesure'" list machine run report compare race python tour
	lacks "$stderr" '_measure'
	run -2 "$LOCKSCALE" ''
	run -2 "$LOCKSCALE" --frobnicate
}

@test "lockscale --help lists every command on stdout" {
	for flag in --help help; do
		run -0 --separate-stderr "$LOCKSCALE" $flag
		[ -z "$stderr" ]
		has "$output" list machine run report compare race python tour '--help' '--version'
		lacks "$output" '_measure'
	done
}

@test "every command that is listed has help" {
	for command in $("$LOCKSCALE" --help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
		run -0 --separate-stderr "$LOCKSCALE" "$command" --help
		has "$output" "Usage: lockscale $command"
	done
}

@test "lockscale --version tells version, compiler and commit" {
	run -0 --separate-stderr "$LOCKSCALE" --version
	[[ $output =~ ^lockscale\ [0-9]+\.[0-9]+\.[0-9]+\ \(.*commit\ .*\)$ ]]
}

@test "run --help names every option" {
	help run --threads --placement --locks --strategies --param --oversubscribe --quick --full \
		--window-ms --samples --processes --seed --watchdog --output --resume --quiet --dry-run \
		--topology --lock-plugin --interpose --benchmark_filter --benchmark_repetitions 'Exit status: 0' '130'
}

@test "the other commands' --help names their options" {
	help list --json
	help machine --topology --json
	help report --yes-at --no-charts --quiet
	help compare --threshold --json
	help race --iterations --seconds
	help python --strategy --interval --switch-us --check --sharing --cpus --dis --stats --trace
	help tour --list --quick --json
}

@test "each command refuses an unknown option with 2" {
	for command in list machine run report compare race python tour; do
		run -2 --separate-stderr "$LOCKSCALE" $command --frobnicate
		[ -z "$output" ]
		has "$stderr" 'frobnicate'
	done
}

@test "the measuring process is not for users, and says so" {
	run -2 --separate-stderr "$LOCKSCALE" _measure </dev/null
	[ -z "$output" ]
	has "$stderr" "lockscale run"
	run -2 --separate-stderr "$LOCKSCALE" _measure <<<'{"plan": 5}'
	run -2 --separate-stderr "$LOCKSCALE" _measure <<<'rubbish'
}
