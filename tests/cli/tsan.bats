#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Every kernel under every lock with ThreadSanitizer (build/tsan): no report. Left out are locks
# broken on purpose, and Concurrency Kit's, whose atomics in assembly it does not see.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	# ThreadSanitizer of older compilers dies where addresses are very random.
	no_random=()
	if setarch -R true 2>/dev/null; then no_random=(setarch -R); fi
	export TSAN_OPTIONS="halt_on_error=0 exitcode=66 log_path=$PWD/report"
	[ -x "$BUILD_DIR/tsan/lockscale" ] || {
		echo "$BUILD_DIR/tsan/lockscale is missing: make tsan"
		return 1
	}
}

@test "no data race in any kernel under any lock" {
	need_two_pus
	locks=$(cd "$ROOT/kernels/locks" && printf '%s\n' *.h | grep -v '^ck-' | sed 's/\.h$//')
	kernels=$(cd "$ROOT/kernels" && sed -n 's/^KERNEL(\([a-z_]*\),.*/\1/p' ./*.c)
	[ "$(wc -w <<<"$kernels")" -ge 5 ]
	# shellcheck disable=SC2086 # words wanted
	run "${no_random[@]}" "$BUILD_DIR/tsan/lockscale" run $kernels --locks "$(paste -sd, <<<"$locks")" \
		--threads 2 "${SHORT[@]}" --watchdog 60 --output result --quiet \
		--param mandelbrot.width=32 --param mandelbrot.height=32 \
		--param wordcount.megabytes=0 --param graph.scale=7 --param hashmap.keys=256 \
		--param skiplist.keys=256 --param set.keys=32 --param pqueue.items=256 \
		--param python.work=20000 --param server.connections=4
	find . -maxdepth 1 -name 'report.*' -exec head -n 40 {} +
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$(find . -maxdepth 1 -name 'report.*')" ]
	# each lock was measured: a plan without it would prove nothing
	for lock in $locks; do
		is result/journal.jsonl "any(x['lock'] == '$lock' for x in s)"
	done
}
