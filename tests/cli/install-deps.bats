#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# scripts/install-deps on machines made of fakes: PATH holds nothing but a shell's
# everyday tools and the package managers that a test puts there.

# Fakes are texts, lists of packages are words:
# shellcheck disable=SC2016,SC2086

setup()
{
	script=$BATS_TEST_DIRNAME/../../scripts/install-deps
	bin=$BATS_TEST_TMPDIR/bin
	state=$BATS_TEST_TMPDIR/state
	mkdir -p "$bin" "$state"
	: >"$state/installed"
	: >"$state/calls"
	for tool in sh awk cat tr env grep; do
		ln -s "$(command -v "$tool")" "$bin/"
	done
	fake id <<<'echo 0'
}

# A program called $1 of the shell commands on stdin. It finds $state/installed, the
# packages that are there, and $state/calls, which every call to it goes to.
fake()
{
	{ echo '#!/bin/sh'; echo "state='$state'"; cat; } >"$bin/$1"
	chmod +x "$bin/$1"
}

# What a fake does first: write down how it was called.
log='echo "${0##*/} $*" >>"$state/calls"'

# apt-get that really adds what it is asked for to the installed packages; dpkg-query
# that lists those.
debian()
{
	fake apt-get <<-EOF
		$log
		for word; do
			case \$word in install) installing=1 ;; -* | update) ;; *) [ "\$installing" ] && echo "\$word" >>"\$state/installed" ;; esac
		done
		exit 0
	EOF
	fake dpkg-query <<-'EOF'
		for word; do
			grep -qx -- "$word" "$state/installed" && echo "installed $word"
		done
	EOF
}

fedora()
{
	fake dnf <<-EOF
		$log
		for word; do
			case \$word in -* | install) ;; *) echo "\$word" >>"\$state/installed" ;; esac
		done
	EOF
	fake rpm <<-'EOF'
		shift 3
		for word; do
			grep -x -- "$word" "$state/installed" || echo "package $word is not installed"
		done
	EOF
}

sudo_works()
{
	fake sudo <<-EOF
		$log
		exec "\$@"
	EOF
}

install_deps()
{
	run env PATH="$bin" "$bin/sh" "$script" "$@"
	echo "$output"
	cat "$state/calls"
}

calls()
{
	[ "$(grep -c "$1" "$state/calls")" -eq "$2" ]
}

build_packages="make gcc g++ libc6-dev libhwloc-dev libbenchmark-dev libjansson-dev libgsl-dev libck-dev liburcu-dev libconcurrentqueue-dev gnuplot-nox git"

install_all_for_building()
{
	printf '%s\n' $build_packages >"$state/installed"
}

@test "nothing missing: apt-get is not called" {
	debian
	install_all_for_building
	install_deps
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -s "$state/calls" ]
}

@test "what is missing is installed, and nothing else" {
	debian
	install_all_for_building
	sed -i '/^libgsl-dev$/d; /^make$/d' "$state/installed"
	install_deps
	[ "$status" -eq 0 ]
	calls update 1
	grep -x "apt-get .*install -y --no-install-recommends make libgsl-dev" "$state/calls"
}

@test "a bare machine gets every package, and the second call does nothing" {
	debian
	install_deps
	[ "$status" -eq 0 ]
	grep -x "apt-get .*install -y --no-install-recommends $build_packages" "$state/calls"
	: >"$state/calls"
	install_deps
	[ "$status" -eq 0 ]
	[ ! -s "$state/calls" ]
}

@test "tests need more packages, and only with --with-tests" {
	debian
	install_all_for_building
	install_deps --with-tests
	[ "$status" -eq 0 ]
	grep " libcmocka-dev bats clang .*binutils" "$state/calls"
	run grep -w make "$state/calls"
	[ "$status" -eq 1 ]
}

@test "a half removed package counts as missing" {
	debian
	install_all_for_building
	fake dpkg-query <<<'for p; do :; done; echo "config-files make"; for p in '"${build_packages#make }"'; do echo "installed $p"; done'
	install_deps --check
	[ "$status" -eq 1 ]
	[[ "$output" == *"missing: make"* ]]
}

@test "another gnuplot will do" {
	debian
	install_all_for_building
	sed -i 's/gnuplot-nox/gnuplot-qt/' "$state/installed"
	install_deps
	[ "$status" -eq 0 ]
	[ ! -s "$state/calls" ]
}

@test "--check reports and installs nothing" {
	debian
	install_all_for_building
	sed -i '/^gcc$/d' "$state/installed"
	install_deps --check
	[ "$status" -eq 1 ]
	[[ "$output" == *"missing: gcc"* ]]
	[[ "$output" == *"apt-get install -y --no-install-recommends gcc"* ]]
	[ ! -s "$state/calls" ]
	echo gcc >>"$state/installed"
	install_deps --check
	[ "$status" -eq 0 ]
	[[ "$output" == *"nothing is missing"* ]]
}

@test "not root: apt-get is called through sudo" {
	debian
	fake id <<<'echo 1000'
	sudo_works
	install_deps
	[ "$status" -eq 0 ]
	calls '^sudo .*apt-get' 2
	calls '^apt-get' 2
}

