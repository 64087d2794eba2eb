#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale run: what it measures, what it writes where, and what it refuses.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` and `start` set more

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

# measure ARGUMENT...: a short run into $dir that must succeed.
measure()
{
	run -0 --separate-stderr "$LOCKSCALE" run "${SHORT[@]}" --output "$dir" "$@"
}

# refused STATUS WORD... -- ARGUMENT...: ends with the status, nothing on stdout, each WORD on
# stderr, and without a result.
refused()
{
	local status_expected=$1 words=()
	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	run "-$status_expected" --separate-stderr "$LOCKSCALE" run --output "$dir" "$@"
	[ -z "$output" ]
	has "$stderr" "${words[@]}"
	[ ! -e "$dir" ]
}

@test "a run leaves results, machine, journal, table and verdict, and exits 0" {
	measure counter/lock-free --threads 1
	for file in benchmark.json machine.xml journal.jsonl speedup.tsv verdict.txt; do
		[ -s "$dir/$file" ]
	done
	# and nothing half-written
	[ -z "$(find "$dir" -name '*.tmp')" ]
	is "$dir/benchmark.json" 'set(d) >= {"context", "benchmarks"}'
	run -0 "$LOCKSCALE" machine --topology "$dir/machine.xml"
	# what the terminal showed is what the file says
	[ "$(head -n 1 "$dir/verdict.txt")" = "$("$LOCKSCALE" report --no-charts "$dir" | head -n 1)" ]
}

@test "the verdict goes to stdout, progress and warnings go to stderr" {
	measure counter/lock-free --threads 1
	has "$output" 'counter' 'sequential'
	lacks "$output" 'warning:' ' left ' 'seed'
	has "$stderr" 'points x 1 samples' 'seed' "$dir"
}

@test "--quiet leaves stderr empty" {
	measure counter/lock-free --threads 1 --quiet
	[ -z "$stderr" ]
	[ -n "$output" ]
}

@test "without a terminal progress is plain lines" {
	measure counter/lock-free --threads 1
	lacks "$stderr" $'\r' $'\e'
}

@test "by default each point is measured 5 times in each of 3 fresh processes" {
	run -0 "$LOCKSCALE" run counter/lock-free --window-ms 1 --threads 1 --output "$dir"
	is "$dir/journal.jsonl" 'set(Counter(map(point, s)).values()) == {15}'
	is "$dir/journal.jsonl" 'set(x["process"] for x in s) == {0, 1, 2}'
	is "$dir/journal.jsonl" 'max(Counter(map(visit, s)).values()) == 1'
	is "$dir/benchmark.json" 'sum(x["run_type"] == "iteration" for x in d["benchmarks"]) == 3 * 15 + 15'
}

@test "control is measured at every worker count and sequential at one" {
	need_two_pus
	measure counter/lock-free --threads 1,2
	is "$dir/journal.jsonl" '{"control/private/compact/1", "control/private/compact/2",
		"control/sequential/compact/1", "counter/sequential/compact/1",
		"counter/lock-free/compact/1", "counter/lock-free/compact/2"} == set(map(point, s))'
}

