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

@test "every lock's header is listed with a summary and a source" {
	run -0 --separate-stderr "$LOCKSCALE" list
	[ -z "$stderr" ]
	for header in "$ROOT"/kernels/locks/*.h; do
		lock=$(basename "$header" .h)
		grep -qE "^$lock +[^ ].*\(.*[12][09][0-9][0-9].*\)$|^$lock +[^ ].*\(.+\)$" <<<"$output"
	done
	is list.json "sorted(x['name'] for x in d['locks']) == sorted('''$(
		cd "$ROOT/kernels/locks" && printf '%s\n' *.h | sed 's/\.h$//')'''.split())"
	is list.json 'all(x["summary"] and x["source"] and isinstance(x["fifo"], bool) for x in d["locks"])'
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
		sorted(x["name"] for x in d["locks"])
		for k in d["kernels"] for t in set(v["strategy"] for v in k["variants"] if v["lock"]))'
	is list.json 'len(set(v["name"] for k in d["kernels"] for v in k["variants"])) ==
		sum(len(k["variants"]) for k in d["kernels"])'
}

@test "every variant listed can be planned under its name" {
	"$LOCKSCALE" run --dry-run --threads 1 2>/dev/null | sed 's|/placement:.*||' | sort >planned
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

@test "arguments and unknown options are refused" {
	run -2 --separate-stderr "$LOCKSCALE" list counter
	[ -z "$output" ]
	has "$stderr" "'counter'"
	run -2 --separate-stderr "$LOCKSCALE" list --colour
	has "$stderr" '--colour'
}

@test "a full disk is an error" {
	run -1 sh -c "'$LOCKSCALE' list >/dev/full"
	run -1 sh -c "'$LOCKSCALE' list --json >/dev/full"
}
