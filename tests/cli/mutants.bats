#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# scripts/test-mutants, on mutants of one lock, two structures and a byte lock: whoever can notice one does, and one that
# cannot be noticed is not called caught. And the explorer on the locks broken on purpose.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` sets more

bats_require_minimum_version 1.5.0
load common

# mutant WHAT: its script on stdin.
mutant()
{
	mkdir -p "$BATS_TEST_TMPDIR/mutants/ticket"
	cat >"$BATS_TEST_TMPDIR/mutants/ticket/$1.sed"
}

test_mutants()
{
	run "$ROOT/scripts/test-mutants" -d "$BATS_TEST_TMPDIR/mutants" "$@"
	echo "$output"
}

# explores STATUS ARGUMENT...: among the twins.
explores()
{
	[ -x "$BUILD_DIR/twins/tests/explore/explore" ] || {
		echo "$BUILD_DIR/twins/tests/explore/explore is missing: make twins"
		return 1
	}
	run "-$1" "$BUILD_DIR/twins/tests/explore/explore" "${@:2}"
	echo "$output"
}

@test "mutants are caught by the explorer or by ThreadSanitizer, and what cannot be is not" {
	mutant drawn-twice <<-'EOF'
		# two workers may draw the same ticket
		s/fetch_add\(&l->next, 1, relaxed\)/load(\&l->next, relaxed); store(\&l->next, mine + 1, relaxed)/
	EOF
	mutant publishes-nothing <<-'EOF'
		# the next owner may miss this one's writes
		s/(load\(&l->serving, relaxed\) \+ 1), release/\1, relaxed/
	EOF
	mutant equivalent <<-'EOF'
		# changes a comment
		s/Ticket lock/A ticket lock/
	EOF
	mutant unchanged <<-'EOF'
		# finds nothing to change
		s/no such text/x/
	EOF
	mutant broken-text <<-'EOF'
		# does not compile
		s/atomic_uint next/atomic_uint nxt/
	EOF
	test_mutants
	[ "$status" = 1 ]
	grep -qx 'ticket  *drawn-twice  *explorer' <<<"$output"
	grep -qx 'ticket  *publishes-nothing  *ThreadSanitizer' <<<"$output"
	grep -qx 'ticket  *equivalent  *NOT CAUGHT' <<<"$output"
	grep -qx 'ticket  *unchanged  *ERROR: changes nothing' <<<"$output"
	grep -qx 'ticket  *broken-text  *ERROR: does not compile' <<<"$output"
	[ "${lines[-1]}" = 'mutants: 2/5 caught' ]
	test_mutants ticket/drawn-twice
	[ "$status" = 0 ]
	[ "${lines[-1]}" = 'mutants: 1/1 caught' ]
}

@test "every mutant of the tree belongs to a header, says what is wrong and changes it" {
	for file in "$ROOT"/tests/mutants/*/*.sed; do
		[ -f "$file" ] || continue
		name=$(basename "$(dirname "$file")")
		header=$ROOT/kernels/locks/$name.h
		[ -f "$header" ] || header=$ROOT/kernels/structures/$name.h
		[ -f "$header" ] || header=$ROOT/kernels/interpreter/$name.h
		head -n 1 "$file" | grep -q '^# .' || {
			echo "$file: no comment in its first line"
			return 1
		}
		! sed -E -f "$file" "$header" | cmp -s - "$header" || {
			echo "$file: changes nothing"
			return 1
		}
	done
}

@test "nonsense exits 2" {
	test_mutants -x
	[ "$status" = 2 ]
	test_mutants -j 0
	[ "$status" = 2 ]
	mkdir -p "$BATS_TEST_TMPDIR/mutants"
	test_mutants nothing
	[ "$status" = 2 ]
}

@test "the explorer sees two owners, and its schedule shows them again" {
	explores 1 --lock twin-two-owners --scenario pair
	has "$output" 'not ok 1 - twin-two-owners pair' 'are inside together'
	schedule=$(sed -n 's/^# schedule //p' <<<"$output")
	explores 1 --lock twin-two-owners --scenario pair --schedule "$schedule"
	has "$output" 'twin-two-owners.h:' 'wrong: workers'
	[[ ${lines[-1]} == *'are inside together' ]]
}

@test "the explorer sees a lost wake-up, and says who sleeps where" {
	explores 1 --lock twin-lost-wakeup --scenario pair
	has "$output" 'nobody can go on' 'twin-lost-wakeup.h:' 'sem_wait'
}

@test "the explorer does not see weak memory: the twin without release is ThreadSanitizer's" {
	explores 0 --lock twin-no-release
	lacks "$output" 'not ok'
}

@test "a schedule that cannot be followed exits 2" {
	explores 2 --lock twin-two-owners --scenario pair --schedule m2b
	explores 2 --lock twin-two-owners --scenario pair --schedule '?'
	explores 2 --lock no-such-lock
	explores 2 --schedule m
}

@test "a structure's mutant is caught by the explorer: memory used after it was freed, ABA" {
	mkdir -p "$BATS_TEST_TMPDIR/mutants/stack_tagged" "$BATS_TEST_TMPDIR/mutants/stack_treiber"
	cp "$ROOT/tests/mutants/stack_tagged/no-tag.sed" "$BATS_TEST_TMPDIR/mutants/stack_tagged"
	cp "$ROOT/tests/mutants/stack_treiber/left-too-soon.sed" "$BATS_TEST_TMPDIR/mutants/stack_treiber"
	test_mutants
	[ "$status" = 0 ]
	grep -qx 'stack_tagged  *no-tag  *explorer' <<<"$output"
	grep -qx 'stack_treiber  *left-too-soon  *explorer' <<<"$output"
	[ "${lines[-1]}" = 'mutants: 2/2 caught' ]
}

@test "a mutant of an interpreter's objects is caught by the explorer" {
	mkdir -p "$BATS_TEST_TMPDIR/mutants/byte_lock"
	cp "$ROOT/tests/mutants/byte_lock/does-not-wait.sed" "$BATS_TEST_TMPDIR/mutants/byte_lock"
	test_mutants
	[ "$status" = 0 ]
	grep -qx 'byte_lock  *does-not-wait  *explorer' <<<"$output"
}
