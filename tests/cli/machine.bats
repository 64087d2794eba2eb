#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Claims about `lockscale machine` as a user meets it. $LOCKSCALE is the program.
# shellcheck disable=SC2030,SC2031 # each test is a subshell, on purpose

bats_require_minimum_version 1.5.0

setup() {
	lockscale=${LOCKSCALE:-build/lockscale}
	server='pack:2 numa:2 l3:1 core:2 pu:2'
}

machine() {
	"$lockscale" machine "$@"
}

# value KEY: the value of a top-level key; the JSON has one line a key.
value() {
	printf '%s\n' "$output" | sed -n 's/^  "'"$1"'": \(.*[^,]\),\{0,1\}$/\1/p'
}

@test "this machine is described, with the order of every placement" {
	run -0 --separate-stderr machine
	[ -z "$stderr" ]
	for word in Machine Allowed Caches compact spread smt none Warnings 'worker counts'; do
		[[ $output == *"$word"* ]]
	done
}

@test "JSON has all keys, one a line, and no trailing text" {
	run -0 --separate-stderr machine --json
	[ "${lines[0]}" = '{' ]
	[ "${lines[-1]}" = '}' ]
	for key in packages numa_nodes cores pus allowed_pus allowed_cores kinds; do
		[[ $(value $key) =~ ^[0-9]+$ ]]
	done
	for key in cpu caches placements boundaries counts warnings; do
		[ -n "$(value $key)" ]
	done
	[ "$(value this_machine)" = true ]
}

@test "a synthetic server is counted and ordered" {
	run -0 --separate-stderr machine --json --topology "$server"
	[ -z "$stderr" ]
	[ "$(value packages)" = 2 ]
	[ "$(value numa_nodes)" = 4 ]
	[ "$(value cores)" = 8 ]
	[ "$(value pus)" = 16 ]
	[ "$(value allowed_pus)" = 16 ]
	[[ $(value placements) == *'"compact": [0, 2, 4, 6, 8, 10, 12, 14, 1, 3,'* ]]
	[[ $(value placements) == *'"spread": [0, 8, 4, 12, 2, 10, 6, 14, 1, 9,'* ]]
	[[ $(value placements) == *'"smt": [0, 1, 2, 3, 4,'* ]]
	[[ $(value boundaries) == *'{"after": 4, "what": "package 2"}'* ]]
	[[ $(value counts) == *'"compact": [1, 2, 3, 4, 5, 6, 7, 8, 9, 16]'* ]]
}

@test "text compresses ranges and names boundaries" {
	run -0 machine --topology "$server"
	[[ $output == *'compact     0-14:2 1-15:2'* ]]
	[[ $output == *'NUMA node 2 after 2, package 2 after 4, NUMA node 4 after 6, SMT after 8'* ]]
	[[ $output == *'SMT siblings are in the set'* ]]
}

@test "another machine gets no warning about this system" {
	run -0 --separate-stderr machine --json --topology 'pack:1 core:2 pu:1'
	[ "$(value warnings)" = '[]' ]
	[ "$(value this_machine)" = false ]
}

@test "an XML file is read back as it was written" {
	command -v lstopo-no-graphics >/dev/null || skip "lstopo-no-graphics is not installed"
	xml=$BATS_TEST_TMPDIR/machine.xml
	lstopo-no-graphics --input "$server" --of xml "$xml"
	run -0 --separate-stderr machine --json --topology "$server"
	placements=$(value placements)
	run -0 --separate-stderr machine --json --topology "$xml"
	[ "$(value placements)" = "$placements" ]
}

