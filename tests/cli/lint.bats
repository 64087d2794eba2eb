#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The linters that `make check` runs, as tests: a warning fails.

@test "the sources are formatted" {
	run make -s check-format
	[ "$status" -eq 0 ]
}

@test "cppcheck finds nothing" {
	run make -s cppcheck
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "shellcheck finds nothing" {
	run make -s shellcheck
	echo "$output"
	[ "$status" -eq 0 ]
}

# Mutants are patches of files that name theirs; the text that wordcount counts is nobody's, nor is
# what a program prints.
@test "every source file names its licence" {
	run sh -c "git ls-files 'bench/*' 'kernels/*' 'plots/*' 'scripts/*' 'tests/*' ':!tests/mutants' \
			':!kernels/wordcount.txt' ':!tests/python/*.out' \
			Makefile .ci/run |
		xargs grep -L 'SPDX-License-Identifier: BSD-2-Clause'"
	echo "$output"
	[ -z "$output" ]
}

@test "the README's lock and kernel build and are measured" {
	dir=$BATS_TEST_TMPDIR
	mkdir -p "$dir/kernels/locks"
	awk -v dir="$dir" '
		/`kernels\/(locks\/swap.h|maximum.c)`:$/ {
			match($0, /kernels\/[a-z\/]*\.[ch]/); file = dir "/" substr($0, RSTART, RLENGTH) }
		/^```c$/ { on = 1; next }
		/^```$/ { on = 0 }
		on { print > file }' README.md
	[ "$(wc -l <"$dir/kernels/locks/swap.h")" -lt 40 ]
	[ "$(wc -l <"$dir/kernels/maximum.c")" -lt 40 ]
	make -s -j2 BUILD="$dir/build" OPTIMISE=-O1 EXTRA_LOCKS="$dir/kernels/locks" \
		KERNELS="kernels/kernel.c kernels/control.c kernels/bank.c $dir/kernels/maximum.c" all
	"$dir/build/lockscale" run maximum '*/*/swap' --quiet --processes 1 --samples 1 \
		--window-ms 5 --output "$dir/result" >/dev/null
	grep -q '^maximum	global-lock	swap	' "$dir/result/speedup.tsv"
	grep -q '^bank	fine-lock	swap	' "$dir/result/speedup.tsv"
}
