#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# lockscale list: every kernel and lock there is, with its source.
# shellcheck disable=SC2154 # `run` sets more

bats_require_minimum_version 1.5.0
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	"$LOCKSCALE" list --json >list.json
}

@test "every lock's header is listed once, in a line of at most 100 columns" {
	run -0 --separate-stderr "$LOCKSCALE" list
	[ -z "$stderr" ]
	for header in "$ROOT"/kernels/locks/*.h; do
		lock=$(basename "$header" .h)
		grep -E "^  $lock +(fifo|none) +(sleeps|spins) .*[^ ]$" <<<"$output" >line
		[ "$(wc -l <line)" = 1 ]
		[ "$(wc -L <line)" -le 100 ]
	done
}

@test "locks stand below their family, by name" {
	"$LOCKSCALE" list | awk '
		/^Locks/ { on = 1; next }
		on && /^$/ { exit }
		on && /^[^ ]/ { family = $0 }
		on && /^ / { print family, $1 }' >listed
	json list.json '"\n".join(x["family"] + " " + x["name"] for x in d["locks"])' >known
	diff listed known
	is list.json '[(f, n) for f in dict.fromkeys(x["family"] for x in d["locks"])
		for n in sorted(x["name"] for x in d["locks"] if x["family"] == f)] ==
		[(x["family"], x["name"]) for x in d["locks"]]'
}

@test "every lock's header is in --json with all that is known of it" {
	is list.json "sorted(x['name'] for x in d['locks']) == sorted('''$(
		cd "$ROOT/kernels/locks" && printf '%s\n' *.h | sed 's/\.h$//')'''.split())"
	is list.json 'all(x["summary"] and x["source"] and x["family"] and 0 < x["size"] <= 256 for x in d["locks"])'
	is list.json 'all(isinstance(x[f], bool) for x in d["locks"] for f in ("fifo", "reentrant", "sleeps",
		"peer", "standard", "single", "reads", "executes", "safepoint"))'
	is list.json 'all(isinstance(x[f], bool) for x in d["kernels"] for f in ("reads", "extra"))'
}

@test "every kernel's file is listed with what is shared and its unit" {
	kernels=$(sed -n 's/^KERNEL(\([a-z_]*\),.*/\1/p' "$ROOT"/kernels/*.c)
	[ "$(wc -w <<<"$kernels")" -ge 5 ]
	is list.json "sorted(x['name'] for x in d['kernels']) == sorted('''$kernels'''.split())"
	is list.json 'all(x["summary"] and x["shared"] and x["unit"] and
		x["kind"] in ("throughput", "makespan") for x in d["kernels"])'
	run -0 "$LOCKSCALE" list
	for kernel in $kernels; do
		grep -qE "^$kernel +" <<<"$output"
	done
}

@test "every kernel has a sequential baseline and each lock variant every lock" {
	is list.json 'all(any(v["strategy"] == "sequential" for v in k["variants"]) for k in d["kernels"])'
	is list.json 'all(sorted(v["lock"] for v in k["variants"] if v["strategy"] == t) ==
		sorted(x["name"] for x in d["locks"] if not (t.startswith("fine-lock") and x["single"]))
		for k in d["kernels"] for t in set(v["strategy"] for v in k["variants"] if v["lock"]))'
	is list.json 'len(set(v["name"] for k in d["kernels"] for v in k["variants"])) ==
		sum(len(k["variants"]) for k in d["kernels"])'
}

@test "every variant listed can be planned under its name" {
	"$LOCKSCALE" run --locks all --dry-run --threads 1 2>/dev/null | sed 's|/placement:.*||' | sort >planned
	json list.json '"\n".join(v["name"] for k in d["kernels"] if not k["extra"] for v in k["variants"])' |
		sort >listed
	diff planned listed
	# and those that are measured only where they are named
	for kernel in $(json list.json '" ".join(k["name"] for k in d["kernels"] if k["extra"])'); do
		"$LOCKSCALE" run --dry-run --threads 1 "$kernel" 2>/dev/null | sed 's|/placement:.*||' |
			grep -v ^control/ | sort >planned
		json list.json "'\n'.join(v['name'] for k in d['kernels'] if k['name'] == '$kernel' for v in k['variants'])" |
			sort >listed
		diff planned listed
	done
}

@test "every parameter is listed with what it accepts" {
	is list.json '{"bank.accounts", "bank.theta", "histogram.input", "mandelbrot.width",
		"mandelbrot.height", "mandelbrot.iterations"} <=
		{k["name"] + "." + p["name"] for k in d["kernels"] for p in k["params"]}'
	is list.json 'all(p["help"] and p["accepts"] for k in d["kernels"] for p in k["params"])'
	run -0 "$LOCKSCALE" list
	has "$output" '--param bank.accounts=1024' '2..65535'
}

@test "all of one lock or kernel is told where it is named" {
	run -0 --separate-stderr "$LOCKSCALE" list mcs bank
	[ -z "$stderr" ]
	has "$output" 'Mellor-Crummey & Scott 1991' 'first come, first served' 'counter/global-lock/mcs' \
		'1024 accounts' 'bank.theta' 'bank/lock-free' 'bank/fine-lock/mutex'
	lacks "$output" 'counter/global-lock/mutex' 'histogram/lock-free'
	run -0 "$LOCKSCALE" list --json mcs
	cat >one.json <<<"$output"
	is one.json '[x["name"] for x in d["locks"]] == ["mcs"] and not d["kernels"]'
}

@test "an unknown name is refused with similar ones, or else with all" {
	run -2 --separate-stderr "$LOCKSCALE" list msc
	[ -z "$output" ]
	has "$stderr" "'msc'" ' mcs'
	lacks "$stderr" histogram
	run -2 --separate-stderr "$LOCKSCALE" list histo
	has "$stderr" "'histo'" ' histogram'
	run -2 --separate-stderr "$LOCKSCALE" list mcs nonsense --json
	[ -z "$output" ]
	has "$stderr" "'nonsense'" mutex mcs counter control
}

@test "unknown options are refused" {
	run -2 --separate-stderr "$LOCKSCALE" list --colour
	has "$stderr" '--colour'
}

@test "a full disk is an error" {
	run -1 sh -c "'$LOCKSCALE' list >/dev/full"
	run -1 sh -c "'$LOCKSCALE' list --json >/dev/full"
}