@test "a file wins over a description of the same name" {
	cd "$BATS_TEST_TMPDIR"
	case $lockscale in
	/*) ;;
	*) lockscale=$OLDPWD/$lockscale ;;
	esac
	echo rubbish >'core:2'
	run -2 --separate-stderr machine --topology 'core:2'
	[[ $stderr == *"'core:2' is not an hwloc XML file"* ]]
}

refused() {
	run -2 --separate-stderr machine --topology "$1"
	[ -z "$output" ]
	[[ $stderr == *"$1"* ]]
	[[ $stderr == *"$2"* ]]
}

@test "wrong topologies exit 2, naming the value and what is accepted" {
	refused 'pack:0 core:2' "such as 'pack:2 numa:2 l3:1 core:16 pu:2'"
	refused 'nonsense' 'give an hwloc XML file'
	refused "$BATS_TEST_TMPDIR" 'is a directory'
	refused "$BATS_TEST_TMPDIR/absent.xml" 'No such file'
	refused 'pack:99999 core:99999' 'more than'
	: >"$BATS_TEST_TMPDIR/empty.xml"
	refused "$BATS_TEST_TMPDIR/empty.xml" 'empty file'
	head -c 4096 /dev/urandom >"$BATS_TEST_TMPDIR/garbage.xml"
	refused "$BATS_TEST_TMPDIR/garbage.xml" 'not an hwloc XML file'
}

@test "an unreadable file exits 2 and says why" {
	[ "$(id -u)" != 0 ] || skip "root reads everything"
	: >"$BATS_TEST_TMPDIR/secret.xml"
	chmod 000 "$BATS_TEST_TMPDIR/secret.xml"
	refused "$BATS_TEST_TMPDIR/secret.xml" 'Permission denied'
}

@test "a file in the format of hwloc 3 exits 2 and says how to convert it" {
	printf '<topology version="3.0"><object type="Machine"/></topology>' \
		>"$BATS_TEST_TMPDIR/new.xml"
	refused "$BATS_TEST_TMPDIR/new.xml" 'format of hwloc 3'
	[[ $stderr == *'--export-xml-flags v2'* ]]
}

@test "wrong usage exits 2" {
	run -2 --separate-stderr machine --nonsense
	run -2 --separate-stderr machine surplus
	[[ $stderr == *"'surplus'"* ]]
	run -2 --separate-stderr machine --probe --topology "$server"
	[[ $stderr == *'--probe'* ]]
	[ -z "$output" ]
}

@test "help names every option and exits 0" {
	run -0 machine --help
	for option in --topology --json --probe --latency; do
		[[ $output == *"$option"* ]]
	done
}

@test "taskset limits the allowed PUs, and a warning says so" {
	command -v taskset >/dev/null || skip "taskset is not installed"
	run -0 --separate-stderr machine --json
	[ "$(value allowed_pus)" -gt 1 ] || skip "only one PU is allowed here"
	pus=$(value pus)
	last=$(value placements | sed 's/.*"compact": \[\([^]]*\)\].*/\1/; s/.*, //')
	run -0 --separate-stderr taskset -c "$last" "$lockscale" machine --json
	[ "$(value allowed_pus)" = 1 ]
	[ "$(value allowed_cores)" = 1 ]
	[ "$(value pus)" = "$pus" ]
	[[ $(value placements) == *"\"compact\": [$last], \"spread\": [$last], \"smt\": [$last]"* ]]
	[[ $(value warnings) == *"only 1 of $pus PUs are allowed"* ]]
}

@test "the probe reports siblings, contradictions and its noise" {
	run -0 --separate-stderr machine --json --probe
	for key in rounds noise threshold siblings undecided contradictions; do
		[[ $(value probe) == *"\"$key\": "* ]]
	done
	run -0 --separate-stderr machine --probe
	[[ $output == *'SMT probe'* ]]
}

@test "the latency of every pair of PUs is printed, and is positive" {
	run -0 --separate-stderr machine --json
	pus=$(value allowed_pus)
	[ "$pus" -gt 1 ] || skip "only one PU is allowed here"
	run -0 --separate-stderr machine --json --latency
	[ -z "$stderr" ]
	pairs=$(value core_to_core | grep -o '"one_way_ns": [0-9.]*' | wc -l)
	[ "$pus" -gt 64 ] || [ "$pairs" = $((pus * (pus - 1) / 2)) ]
	[[ $(value core_to_core) != *'"one_way_ns": 0.0,'* ]]
	run -0 --separate-stderr machine --latency
	[[ $output == *'Core to core'* ]]
	# the matrix: a row for each PU, and nothing on its diagonal
	[ "$pus" -gt 16 ] || [ "$(sed -n '/^Core to core/,$p' <<<"$output" | grep -c ' -\( \|$\)')" = "$pus" ]
}

@test "latency needs two PUs of this machine, and says so" {
	run -2 --separate-stderr machine --latency --topology 'core:2'
	[[ $stderr == *'--latency'* ]]
	command -v taskset >/dev/null || skip "taskset is not installed"
	first=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
	run -1 --separate-stderr taskset -c "$first" "$lockscale" machine --latency
	[ -z "$output" ]
	[[ $stderr == *'only one PU is allowed'* ]]
}

@test "a full disk is an error, not silence" {
	[ -w /dev/full ] || skip "there is no /dev/full"
	run sh -c '"$1" machine >/dev/full' sh "$lockscale"
	[ "$status" -eq 1 ]
	[[ $output == *'cannot write the output'* ]]
}
