#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# scripts/run-tests against broken twins: whatever goes wrong in a suite is counted.

setup()
{
	# A house of its own: the script finds tests/cli beside itself.
	house=$BATS_TEST_TMPDIR/house
	build=$house/build
	mkdir -p "$house/scripts" "$house/tests/cli" "$build/tests/unit" "$build/tests/stress"
	cp "$BATS_TEST_DIRNAME/../../scripts/run-tests" "$house/scripts/"
}

# Writes the suite $1 (unit/test_x) with the shell commands on stdin.
suite()
{
	mkdir -p "$build/$(dirname "$1" | sed 's,\(unit\|stress\)$,tests/\1,')"
	local file
	file=$build/$(dirname "$1" | sed 's,\(unit\|stress\)$,tests/\1,')/$(basename "$1")
	{ echo '#!/bin/sh'; cat; } >"$file"
	chmod +x "$file"
}

good_suite()
{
	suite "${1-unit/test_good}" <<-'EOF'
		echo 1..2
		echo ok 1 - first
		echo ok 2 - second
	EOF
}

# Waits until the process $1 runs no more; where nobody reaps orphans it stays a zombie.
gone()
{
	for _ in $(seq 100); do
		grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status" || return 0
		sleep 0.05
	done
	return 1
}

run_tests()
{
	run "$house/scripts/run-tests" "$@"
	last=${lines[${#lines[@]} - 1]}
	echo "$output"
}

@test "passed tests are counted and exit 0" {
	good_suite
	good_suite stress/test_more
	run_tests "$build"
	[ "$status" -eq 0 ]
	[ "$last" = "4 passed, 0 failed" ]
}

@test "output of passed tests is not shown" {
	suite unit/test_noisy <<-'EOF'
		echo 1..1
		echo chatter
		echo "ok 1 - fine"
	EOF
	run_tests "$build"
	[ "$status" -eq 0 ]
	[[ "$output" != *chatter* ]]
	run_tests -v "$build"
	[[ "$output" == *chatter* ]]
}

@test "a suite that crashes half way fails for each test it did not run" {
	suite unit/test_twin <<-'EOF'
		echo 1..3
		echo ok 1 - first
		echo about to die >&2
		kill -SEGV $$
	EOF
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "1 passed, 2 failed" ]
	[[ "$output" == *"planned 3 tests and ran 1, died by signal 11"* ]]
	[[ "$output" == *"about to die"* ]]
}

@test "a suite that hangs is stopped, with its children, and named" {
	suite unit/test_twin <<-'EOF'
		echo 1..2
		echo ok 1 - first
		sh -c 'echo $$ >child; exec sleep 60'
	EOF
	good_suite stress/test_after
	run_tests -t 1 "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "3 passed, 1 failed" ]
	[[ "$output" == *"unit/test_twin: planned 2 tests and ran 1, hung: stopped after 1 s"* ]]
	gone "$(cat "$house/child")"
}

@test "a suite that hangs after its last test fails" {
	suite unit/test_twin <<-'EOF'
		echo 1..1
		echo ok 1 - first
		exec sleep 60
	EOF
	run_tests -t 1 "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "1 passed, 1 failed" ]
}

@test "a suite that prints a plan but no tests fails" {
	suite unit/test_twin <<<'echo 1..2'
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "0 passed, 2 failed" ]
}

@test "a suite that asserts nothing fails" {
	good_suite
	suite unit/test_twin <<<'echo 1..0'
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "2 passed, 1 failed" ]
	[[ "$output" == *"unit/test_twin: asserts nothing"* ]]
}

@test "a suite without output fails" {
	good_suite
	suite unit/test_twin <<<'exit 0'
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "2 passed, 1 failed" ]
	[[ "$output" == *"printed no TAP plan"* ]]
}

@test "results without a plan fail" {
	suite unit/test_twin <<<'echo ok 1 - first'
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "1 passed, 1 failed" ]
}

@test "a failed last test is seen, with its diagnostics" {
	suite unit/test_twin <<-'EOF'
		echo 1..2
		echo quiet please
		echo ok 1 - first
		echo what the test printed
		echo not ok 2 - last
		echo "# twin.c:12: 1 != 2"
		exit 1
	EOF
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "1 passed, 1 failed" ]
	[[ "$output" == *"what the test printed"* ]]
	[[ "$output" == *"twin.c:12: 1 != 2"* ]]
	[[ "$output" == *"unit/test_twin: last"* ]]
	[[ "$output" != *"quiet please"* ]]
}

@test "a failure is seen when the suite exits 0 all the same" {
	suite unit/test_twin <<-'EOF'
		echo 1..1
		echo not ok 1 - last
	EOF
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "0 passed, 1 failed" ]
}

@test "a suite that dies after its last test fails, as with a leak found at exit" {
	suite unit/test_twin <<-'EOF'
		echo 1..1
		echo ok 1 - first
		echo leak of 16 bytes >&2
		exit 23
	EOF
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "1 passed, 1 failed" ]
	[[ "$output" == *"exit status 23"* ]]
	[[ "$output" == *"leak of 16 bytes"* ]]
}

@test "more results than planned fail" {
	suite unit/test_twin <<-'EOF'
		echo 1..1
		echo ok 1 - first
		echo ok 2 - second
	EOF
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "2 passed, 1 failed" ]
}

@test "skipped tests are named with their reason and counted apart" {
	suite unit/test_some <<-'EOF'
		echo 1..3
		echo ok 1 - first
		echo "ok 2 - second # SKIP one core only"
		echo one package only
		echo "not ok 3 # SKIP third"
	EOF
	run_tests "$build"
	[ "$status" -eq 0 ]
	[ "$last" = "1 passed, 0 failed, 2 skipped" ]
	[[ "$output" == *"skipped: second: one core only"* ]]
	[[ "$output" == *"skipped: third: one package only"* ]]
}