@test "root: sudo is left alone" {
	debian
	sudo_works
	install_deps
	[ "$status" -eq 0 ]
	calls '^sudo' 0
}

@test "neither root nor sudo: says what is missing and how to get it" {
	debian
	install_all_for_building
	sed -i '/^git$/d; /^g++$/d' "$state/installed"
	fake id <<<'echo 1000'
	install_deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"missing: g++ git"* ]]
	[[ "$output" == *"apt-get update && apt-get install -y --no-install-recommends g++ git"* ]]
	[[ "$output" == *"no sudo"* ]]
	[ ! -s "$state/calls" ]
}

@test "sudo that refuses: says what is missing and how to get it" {
	debian
	fake id <<<'echo 1000'
	fake sudo <<<'echo "sudo: a password is required" >&2; exit 1'
	install_deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"a password is required"* ]]
	[[ "$output" == *"missing: $build_packages"* ]]
	[[ "$output" == *"sudo apt-get install"* ]]
}

@test "package lists are fetched once more when the first time fails" {
	debian
	mv "$bin/apt-get" "$bin/real-apt-get"
	fake apt-get <<-EOF
		case "\$*" in *update) [ -e "\$state/tried" ] || { : >"\$state/tried"; echo refused >&2; exit 100; } ;; esac
		exec "$bin/real-apt-get" "\$@"
	EOF
	install_deps
	[ "$status" -eq 0 ]
	[[ "$output" == *"once more"* ]]
	calls update 1
	calls install 1
}

@test "broken package lists do not keep a cached package away" {
	debian
	mv "$bin/apt-get" "$bin/real-apt-get"
	fake apt-get <<-EOF
		case "\$*" in *update) exit 100 ;; esac
		exec "$bin/real-apt-get" "\$@"
	EOF
	install_deps
	[ "$status" -eq 0 ]
	calls install 1
}

@test "no network: apt-get fails, the list and the command are printed, exit 1" {
	debian
	fake apt-get <<<'echo "E: Temporary failure resolving" >&2; exit 100'
	install_deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"Temporary failure resolving"* ]]
	[[ "$output" == *"installation failed"* ]]
	[[ "$output" == *"missing: $build_packages"* ]]
	[[ "$output" == *"to install: apt-get update && "* ]]
}

@test "an installation that only claims success is not believed" {
	debian
	fake apt-get <<<'exit 0'
	install_deps
	[ "$status" -eq 1 ]
	[[ "$output" == *"missing: "* ]]
}

@test "Fedora: dnf installs what rpm does not know, under Fedora's names" {
	fedora
	install_deps
	[ "$status" -eq 0 ]
	calls '^dnf' 1
	grep -x "dnf install .* make gcc gcc-c++ glibc-devel hwloc-devel google-benchmark-devel jansson-devel gsl-devel ck-devel userspace-rcu-devel concurrentqueue-devel gnuplot git" "$state/calls"
	: >"$state/calls"
	install_deps
	[ "$status" -eq 0 ]
	[ ! -s "$state/calls" ]
}

@test "Fedora: the sanitizers' libraries are packages of their own" {
	fedora
	install_deps --with-tests
	[ "$status" -eq 0 ]
	grep "clang-tools-extra .* libasan libubsan libtsan" "$state/calls"
	run grep " - " "$state/calls"
	[ "$status" -eq 1 ]
}

@test "Fedora, not root: dnf is called through sudo" {
	fedora
	fake id <<<'echo 1000'
	sudo_works
	install_deps
	[ "$status" -eq 0 ]
	calls '^sudo dnf' 1
}

@test "unknown distribution: missing programs and headers are listed" {
	fake gcc <<<''
	install_deps --with-tests
	[ "$status" -eq 1 ]
	[[ "$output" == *"missing: make g++ "* ]]
	[[ "$output" == *" taskset objdump"* ]]
	[[ "$output" == *"neither apt-get nor dnf"* ]]
}

@test "unknown distribution: a header that the compiler finds is not missing" {
	fake cc <<<'while read -r line; do case $line in *"<hwloc.h>"*) exit 0 ;; esac; done; exit 1'
	sed 's,/usr/include,/nonexistent,g; s,/usr/local/include,/nonexistent,' "$script" >"$state/script"
	script=$state/script
	install_deps
	[ "$status" -eq 1 ]
	[[ "$output" != *hwloc.h* ]]
	[[ "$output" == *jansson.h* ]]
}

@test "unknown distribution with everything in place: nothing to do" {
	for program in make gcc g++ gnuplot git; do
		fake "$program" <<<''
	done
	fake cc <<<'exit 0'
	install_deps
	[ "$status" -eq 0 ]
}

@test "a complete machine is seen as such in under 0.3 s" {
	debian
	install_all_for_building
	fake dpkg-query <<<"printf 'installed %s\n' $build_packages"
	read -r start _ </proc/uptime
	install_deps
	read -r end _ </proc/uptime
	[ "$status" -eq 0 ]
	[ $((10#${end/./} - 10#${start/./})) -lt 30 ]
}

@test "an unknown option exits 2, --help exits 0" {
	install_deps --nonsense
	[ "$status" -eq 2 ]
	install_deps --help
	[ "$status" -eq 0 ]
	[[ "$output" == *--with-tests* ]]
}
