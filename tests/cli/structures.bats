#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Kernels on structures: which variants a run measures, settings in lists, operations that had
# nothing to do, memory, and how long an operation takes.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	dir=$BATS_TEST_TMPDIR/result
}

# points ARGUMENT...: prints the points that a run would measure.
points()
{
	"$LOCKSCALE" run --dry-run "$@" 2>"$BATS_TEST_TMPDIR/stderr"
}

# column NAME PATTERN: of operations.tsv, of the rows whose names match.
column()
{
	awk -F '\t' -v name="$1" -v pattern="$2" '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$1 "/" $2 "/" $3 ~ pattern { print $at[name] }' "$dir/operations.tsv"
}

@test "--standard measures the kernels of a first look and no others" {
	points --standard | cut -d/ -f1 | sort -u >measured
	"$LOCKSCALE" list --json >list.json
	json list.json '"\n".join(sorted(k["name"] for k in d["kernels"] if k["standard"]))' >standard
	[ -s standard ]
	diff standard measured
}

@test "without a pattern every kernel is measured that is no extra" {
	points | cut -d/ -f1 | sort -u >measured
	"$LOCKSCALE" list --json >list.json
	json list.json '"\n".join(sorted(k["name"] for k in d["kernels"] if not k["extra"]))' >all
	diff all measured
	[ "$(wc -l <all)" -gt "$(points --standard | cut -d/ -f1 | sort -u | wc -l)" ]
}

@test "a kernel with a choice of locks of its own is measured with these unless others are named" {
	"$LOCKSCALE" list --json >list.json
	json list.json '"\n".join(sorted(k["locks"] for k in d["kernels"] if k["name"] == "queue"))' |
		tr ' ' '\n' | sort >own
	[ "$(wc -l <own)" -ge 2 ]
	for chosen in "" queue 'queue/global-lock' 'queue/*'; do
		# shellcheck disable=SC2086 # none or one
		points --threads 1 $chosen | grep '^queue/global-lock/' | cut -d/ -f3 | sort >measured
		diff own measured
	done
	points queue/global-lock/hemlock | grep -q '^queue/global-lock/hemlock/'
	points queue --locks hemlock | grep -q '^queue/global-lock/hemlock/'
	[ "$(points 'queue/global-lock/*' | cut -d/ -f3 | sort -u | wc -l)" -gt 20 ]
	[ "$(points queue --locks all | cut -d/ -f3 | sort -u | wc -l)" -gt 20 ]
}

@test "a list of values measures the kernel once for each, and once for each combination" {
	points --param bank.accounts=16,1024 --param bank.theta=0,1 bank/lock-free --threads 1 |
		grep /lock-free/ | cut -d/ -f1 >names
	printf 'bank@accounts=%s\n' 16,theta=0 16,theta=1 1024,theta=0 1024,theta=1 | diff - names
	# without a pattern only that kernel
	[ "$(points --param bank.accounts=16,1024 | cut -d/ -f1 | cut -d@ -f1 | sort -u | xargs)" = \
		"bank control" ]
}

@test "what a list measures is under its name in every table" {
	"$LOCKSCALE" run "${SHORT[@]}" --threads 1 --param bank.accounts=16,1024 bank/lock-free \
		--quiet --output "$dir"
	for name in 'bank@accounts=16' 'bank@accounts=1024'; do
		grep -q "^$name	lock-free	" "$dir/speedup.tsv"
		grep -q "^$name	lock-free	" "$dir/operations.tsv"
	done
}

@test "a wrong value in a list is refused, and what cannot be part of a name" {
	run -2 --separate-stderr "$LOCKSCALE" run --dry-run --param bank.accounts=16,1
	has "$stderr" "bank.accounts=1:" "2..65535"
	run -2 --separate-stderr "$LOCKSCALE" run --dry-run --param bank.colour=red,blue
	has "$stderr" "bank.colour" "bank.accounts"
	run -2 --separate-stderr "$LOCKSCALE" run --dry-run --param hashmap.mix=90/9/1,50/25/25
	has "$stderr" "part of the kernel's name"
}

@test "operations that had nothing to do are shown apart and are no throughput" {
	"$LOCKSCALE" run --window-ms 20 --processes 1 --samples 1 --threads 1,2 --quiet \
		hashmap/lock-free counter/lock-free --param hashmap.mix=0/50/50 --output "$dir"
	[ "$(column failed_per_second ^counter/lock-free | sort -u)" = 0 ]
	# half of all keys are present: half of the insertions and removals have nothing to do
	[ "$(column failed_share ^hashmap/lock-free | awk '$1 > 0.3 && $1 < 0.7' | wc -l)" -eq 2 ]
	is "$dir/journal.jsonl" 'all(x["failed_per_second"] > 0 for x in s if x["kernel"] == "hashmap")'
	is "$dir/benchmark.json" \
		'all(x["failed_per_second"] > 0 for x in d["benchmarks"] if x["kernel"] == "hashmap" and x["run_type"] == "iteration")'
	grep -q 'tries had nothing to do' "$dir/verdict.txt"
}

@test "a structure's memory is shown, and more keys take more of it" {
	"$LOCKSCALE" run "${SHORT[@]}" --threads 1 --quiet --output "$dir" \
		hashmap/lock-free --param hashmap.keys=1024,65536
	small=$(column memory_bytes '^hashmap@keys=1024/lock-free')
	large=$(column memory_bytes '^hashmap@keys=65536/lock-free')
	awk -v a="$small" -v b="$large" 'BEGIN { exit !(a > 1024 * 16 && b > 8 * a) }'
}

@test "of a structure --latency tells how long an operation takes, with a lock or without" {
	"$LOCKSCALE" run "${SHORT[@]}" --threads 1 --latency --quiet --output "$dir" \
		stack/lock-free stack/global-lock/ttas counter/global-lock/ttas
	awk -F '\t' 'NR > 1 { print $1 "/" $2 "/" $3, $NF, ($6 > 0 && $7 <= $8 && $8 <= $10) }' \
		"$dir/latency.tsv" | sort >told
	printf '%s\n' 'counter/global-lock/ttas acquire 1' 'stack/global-lock/ttas operation 1' \
		'stack/lock-free/- operation 1' 'stack/sequential/- operation 1' | diff - told
}

@test "every scheme of reclamation is accepted by every lock-free structure" {
	for kernel in hashmap queue stack set skiplist pqueue; do
		"$LOCKSCALE" list --json >list.json
		schemes=$(json list.json '"".join(p["accepts"] for k in d["kernels"] if k["name"] == "'$kernel'" for p in k["params"] if p["name"] == "reclamation")')
		has "$schemes" epoch hazard qsbr
		points --param "$kernel.reclamation=${schemes//|/,}" --threads 1 "$kernel/lock-free" >planned
		[ "$(grep -c '/lock-free/' planned)" -eq "$(tr '|' '\n' <<<"$schemes" | wc -l)" ]
	done
	run -2 --separate-stderr "$LOCKSCALE" run --dry-run --param hashmap.reclamation=garbage
	has "$stderr" garbage epoch hazard qsbr
}
