# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034 # used by those that load this
# What the command line tests share: the program, JSON, the machine, and cleaning up.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD_DIR=${BUILD_DIR:-$PWD/build}
LOCKSCALE=${LOCKSCALE:-$BUILD_DIR/lockscale}
# The distribution's python3 has scipy; another may be first in PATH.
PYTHON=python3
[ ! -x /usr/bin/python3 ] || PYTHON=/usr/bin/python3
# A measurement as short as can be, and without the chart in the terminal, which takes time.
SHORT=(--window-ms 1 --processes 1 --samples 1)
export LOCKSCALE_SHARE=/nonexistent

# json FILE EXPRESSION: prints the Python EXPRESSION of d, the file's content; of a .jsonl file,
# the list of its lines' contents, of which s are the samples.
json()
{
	"$PYTHON" - "$@" <<'END'
import json, sys
from collections import Counter
path, expression = sys.argv[1:]
with open(path) as f:
    if path.endswith('.jsonl'):
        d = [json.loads(line) for line in f]
        s = [line for line in d if line['type'] == 'sample']
    else:
        d = json.load(f)
def point(x):
    return '/'.join(filter(None, (x['kernel'], x['strategy'], x['lock'], x['placement'], str(x['threads']))))
def visit(x):
    return point(x), x['process'], x['sample']
print(eval('(' + expression + ')'))
END
}

# is FILE EXPRESSION: the expression is true; otherwise shows it.
is()
{
	local value
	value=$(json "$@")
	[ "$value" = True ] || {
		echo "$1: not true but $value: $2"
		return 1
	}
}

# has TEXT PART...: shows the text where a part is missing.
has()
{
	local text=$1 part
	shift
	for part; do
		[[ $text == *"$part"* ]] || {
			printf 'no "%s" in:\n%.600s\n' "$part" "$text"
			return 1
		}
	done
}

# lacks TEXT PART...
lacks()
{
	local text=$1 part
	shift
	for part; do
		[[ $text != *"$part"* ]] || {
			printf '"%s" in:\n%.600s\n' "$part" "$text"
			return 1
		}
	done
}

allowed_pus()
{
	nproc
}

first_pu()
{
	taskset -pc $$ | sed 's/.*: //; s/[-,].*//'
}

need_two_pus()
{
	[ "$(allowed_pus)" -ge 2 ] || skip 'needs two PUs'
}

# mount_small DIR OPTIONS: a file system of its own, gone with unmount_all.
mount_small()
{
	mkdir -p "$1"
	[ "$(id -u)" = 0 ] || skip 'needs root, to mount a small file system'
	mount -t tmpfs -o "$2" none "$1" 2>/dev/null || skip 'needs the right to mount'
	echo "$1" >>"$BATS_TEST_TMPDIR/mounts"
}

# For teardown: ends what was started with `start` and unmounts what was mounted.
clean_up()
{
	local pid dir
	if [ -f "$BATS_TEST_TMPDIR/started" ]; then
		while read -r pid; do
			kill -9 "$pid" 2>/dev/null || :
		done <"$BATS_TEST_TMPDIR/started"
	fi
	if [ -f "$BATS_TEST_TMPDIR/mounts" ]; then
		while read -r dir; do
			umount "$dir" 2>/dev/null || umount -l "$dir" || :
		done <"$BATS_TEST_TMPDIR/mounts"
	fi
}

# start COMMAND...: in the background; its id in $started, its output in $BATS_TEST_TMPDIR/out, err.
start()
{
	"$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	started=$!
	echo "$started" >>"$BATS_TEST_TMPDIR/started"
}

# wait_until SECONDS COMMAND...: asks twenty times a second.
wait_until()
{
	local tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# journal_has LINES DIR
journal_has()
{
	[ -f "$2/journal.jsonl" ] && [ "$(wc -l <"$2/journal.jsonl")" -ge "$1" ]
}

# refused WORD... -- ARGUMENT...: `lockscale run` ends with a usage error that has the words, before
# anything is measured or written to $dir.
refused()
{
	local words=()
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	run -2 --separate-stderr "$LOCKSCALE" run --output "$dir" "$@"
	[ -z "$output" ]
	has "$stderr" "${words[@]}"
	[ ! -e "$dir" ]
}