@test "nothing but skipped tests is no success" {
	suite unit/test_some <<-'EOF'
		echo 1..1
		echo "ok 1 - first # SKIP no machine"
	EOF
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "0 passed, 0 failed, 1 skipped" ]
}

@test "a program that cannot be started fails" {
	good_suite
	echo '#!/nonexistent/interpreter' >"$build/tests/unit/test_twin"
	chmod +x "$build/tests/unit/test_twin"
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "2 passed, 1 failed" ]
}

@test "no suite at all is a failure" {
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "0 passed, 0 failed" ]
}

@test "command line tests are run, and a broken file fails" {
	printf '@test "claim" { true; }\n@test "wrong" { echo because; false; }\n' >"$house/tests/cli/a.bats"
	printf '@test "claim" {\n' >"$house/tests/cli/b.bats"
	printf '# no tests\n' >"$house/tests/cli/c.bats"
	# bats puts its own inside first in PATH, which has another `bats`.
	PATH=${PATH#*/bats-core:} run_tests "$build"
	[ "$status" -eq 1 ]
	[[ "$output" == *"FAIL cli/a "*"1 passed, 1 failed"* ]]
	[[ "$output" == *because* ]]
	[[ "$output" == *"FAIL cli/b "* ]]
	[[ "$output" == *"FAIL cli/c "* ]]
	[[ "$last" == "1 passed, "* ]]
}

@test "a program of cmocka is read right: groups, skips, crashes, set-ups" {
	cat >"$house/twin.c" <<-'EOF'
		#include <stdarg.h>
		#include <stddef.h>
		#include <setjmp.h>
		#include <stdint.h>
		#include <cmocka.h>
		static void good(void **state) { (void)state; assert_true(1); }
		static void bad(void **state) { (void)state; assert_int_equal(1, 2); }
		static void absent(void **state) { (void)state; print_message("one core\n"); skip(); }
		static void crash(void **state) { (void)state; *(volatile int *)0 = 1; }
		static int no_setup(void **state) { (void)state; return -1; }
		int main(void)
		{
			const struct CMUnitTest one[] = { cmocka_unit_test(good), cmocka_unit_test(bad),
				cmocka_unit_test(absent), cmocka_unit_test(crash),
				cmocka_unit_test_setup(good, no_setup), cmocka_unit_test(good) };
			const struct CMUnitTest two[] = { cmocka_unit_test(good) };
			int failed = cmocka_run_group_tests(one, NULL, NULL);
			return failed + cmocka_run_group_tests(two, NULL, NULL);
		}
	EOF
	cc -w -o "$build/tests/unit/test_twin" "$house/twin.c" -lcmocka
	run_tests "$build"
	[ "$status" -eq 1 ]
	[ "$last" = "3 passed, 3 failed, 1 skipped" ]
	[[ "$output" == *"unit/test_twin: crash"* ]]
	[[ "$output" == *"skipped: absent: one core"* ]]
}

@test "sanitized programs are suites of their own" {
	good_suite
	suite asan/unit/test_good <<<'echo 1..1; echo ok 1 - a'
	suite tsan/unit/test_good <<<'echo 1..1; echo ok 1 - a'
	suite tsan/stress/test_good <<<'echo 1..1; echo ok 1 - a'
	run_tests "$build"
	[ "$status" -eq 0 ]
	[ "$last" = "5 passed, 0 failed" ]
	[[ "$output" == *unit/test_good*asan/unit/test_good*tsan/unit/test_good*tsan/stress/test_good* ]]
}

@test "only the suites named are run" {
	good_suite unit/test_a
	good_suite unit/test_ab
	good_suite stress/test_c
	run_tests "$build" unit/test_a
	[ "$last" = "2 passed, 0 failed" ]
	run_tests "$build" unit
	[ "$last" = "4 passed, 0 failed" ]
	run_tests "$build" 'unit/*b' stress/test_c
	[ "$last" = "4 passed, 0 failed" ]
	run_tests "$build" unit/test_absent
	[ "$status" -eq 1 ]
}

@test "objects and folders beside the programs are no suites" {
	good_suite
	echo >"$build/tests/unit/test_good.o"
	mkdir "$build/tests/unit/test_folder"
	run_tests "$build"
	[ "$status" -eq 0 ]
	[ "$last" = "2 passed, 0 failed" ]
}

@test "suites can be interrupted from inside, and know the build" {
	cat >"$build/tests/unit/test_signal" <<-'EOF'
		#!/bin/bash
		trap 'echo "ok 1 - caught"' INT
		echo 1..2
		kill -INT $$
		[ -x "$BUILD_DIR/tests/unit/test_signal" ] && echo "ok 2 - build"
	EOF
	chmod +x "$build/tests/unit/test_signal"
	run_tests "$build"
	[ "$status" -eq 0 ]
	[ "$last" = "2 passed, 0 failed" ]
}

@test "a stopped run takes the running suite with it" {
	suite unit/test_long <<-'EOF'
		echo $$ >child
		exec sleep 60
	EOF
	"$house/scripts/run-tests" "$build" >/dev/null 2>&1 3>&- &
	runner=$!
	for _ in $(seq 100); do
		[ -s "$house/child" ] && break
		sleep 0.05
	done
	kill -TERM "$runner"
	status=0
	wait "$runner" || status=$?
	[ "$status" -eq 143 ]
	gone "$(cat "$house/child")"
}

@test "nonsense on the command line exits 2" {
	for arguments in "" "/nonexistent" "-x $build" "-t" "-t x $build" "-t 0 $build"; do
		# shellcheck disable=SC2086 # words wanted
		run_tests $arguments
		[ "$status" -eq 2 ]
	done
}
