#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# run --cs, --work, --cs-lines: the kernel contention under several settings at once.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=$BATS_TEST_TMPDIR/result
}

# measure ARGUMENT...: a short run into $dir that must succeed.
measure()
{
	run -0 --separate-stderr "$LOCKSCALE" run "${SHORT[@]}" --threads 1 --locks mcs,mutex --output "$dir" "$@"
}

# planned ARGUMENT...: the variants that would be measured with one worker.
planned()
{
	"$LOCKSCALE" run --dry-run --threads 1 --locks mcs "$@" 2>/dev/null | sed 's|/placement:.*||' | grep -v ^control/
}

# table COLUMN...: of contention.tsv, without its header.
table()
{
	local list=$1
	awk -F '\t' -v list="$list" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(list, c, ","); next }
		{ for (i = 1; i <= n; i++) printf "%s%s", $at[c[i]], i < n ? " " : "\n" }' "$dir/contention.tsv"
}

@test "without being named contention is not measured" {
	run -0 --separate-stderr "$LOCKSCALE" run --dry-run
	lacks "$output" contention
	run -0 --separate-stderr "$LOCKSCALE" run --dry-run --threads 1 contention/private
	has "$output" contention/sequential/ contention/private/
}

@test "each combination is a kernel of its own, and nothing else is measured" {
	run -0 planned --cs 0,100 --work 0,1000000 --cs-lines 0,64
	[ "$(cut -d / -f 1 <<<"$output" | sort -u)" = "$(printf 'contention@cs=%s\n' 0,work=0,lines={0,64} \
		0,work=1000000,lines={0,64} 100,work=0,lines={0,64} 100,work=1000000,lines={0,64} | sort)" ]
	[ "$(cut -d / -f 2- <<<"$output" | sort -u)" = 'global-lock/mcs
private
sequential
unsynchronized' ]
}

@test "what is not given is the default or the user's parameter" {
	run -0 planned --cs 7
	has "$output" contention@cs=7,work=400,lines=1/
	run -0 planned --work 8 --param contention.cs=9
	has "$output" contention@cs=9,work=8,lines=1/
	run -0 planned --cs-lines 3 --cs-lines 4,3
	has "$output" contention@cs=100,work=400,lines=3/ contention@cs=100,work=400,lines=4/
	[ "$(grep -c /private <<<"$output")" = 2 ]
}

@test "patterns choose among the variants; what they leave out of the kernel stays out" {
	run -0 planned --cs 1,2 contention/global-lock/mcs
	[ "$output" = 'contention@cs=1,work=400,lines=1/sequential
contention@cs=1,work=400,lines=1/global-lock/mcs
contention@cs=2,work=400,lines=1/sequential
contention@cs=2,work=400,lines=1/global-lock/mcs' ]
	run -0 planned --cs 1,2 'contention@cs=2,*/private'
	[ "$output" = 'contention@cs=2,work=400,lines=1/sequential
contention@cs=2,work=400,lines=1/private' ]
	# beside other kernels it is measured whole
	run -0 planned --cs 1 counter/private
	has "$output" counter/private contention@cs=1,work=400,lines=1/global-lock/mcs
}

@test "wrong values are refused with what is accepted" {
	for wrong in '--cs=1000001:0 to 1000000' '--cs=-1:0 to 1000000' '--work=1.5:0 to 1000000' \
		'--work=x:0 to 1000000' '--work=,:0 to 1000000' '--cs-lines=65:0 to 64' '--cs-lines=1,y:0 to 64'; do
		run -2 --separate-stderr "$LOCKSCALE" run --output "$dir" "${wrong%%:*}"
		[ -z "$output" ]
		has "$stderr" "${wrong%%=*}" "${wrong#*:}"
		[ ! -e "$dir" ]
	done
	has "$stderr" y
	run -2 --separate-stderr "$LOCKSCALE" run --cs "$(seq -s , 0 59)" --work "$(seq -s , 0 59)"
	has "$stderr" 3600 1024
}

@test "--resume takes none of the three" {
	measure --cs 1
	for option in --cs --work --cs-lines; do
		run -2 --separate-stderr "$LOCKSCALE" run --resume "$dir" $option 1
		has "$stderr" --resume
	done
	run -0 --separate-stderr "$LOCKSCALE" run --resume "$dir"
}

@test "help names the options" {
	run -0 "$LOCKSCALE" run --help
	has "$output" --cs=LIST --work=LIST --cs-lines=LIST
}

@test "results carry the setting, a baseline each, the calibration and the tables" {
	measure --cs 0,50 --work 0,2000 --cs-lines 0,2
	is "$dir/journal.jsonl" 'len(set(x["kernel"] for x in s)) == 8 + 1'
	is "$dir/journal.jsonl" 'all(x["lost_updates"] == 0 for x in s)'
	is "$dir/journal.jsonl" 'sorted(x["kernel"] for x in d if x["type"] == "note") ==
		sorted(set(x["kernel"] for x in s if "@" in x["kernel"]))'
	is "$dir/benchmark.json" 'len(d["context"]["lockscale"]["notes"]) == 8 and
		all("steps per ns" in x["text"] for x in d["context"]["lockscale"]["notes"])'
	# every setting is there, with its own speedup of 1
	[ "$(table cs_ns,work_ns,lines,strategy,speedup | grep 'sequential 1$' | sort)" = "$(
		printf '%s sequential 1\n' {0,50}' '{0,2000}' '{0,2} | sort)" ]
	[ "$(table lock,strategy | sort -u)" = '- private
- sequential
- unsynchronized
mcs global-lock
mutex global-lock' ]
	# what is attainable is what private reaches
	[ -z "$(table strategy,speedup,attainable | awk '$1 == "private" && $2 != $3')" ]
	[ "$(cut -f 1,4,5 "$dir/crossover.tsv" | sed 1d)" = "$(
		printf '%s\n' {mcs,mutex}$'\t'{0,2}$'\t'{0,50})" ]
	# more settings than a person reads are not in the verdict
	has "$output" '8 settings' contention.tsv
	lacks "$output" contention@
}

@test "few settings are in the verdict, each with its best lock" {
	measure --cs 50 --work 0,2000
	[ "$(grep -c '^contention@' <<<"$output")" = 2 ]
	[ "$(grep -c ' global-lock/' <<<"$output")" = 2 ]
}

@test "the plain kernel is in the table with its parameters" {
	measure contention/global-lock contention/private --param contention.cs=30
	[ "$(table cs_ns,work_ns,lines | sort -u)" = '30 400 1' ]
	is "$dir/benchmark.json" 'd["context"]["lockscale"]["params"] ==
		{"contention.cs": "30", "contention.work": "400", "contention.lines": "1"}'
}

@test "a benchmark filter chooses among the settings" {
	measure --cs 1,2 --benchmark_filter='@cs=2,.*/private'
	is "$dir/journal.jsonl" 'set(map(point, s)) == {"control/sequential/compact/1", "control/private/compact/1",
		"contention@cs=2,work=400,lines=1/sequential/compact/1",
		"contention@cs=2,work=400,lines=1/private/compact/1"}'
}

@test "a run of settings is compared with itself" {
	measure --cs 1,2 contention/private
	run "$LOCKSCALE" compare "$dir" "$dir"
	[ "$status" -eq 0 ]
}

@test "settings get no charts of their own" {
	command -v gnuplot >/dev/null || skip 'gnuplot is not installed'
	measure --cs 1 --work 1,2
	LOCKSCALE_SHARE=$ROOT run -0 "$LOCKSCALE" report "$dir"
	[ -z "$(find "$dir/charts" -name '*@*')" ]
	[ -s "$dir/charts/overview.svg" ]
}

@test "every run keeps how long a line takes between the PUs, but a quick one" {
	need_two_pus
	measure counter/private
	[ "$(head -n 1 "$dir/core_to_core.tsv")" = $'from\tto\tone_way_ns' ]
	pus=$(allowed_pus)
	[ "$pus" -gt 64 ] || [ "$(sed 1d "$dir/core_to_core.tsv" | wc -l)" = $((pus * (pus - 1) / 2)) ]
	[ -z "$(sed 1d "$dir/core_to_core.tsv" | awk '!($1 < $2 && $3 > 0)')" ]
	run -0 "$LOCKSCALE" run --quick counter/private --window-ms 1 --threads 1 --output "$dir.quick"
	[ ! -e "$dir.quick/core_to_core.tsv" ]
}

@test "with one PU there is nothing between PUs" {
	command -v taskset >/dev/null || skip 'taskset is not installed'
	run -0 --separate-stderr taskset -c "$(first_pu)" "$LOCKSCALE" run "${SHORT[@]}" counter/private --output "$dir"
	[ ! -e "$dir/core_to_core.tsv" ]
	lacks "$stderr" core_to_core
}
