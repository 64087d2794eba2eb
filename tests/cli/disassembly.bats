#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Locks are inlined into the kernels' loops: the machine code of a lock variant calls nothing
# through a pointer.
# shellcheck disable=SC2154 # `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	[ "$(uname -m)" = x86_64 ] || skip 'reads x86-64 machine code'
}

# The names of locks as they appear in function names.
locks()
{
	(cd "$ROOT/kernels/locks" && printf '%s\n' *.h) | sed 's/\.h$//' | tr - _
}

# The functions that are written once per lock, a line each time: "global_lock" in four kernels.
batches()
{
	sed -n 's/^LOCKED_BATCH(\(.*\))$/\1/p' "$ROOT"/kernels/*.c
}

# inspect FILE: a line "function NAME" for each lock variant's function, and "indirect NAME: code"
# for each call or jump in one through a register or memory.
inspect()
{
	objdump -d --no-show-raw-insn "$1" | awk -v locks="$(locks | paste -sd'|')" \
		-v batches="$(batches | sort -u | paste -sd'|')" '
	/^[0-9a-f]+ <.*>:$/ {
		name = $2
		gsub(/[<>:]/, "", name)
		ours = name ~ "^(" batches ")_(" locks ")(\\..*)?$"
		if (ours)
			print "function " name
	}
	ours && /\t(notrack )?(call|jmp)[a-z]* +\*/ {
		print "indirect " name ":" $0
	}'
}

# specialised PROGRAM: each lock in each kernel has its function, and none calls through a pointer.
specialised()
{
	inspect "$1" >found
	run ! grep '^indirect' found
	for batch in $(batches | sort -u); do
		kernels=$(batches | grep -cx "$batch")
		for lock in $(locks); do
			functions=$(grep -cx "function ${batch}_$lock" found || :)
			[ "$functions" = "$kernels" ] || {
				echo "${batch}_$lock: in $functions places, expected $kernels"
				return 1
			}
		done
	done
}

@test "there are locks and kernels to look at" {
	[ "$(locks | wc -l)" -ge 6 ]
	[ "$(batches | wc -l)" -ge 6 ]
}

@test "gcc leaves no indirect call in any lock variant" {
	specialised "$BUILD_DIR/lockscale"
}

@test "clang leaves no indirect call in any lock variant" {
	[ -x "$BUILD_DIR/clang/lockscale" ] || skip 'build/clang/lockscale is missing: make clang'
	specialised "$BUILD_DIR/clang/lockscale"
}

@test "a lock called through a pointer is caught" {
	cat >twin.c <<'END'
#include "kernel.h"
#include "locks/mcs.h"

const struct lock_class *volatile chosen = &mcs_class;

uint64_t global_lock_mcs(void *state, struct worker *w, uint64_t n)
{
	const struct lock_class *lock = chosen;
	for (uint64_t i = 0; i < n; i++) {
		lock->acquire(state, &w->node[0]);
		lock->release(state, &w->node[0]);
	}
	return n;
}
END
	"${CC:-gcc}" -std=gnu17 -O2 -D_GNU_SOURCE -I"$ROOT/kernels" -c twin.c
	inspect twin.o >found
	grep -qx 'function global_lock_mcs' found
	[ "$(grep -c '^indirect global_lock_mcs' found)" -ge 2 ]
}
