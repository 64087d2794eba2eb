#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# make install: what is installed works from where it is.
# shellcheck disable=SC2154 # `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	unset MAKEFLAGS MFLAGS MAKELEVEL LOCKSCALE_SHARE
	# As the build itself names its folder, so that nothing is compiled again.
	make --no-print-directory -s -C "$ROOT" BUILD="${BUILD_DIR#"$ROOT"/}" install \
		DESTDIR="$PWD/root" PREFIX=/usr >make.log 2>&1 || {
		cat make.log
		return 1
	}
	installed=$PWD/root/usr/bin/lockscale
}

@test "the program, the chart script and its gnuplot programs are installed" {
	[ -x "$installed" ]
	[ -x root/usr/share/lockscale/scripts/chart ]
	[ "$(ls "$ROOT/plots")" = "$(ls root/usr/share/lockscale/plots)" ]
	# nothing outside of DESTDIR/PREFIX
	[ "$(ls root)" = usr ]
	[ "$(cd root/usr && echo *)" = 'bin share' ]
}

@test "the installed program lists, measures and reports" {
	run -0 "$installed" list
	run -0 "$installed" run counter/lock-free --threads 1 "${SHORT[@]}" --quiet --output result
	run -0 "$installed" report --no-charts result
	has "$output" 'counter'
}

@test "the installed program finds its chart script" {
	command -v gnuplot >/dev/null || skip 'gnuplot is not installed'
	"$installed" run counter/lock-free --threads 1 "${SHORT[@]}" --quiet --output result >/dev/null
	run -0 --separate-stderr "$installed" report result
	lacks "$stderr" 'no charts'
	ls result/charts/*.svg result/charts/*.png
}

@test "without the chart script the report says where it looked and keeps the verdict" {
	rm -r root/usr/share
	"$installed" run counter/lock-free --threads 1 "${SHORT[@]}" --quiet --output result >/dev/null
	run -1 --separate-stderr "$installed" report result
	has "$stderr" 'no charts' 'LOCKSCALE_SHARE'
	[ -s result/verdict.txt ]
}