@test "a sample's numbers fit together" {
	need_two_pus
	measure counter histogram/private mandelbrot/private --threads 1,2 --window-ms 5 \
		--param mandelbrot.height=16
	is "$dir/journal.jsonl" 'all(len(x["worker_ops"]) == len(x["worker_ns"]) == x["threads"] for x in s)'
	is "$dir/journal.jsonl" 'all(x["ops_min"] == min(x["worker_ops"]) and
		x["ops_max"] == max(x["worker_ops"]) for x in s)'
	# throughput: the sum of the workers own rates; makespan: all the work in the longest time
	is "$dir/journal.jsonl" 'all(abs(x["ops_per_second"] /
		sum(o / n * 1e9 for o, n in zip(x["worker_ops"], x["worker_ns"])) - 1) < 1e-6
		for x in s if x["kernel"] != "mandelbrot")'
	is "$dir/journal.jsonl" 'all(sum(x["worker_ops"]) == 16 and abs(x["ops_per_second"] /
		(16 / max(x["worker_ns"]) * 1e9) - 1) < 1e-6 for x in s if x["kernel"] == "mandelbrot")'
	is "$dir/journal.jsonl" 'all(x["seconds"] > 0 and x["start_skew_ns"] >= 0 and
		1 <= x["tries"] <= 4 and x["foreign_ns"] >= 0 for x in s)'
	is "$dir/journal.jsonl" 'all(x["line_ns"] == 0 and x["start_skew_ns"] == 0 for x in s if x["threads"] == 1)'
	is "$dir/journal.jsonl" 'all(x["lost_updates"] == 0 for x in s if x["strategy"] != "unsynchronized")'
	# the window asked for; a worker held up at the start has less of it
	is "$dir/journal.jsonl" 'sorted(x["seconds"] for x in s if x["kernel"] == "counter")[len(s) // 3] >= 0.0045'
}

@test "unsynchronized workers lose updates, which is said and is no failure" {
	need_two_pus
	measure counter/unsynchronized --threads 2 --window-ms 20 --samples 3
	is "$dir/journal.jsonl" 'sum(x["lost_updates"] for x in s if x["strategy"] == "unsynchronized") > 0'
	has "$output" 'loses'
}

@test "a kernel's picture is kept with the results" {
	measure mandelbrot/sequential --threads 1 --param mandelbrot.width=40 --param mandelbrot.height=30
	[ "$(head -n 1 "$dir/mandelbrot.bin")" = '40 30 200' ]
	[ "$(stat -c %s "$dir/mandelbrot.bin")" = $((10 + 2 * 40 * 30)) ]
}

@test "the same seed gives the same order, another seed another" {
	local seed=7 order
	for try in same same other; do
		[ "$try" = same ] || seed=8
		run -0 "$LOCKSCALE" run 'counter/*' "${SHORT[@]}" --samples 2 --processes 2 \
			--threads 1 --seed $seed --quiet --output "$dir.$seed.$try"
		order=$(json "$dir.$seed.$try/journal.jsonl" '[visit(x) for x in s]')
		echo "$order" >>orders
		rm -r "$dir.$seed.$try"
	done
	[ "$(sed -n 1p orders)" = "$(sed -n 2p orders)" ]
	[ "$(sed -n 1p orders)" != "$(sed -n 3p orders)" ]
}

@test "the order is random within each round and rounds follow one another" {
	run -0 "$LOCKSCALE" run 'counter/*' "${SHORT[@]}" --samples 3 --threads 1 --seed 1 --quiet \
		--output "$dir"
	is "$dir/journal.jsonl" '[x["sample"] for x in s] == sorted(x["sample"] for x in s)'
	is "$dir/journal.jsonl" '(lambda r: r[0] != r[1] and sorted(r[0]) == sorted(r[1]))(
		[[point(x) for x in s if x["sample"] == k] for k in (0, 1)])'
}

@test "the journal records how the run was made" {
	measure counter/lock-free --threads 1,1 --seed 99 --param bank.accounts=2
	is "$dir/journal.jsonl" 'd[0]["type"] == "run" and d[0]["plan"]["seed"] == 99'
	is "$dir/journal.jsonl" 'd[0]["plan"]["params"] == {"bank.accounts": "2"}'
	is "$dir/benchmark.json" '{"version", "cpu", "host", "date", "kernel", "glibc", "build",
		"libraries", "command", "seed", "warnings", "allowed", "boundaries"} <= set(d["context"]["lockscale"])'
}

@test "the command line is recorded in full" {
	measure counter/lock-free --threads 1,1 --placement compact,none --locks mcs,mutex
	is "$dir/journal.jsonl" "d[0]['context']['command'][-7:] == ['counter/lock-free', '--threads', '1,1',
		'--placement', 'compact,none', '--locks', 'mcs,mutex']"
}

@test "without --output the folder is results/HOST-DATE-TIME" {
	run -0 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --threads 1
	name=$(ls results)
	[[ $name =~ ^"$(uname -n)"-[0-9]{8}-[0-9]{6}$ ]]
	has "$stderr" "results/$name"
	is "results/$name/benchmark.json" "d['context']['lockscale']['name'] == '$name'"
}

@test "a folder of several levels is made" {
	dir=$dir/a/b
	measure counter/lock-free --threads 1
	[ -s "$dir/benchmark.json" ]
}

@test "only allowed PUs are used" {
	run -0 taskset -c "$(first_pu)" "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --output "$dir"
	is "$dir/journal.jsonl" 'set(x["threads"] for x in s) == {1}'
	is "$dir/journal.jsonl" "d[0]['context']['allowed'] == [$(first_pu)]"
	run -2 --separate-stderr taskset -c "$(first_pu)" "$LOCKSCALE" run --threads 2 --output "$dir.2"
	has "$stderr" '--threads 2' 'only 1 PUs' '--oversubscribe'
}

@test "each placement asked for is measured" {
	need_two_pus
	measure counter/lock-free --threads 1,2 --placement none,compact,spread,smt
	is "$dir/journal.jsonl" 'set(Counter((x["placement"]) for x in s).items()) ==
		{(p, 6) for p in ("none", "compact", "spread", "smt")}'
	is "$dir/journal.jsonl" 'all(x["line_ns"] == 0 for x in s if x["placement"] == "none")'
}

@test "more workers than PUs are measured where asked for" {
	many=$(($(allowed_pus) + 1))
	measure counter/global-lock counter/private --threads "$many" --oversubscribe
	is "$dir/journal.jsonl" "all(x['threads'] == $many for x in s if x['strategy'] != 'sequential')"
	is "$dir/journal.jsonl" 'all(x["lost_updates"] == 0 for x in s)'
}

@test "patterns, locks and strategies choose variants" {
	measure '*/global-lock/mcs' --threads 1
	is "$dir/journal.jsonl" 'set(x["kernel"] for x in s if x["lock"] == "mcs") >=
		{"bank", "contention", "counter", "histogram", "mandelbrot"}'
	is "$dir/journal.jsonl" 'set(x["lock"] for x in s) == {"", "mcs"}'
	dir=$dir.2
	measure counter --locks ttas --strategies global-lock --threads 1
	is "$dir/journal.jsonl" 'set(map(point, s)) == {"control/sequential/compact/1",
		"control/private/compact/1", "counter/sequential/compact/1",
		"counter/global-lock/ttas/compact/1"}'
}

@test "--quick is one process of three samples" {
	run -0 "$LOCKSCALE" run counter/lock-free --quick --window-ms 2 --threads 1 --output "$dir"
	is "$dir/journal.jsonl" 'set(Counter(map(point, s)).values()) == {3}'
	is "$dir/journal.jsonl" 'set(x["process"] for x in s) == {0}'
}

@test "--full ends with at most 60 samples of a point" {
	run -0 "$LOCKSCALE" run control --full --window-ms 1 --threads 1 --output "$dir"
	is "$dir/journal.jsonl" 'all(15 <= n <= 60 for n in Counter(map(point, s)).values())'
}

@test "a file is counted by the histogram where asked for" {
	printf abc >text
	measure histogram/sequential histogram/fine-lock/mcs --threads 1 --param histogram.input=text
	is "$dir/journal.jsonl" 'all(x["lost_updates"] == 0 for x in s)'
}

@test "bad worker counts are refused with the value" {
	refused 2 '--threads 0' '1,2,4-16' -- --threads 0
	refused 2 '--threads 3-2' '1,2,4-16' -- --threads 3-2
	refused 2 '--threads x' -- --threads 1,x
	refused 2 '--threads 2x' -- --threads 2x
	refused 2 '--threads -1' -- --threads=-1
	refused 2 '--threads 1-' -- --threads 1-
	refused 2 '--threads' -- --threads=
	refused 2 '--threads 99999999999' -- --threads 99999999999
	many=$(($(allowed_pus) + 1))
	refused 2 "--threads $many" "1 to $(allowed_pus) are accepted" '--oversubscribe' -- --threads $many
}

@test "unknown names are refused with the name and where to find the right ones" {
	refused 2 "'sideways'" compact spread smt none -- --placement sideways
	refused 2 'msc' 'lockscale list' -- --locks mcs,msc
	refused 2 'lockfree' 'lockscale list' -- --strategies lockfree
	refused 2 "'conter'" 'KERNEL/STRATEGY' 'lockscale list' -- conter
	refused 2 "'counter/*/nothing'" 'lockscale list' -- 'counter/*/nothing'
	refused 2 'bank.colour' 'bank.accounts' 'bank.theta' -- --param bank.colour=red
	refused 2 'bnak.accounts' 'bank.accounts' -- --param bnak.accounts=2
	refused 2 '--frobnicate' '--help' -- --frobnicate
}

@test "bad numbers are refused with the value and the range" {
	refused 2 '--window-ms 0' '1 to 60000' -- --window-ms 0
	refused 2 '--window-ms 5x' '1 to 60000' -- --window-ms 5x
	refused 2 '--window-ms nan' '1 to 60000' -- --window-ms nan
	refused 2 '--samples 0' '1 to 10000' -- --samples 0
	refused 2 '--samples 2.5' 'whole' -- --samples 2.5
	refused 2 '--processes 0' '1 to 1000' -- --processes 0
	refused 2 '--seed -1' 'from 0' -- --seed=-1
	refused 2 '--watchdog 0' 'from 1' -- --watchdog 0
	refused 2 'bank.accounts=1' '2..65535' -- --param bank.accounts=1
	refused 2 'mandelbrot.width=' '16..16384' -- --param mandelbrot.width=
}

@test "an input that cannot be read is refused before anything is measured" {
	refused 2 '/no/such/file' 'No such file' -- --param histogram.input=/no/such/file
	: >empty
	refused 2 'empty' 'nothing to count' -- --param histogram.input=empty
}

@test "options that exclude each other are refused" {
	refused 2 '--quick' '--full' -- --quick --full
	refused 2 '--topology' '--dry-run' -- --topology 'pack:1 core:2 pu:1'
}

@test "a folder that holds a run already is left alone" {
	measure counter/lock-free --threads 1
	cp "$dir/journal.jsonl" before
	run -2 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --output "$dir"
	has "$stderr" "$dir" '--resume' '--output'
	cmp before "$dir/journal.jsonl"
}

@test "a folder that cannot be made is an error that says what to do" {
	: >file
	run -1 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --output file/result
	has "$stderr" 'file/result' 'Not a directory' '--output DIR'
	run -1 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --output file
	has "$stderr" 'file' 'Not a directory'
	run -2 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --output ''
	has "$stderr" "--output ''"
}

@test "a read-only file system is an error that says what to do" {
	mount_small "$PWD/disk" size=64k
	mkdir disk/exists
	mount -o remount,ro disk
	run -1 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}" --output disk/exists
	has "$stderr" 'disk/exists' 'Read-only' '--output DIR'
	cd disk
	run -1 --separate-stderr "$LOCKSCALE" run counter/lock-free "${SHORT[@]}"
	has "$stderr" 'results/' 'Read-only' '--output DIR'
}

@test "a closed stdout is an error and the results are kept" {
	run -1 sh -c "'$LOCKSCALE' run counter/lock-free ${SHORT[*]} --threads 1 --quiet --output '$dir' >/dev/full"
	[ -s "$dir/benchmark.json" ]
}

@test "--dry-run measures nothing and lists every point" {
	run -0 --separate-stderr "$LOCKSCALE" run counter/lock-free --threads 1 --dry-run
	[ "${#lines[@]}" = 4 ]
	has "$output" 'counter/lock-free/placement:compact/threads:1' 'control/sequential/placement:compact/threads:1'
	has "$stderr" '4 points x 15 samples'
	[ ! -e results ]
}

# planned ARGUMENT...: the variants that a dry run lists, into the file `planned`.
planned()
{
	"$LOCKSCALE" run --dry-run --threads 1 "$@" 2>/dev/null | sed 's|/placement:.*||' | sort >planned
}

@test "a run that names nothing measures the standard locks, or the kernel's own, and all that has no lock" {
	"$LOCKSCALE" list --json >list.json
	standard='(not v["lock"] or v["lock"] in k["locks"].split() if k["locks"] else not v["lock"] or any(x["name"] == v["lock"] and x["standard"] and
		(k["reads"] or not x["family"].startswith("reader")) for x in d["locks"]))'
	json list.json "'\n'.join(v['name'] for k in d['kernels'] if not k['extra']
		for v in k['variants'] if $standard)" | sort >expected
	planned
	diff planned expected
	has "$(cat planned)" counter/sequential counter/unsynchronized counter/lock-free counter/private
}

@test "--locks all, a pattern and --strategies measure every lock" {
	"$LOCKSCALE" list --json >list.json
	every='"\n".join(v["name"] for k in d["kernels"] if not k["extra"] for v in k["variants"] if'
	planned --locks all
	diff planned <(json list.json "$every True)" | sort)
	planned --locks all --strategies global-lock
	diff <(grep global-lock planned) <(json list.json "$every v['strategy'] == 'global-lock')" | sort)
	planned --strategies global-lock
	diff <(grep global-lock planned) <(json list.json "$every v['strategy'] == 'global-lock' and
		(not k['locks'] or v['lock'] in k['locks'].split()))" | sort)
	planned counter
	diff <(grep counter planned) <(json list.json "$every k['name'] == 'counter')" | sort)
	planned counter --locks tas,all
	diff <(grep counter planned) <(json list.json "$every k['name'] == 'counter')" | sort)
}

@test "a dry run plans for a machine of 448 PUs in little memory" {
	"$PYTHON" - "$LOCKSCALE" >plan <<'END'
import resource, subprocess, sys
plan = subprocess.run([sys.argv[1], 'run', '--dry-run', '--topology', 'pack:8 core:28 pu:2'],
                      check=True, capture_output=True, text=True).stdout
print(plan)
print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >= 64 * 1024)
END
	for count in 1 2 28 224 225 448; do
		grep -qx "counter/lock-free/placement:compact/threads:$count" plan
		grep -qx "control/private/placement:compact/threads:$count" plan
	done
	run -1 grep -q 'threads:449' plan
}

@test "worker counts given twice are all measured" {
	run -0 --separate-stderr "$LOCKSCALE" run control/private --dry-run --oversubscribe --threads 2 --threads 1
	lacks "$output" 'threads:0'
	has "$output" 'control/private/placement:compact/threads:1'
}

@test "a range of worker counts is taken in full or refused" {
	run --separate-stderr "$LOCKSCALE" run control/private --dry-run --oversubscribe \
		--topology 'pack:8 core:28 pu:2' --threads 1-2000
	if [ "$status" = 0 ]; then
		has "$output" 'control/private/placement:compact/threads:2000'
	else
		[ "$status" = 2 ]
		has "$stderr" '1-2000'
	fi
}

@test "a bad topology is refused with the value" {
	run -2 --separate-stderr "$LOCKSCALE" run --dry-run --topology nonsense
	has "$stderr" nonsense
}

@test "a full run gives a baseline as many samples as the points that rest on it" {
	"$LOCKSCALE" run counter/lock-free --threads 1 --full --window-ms 1 --quiet --output "$dir" >/dev/null
	is "$dir/journal.jsonl" '(lambda n: n("sequential") == max(n("sequential"), n("lock-free")) > 0)(
		lambda strategy: sum(x["kernel"] == "counter" and x["strategy"] == strategy for x in s))'
	is "$dir/journal.jsonl" 'len(s) <= 4 * 60'
}
