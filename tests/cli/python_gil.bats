#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# scripts/python-gil: which interpreters it finds and how it calls them, what becomes of one that
# fails, and that its result directory is one like others. Most interpreters here are shell scripts
# with planted answers; the last tests ask real ones.

bats_require_minimum_version 1.5.0

setup()
{
	load common
	export PYENV_ROOT="$BATS_TEST_TMPDIR/none"
	gil="$ROOT/scripts/python-gil"
	bin="$BATS_TEST_TMPDIR/bin"
	dir="$BATS_TEST_TMPDIR/result"
	mkdir "$bin" "$BATS_TEST_TMPDIR/build"
	# The program, but for the control kernel's samples, of which the shortest will do.
	cat >"$BATS_TEST_TMPDIR/build/lockscale" <<END
#!/bin/sh
[ \$1 = run ] || exec '$LOCKSCALE' "\$@"
for word; do
	shift
	case \$word in
	--quick) set -- "\$@" ${SHORT[*]} ;;
	*) set -- "\$@" "\$word" ;;
	esac
done
exec '$LOCKSCALE' "\$@"
END
	chmod +x "$BATS_TEST_TMPDIR/build/lockscale"
	ln -s "$(dirname "$LOCKSCALE")/libnative.so" "$BATS_TEST_TMPDIR/build/"
	export LOCKSCALE="$BATS_TEST_TMPDIR/build/lockscale"
}

teardown()
{
	clean_up
}

# fake PATH VERSION [COMMANDS]: an interpreter whose threads take twice as long as one, whose
# processes half as long. COMMANDS come first, in which $1 is the program, $2 its first argument.
fake()
{
	mkdir -p "$(dirname "$1")"
	cat >"$1" <<END
#!/bin/sh
program=\${1##*/}
${3-}
case \$program/\$2 in
about.py/*) echo cpython $2 \${lock-gil} ;;
countdown.py/calibrate) echo 1000000 \${rounds-500000} ;;
countdown.py/measure)
	strategy=\$4 workers=\$5 samples=\$6
	case \$strategy-\$workers in
	threads-2 | native-locked-2) seconds=0.2 ;;
	processes-2 | native-2) seconds=0.05 ;;
	*) seconds=0.1 ;;
	esac
	operations=1000000:100
	[ \$workers = 1 ] || operations=500000:100,500000:100
	for i in \$(seq \$samples); do echo \$seconds 10 3 4 \$operations; done
	;;
race.py/add) for i in \$(seq \$4); do echo 0 1000; done ;;
race.py/call) for i in \$(seq \$4); do echo \$((i * 100)) 1000; done ;;
ping.py/server) [ \$4 = 0 ] && echo 80.0 150.0 300 || echo 5200.0 5400.0 300 ;;
*) exit 9 ;;
esac
END
	chmod +x "$1"
}

# measure [OPTION...]: of what was planted, as briefly as can be
measure()
{
	"$gil" --quick --no-miniature --no-charts --threads 1,2 --oversubscribe --output "$dir" "$@"
}

# cell STRATEGY WORKERS COLUMN [KERNEL]: of speedup.tsv
cell()
{
	awk -F '\t' -v want="$3" -v kernel="${4-python-2.7}" -v strategy="$1" -v threads="$2" '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$at["kernel"] == kernel && $at["strategy"] == strategy && $at["threads"] == threads { print $at[want] }
	' "$dir/speedup.tsv"
}

@test "each interpreter is found once, whatever it is called, and named by its version" {
	fake "$bin/python2" 2.7.18
	fake "$bin/python3.11" 3.11.2
	ln -s python3.11 "$bin/python3"
	ln -s python3 "$bin/python"
	fake "$bin/python3.13t" 3.13.0 lock=free
	export PYENV_ROOT="$BATS_TEST_TMPDIR/pyenv"
	fake "$PYENV_ROOT/versions/2.7.18/bin/python" 2.7.18
	fake "$PYENV_ROOT/versions/3.9.18/bin/python" 3.9.18
	fake "$PYENV_ROOT/versions/3.11.7/bin/python" 3.11.7
	PATH="$bin:$(path_without_python)" run -0 --separate-stderr "$gil" --list
	[ "$(cut -f 1,2 <<<"$output")" = "$(printf '%s\t%s\n' python-3.11 3.11.2 python-2.7 2.7.18 \
		python-3.13t 3.13.0t python-3.11.7 3.11.7 python-3.9 3.9.18)" ]
}

# A folder with the tools that the script needs, and no interpreter.
path_without_python()
{
	local tools="$BATS_TEST_TMPDIR/tools" tool
	mkdir -p "$tools"
	for tool in sh awk cat cut date dirname grep head kill ls mktemp nproc printf readlink rm sed seq \
		sleep sort tail taskset timeout tr uname wc; do
		ln -sf "$(command -v "$tool")" "$tools/$tool"
	done
	echo "$tools"
}

@test "without any interpreter it says so and exits 1" {
	PATH=$(path_without_python) run -1 --separate-stderr "$gil" --output "$dir"
	has "$stderr" 'found no Python interpreter' --python
	[ ! -e "$dir" ]
}

@test "an interpreter that does not exist is a usage error that names it" {
	for wrong in "$bin/nonsense" nonsense-of-a-name "$BATS_TEST_TMPDIR"; do
		run -2 --separate-stderr measure --python "$wrong"
		has "$stderr" "--python $wrong" 'a path or a command'
	done
	[ ! -e "$dir" ]
}

@test "wrong options are usage errors that name value and expectation" {
	fake "$bin/python2" 2.7.18
	for wrong in '--threads 1,x' '--threads 0' '--samples none' '--processes 0' '--seed now' \
		'--threads 1024' '--strategies ping,sleep' '--nonsense' '--threads'; do
		# shellcheck disable=SC2086 # words wanted
		run -2 --separate-stderr "$gil" --python "$bin/python2" --output "$dir" $wrong
		has "$stderr" "$(sed 's/.* //' <<<"$wrong")"
		[ -z "$output" ]
	done
	[ ! -e "$dir" ]
	mkdir "$dir"
	echo kept >"$dir/journal.jsonl"
	run -2 --separate-stderr measure --python "$bin/python2"
	has "$stderr" "$dir" 'another folder'
	[ "$(cat "$dir/journal.jsonl")" = kept ]
}

@test "planted times become speedups over each interpreter's own sequential program" {
	fake "$bin/python2" 2.7.18
	fake "$bin/python3" 3.11.2
	run -0 --separate-stderr measure --python "$bin/python2" --python "$bin/python3" --seed 7
	for kernel in python-2.7 python-3.11; do
		[ "$(cell sequential 1 ops_per_second "$kernel")" = 10000000 ]
		[ "$(cell threads 1 speedup "$kernel")" = 1 ]
		[ "$(cell threads 2 speedup "$kernel")" = 0.5 ]
		[ "$(cell processes 2 speedup "$kernel")" = 2 ]
		[ "$(cell native 2 speedup "$kernel")" = 2 ]
		[ "$(cell native-locked 2 speedup "$kernel")" = 0.5 ]
		[ "$(cell threads 2 samples "$kernel")" = 2 ]
	done
	has "$output" python-2.7 'threads' '0.50x' 'x = x + one()'
	has "$(cat "$dir/verdict.txt")" 'python-3.11     none               15 %' '80 us / 150 us' '5.2 ms / 5.4 ms'
	is "$dir/benchmark.json" "d['context']['lockscale']['seed'] == 7"
	is "$dir/journal.jsonl" "set(x['unit'] for x in s if x['kernel'] != 'control') == {'iterations'}"
	[ -s "$dir/machine.xml" ]
	"$LOCKSCALE" report --no-charts --quiet "$dir"
	"$LOCKSCALE" compare "$dir" "$dir" >"$BATS_TEST_TMPDIR/compared"
	grep -q 'python-2.7' "$BATS_TEST_TMPDIR/compared"
}

@test "race and ping are in interpreters.tsv, as medians with the least and the greatest" {
	fake "$bin/python2" 2.7.18
	measure --python "$bin/python2" --samples 3
	head -n 1 "$dir/interpreters.tsv" |
		grep -qx "interpreter	implementation	version	what	workers	value	unit	lo	hi	samples"
	for row in 'race-add	2	0	lost-per-million	0	0	3' \
		'race-call	2	200000	lost-per-million	100000	300000	3' \
		'ping-p50	0	80	us	80.0	80.0	1' 'ping-p99	1	5400	us	5400.0	5400.0	1'; do
		grep -qx "python-2.7	cpython	2.7.18	$row" "$dir/interpreters.tsv"
	done
}

@test "one that crashes is named, its failure is in the verdict, and the rest goes on" {
	fake "$bin/python2" 2.7.18 'case $program/$4 in countdown.py/threads) echo Segmentation >&2; kill -9 $$ ;; esac'
	fake "$bin/python3" 3.11.2
	run -1 --separate-stderr measure --python "$bin/python2" --python "$bin/python3"
	has "$stderr" 'FAILED python-2.7/threads, 2 workers: ended by signal 9: Segmentation'
	has "$(cat "$dir/verdict.txt")" FAILED 'ended by signal 9'
	[ -z "$(cell threads 2 speedup)" ]
	[ "$(cell processes 2 speedup)" = 2 ]
	[ "$(cell threads 2 speedup python-3.11)" = 0.5 ]
}

@test "one that is no Python, or cannot count down, is named and left out" {
	printf '#!/bin/sh\necho what is this >&2\nexit 5\n' >"$bin/none"
	chmod +x "$bin/none"
	fake "$bin/python2" 2.7.18 'case $2 in calibrate) echo no clock >&2; exit 1 ;; esac'
	fake "$bin/python3" 3.11.2
	run -1 --separate-stderr measure --python "$bin/none" --python "$bin/python2" --python "$bin/python3"
	has "$stderr" "$bin/none: what is this" 'FAILED python-2.7: no clock'
	[ -z "$(cell sequential 1 speedup)" ]
	[ "$(cell threads 2 speedup python-3.11)" = 0.5 ]
	rm -r "$dir"
	run -1 --separate-stderr measure --python "$bin/none"
	has "$stderr" 'found no Python interpreter'
}

@test "words that are no sample fail their point and never reach the result" {
	fake "$bin/python2" 2.7.18 'case $program/$4 in
		countdown.py/threads) echo 0.1 10 3 4 1000; exit ;;
		countdown.py/processes) echo 0 10 3 4 1:1,1:1; exit ;;
		countdown.py/native) exit 0 ;;
		esac
		[ $program != race.py ] || { echo "1e999 \"\\"; exit; }'
	run -1 --separate-stderr measure --python "$bin/python2"
	has "$stderr" 'FAILED python-2.7/threads' 'FAILED python-2.7/processes' 'FAILED python-2.7/native,' \
		'FAILED python-2.7/race-add' 'unexpected words: 0.1 10 3 4 1000'
	[ "$(cell native-locked 2 speedup)" = 0.5 ]
	is "$dir/journal.jsonl" "len([x for x in d if x['type'] == 'failure']) == 6"
}

@test "what an interpreter has not is left out by name, which is no failure" {
	fake "$bin/python2" 2.7.18 rounds=0
	fake "$bin/python3" 3.11.2 'case $program/$4 in countdown.py/native-locked) echo no ctypes >&2; exit 3 ;; esac'
	run -0 --separate-stderr measure --python "$bin/python2" --python "$bin/python3"
	has "$stderr" 'python-2.7: no native work' 'python-3.11/native-locked, 2 workers, left out: no ctypes'
	[ -z "$(cell native 2 speedup)" ]
	[ "$(cell native 2 speedup python-3.11)" = 2 ]
}

@test "an interrupted run keeps what it measured and exits 130" {
	fake "$bin/python2" 2.7.18 "[ \$program/\$4 != countdown.py/threads ] || {
		: >'$BATS_TEST_TMPDIR/asleep'; exec sleep 100; }"
	start "$gil" --no-miniature --no-charts --quick --threads 1 --samples 1 --seed 1 \
		--python "$bin/python2" --output "$dir"
	wait_until 60 [ -e "$BATS_TEST_TMPDIR/asleep" ]
	kill -TERM "$started"
	code=0
	wait "$started" || code=$?
	[ "$code" = 130 ]
	[ -s "$dir/verdict.txt" ]
	[ -z "$(cell threads 1 speedup)" ]
	"$LOCKSCALE" report --no-charts --quiet "$dir"
}

@test "the miniature is measured into the same result where the program has it" {
	fake "$bin/python2" 2.7.18
	cat >"$bin/lockscale" <<END
#!/bin/sh
case \$1 in
list) echo '   "name": "python",' ;;
run)
	echo "\$*" >'$BATS_TEST_TMPDIR/asked'
	exec '$LOCKSCALE' run --quiet --quick --output '$dir' --threads 1 'control/*'
	;;
*) exec '$LOCKSCALE' "\$@" ;;
esac
END
	chmod +x "$bin/lockscale"
	LOCKSCALE="$bin/lockscale" "$gil" --quick --no-charts --threads 1,2 --oversubscribe \
		--output "$dir" --python "$bin/python2"
	has "$(cat "$BATS_TEST_TMPDIR/asked")" 'control/*' 'python/*' '--threads 1,2'
	rm -r "$dir"
	LOCKSCALE="$bin/lockscale" measure --python "$bin/python2"
	lacks "$(cat "$BATS_TEST_TMPDIR/asked")" 'python/*'
}

@test "one chart shows threads under every interpreter and under the miniature" {
	command -v gnuplot >/dev/null || skip 'gnuplot is not installed'
	mkdir "$dir"
	{
		printf 'kernel\tstrategy\tlock\tplacement\tthreads\tops_per_second\tlo\thi\tspeedup\t'
		printf 'speedup_lo\tspeedup_hi\tefficiency\tself_speedup\tfairness\tsamples\tdisturbed\n'
		while read -r kernel strategy two; do
			for n in 1 2; do
				[ $n = 1 ] || [ "$two" != - ] || continue
				v=1
				[ $n = 1 ] || v=$two
				printf '%s\t%s\t-\tcompact\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t1\t%s\t1\t6\t0\n' \
					"$kernel" "$strategy" $n "$v" "$v" "$v" "$v" "$v" "$v" "$v"
			done
		done <<-END
			python-2.7 sequential -
			python-2.7 threads 0.54
			python-3.9 sequential -
			python-3.9 threads 1.15
			python-3.10 sequential -
			python-3.10 threads 1.05
			python-3.10 processes 1.9
			python-3.13t sequential -
			python-3.13t threads 2.04
			python sequential -
			python gil-2 0.56
		END
	} >"$dir/speedup.tsv"
	"$ROOT/scripts/chart" "$dir"
	has "$(cat "$dir/charts/interpreters.svg")" 'Python 2.7 threads 0.54×' 'Python 3.9 threads 1.15×' \
		'Python 3.13t threads 2.04×' 'Python 3.10 processes 1.90×' 'miniature gil-2 0.56×' \
		'On 2 workers threads reach 0.54× under Python 2.7'
	[ -s "$dir/charts/interpreters.png" ]
	sed -i '/^python-/d' "$dir/speedup.tsv"
	"$ROOT/scripts/chart" "$dir"
	[ ! -e "$dir/charts/interpreters.svg" ]
}

# of_real INTERPRETER [OPTION...]: what holds of any of them
of_real()
{
	run -0 --separate-stderr "$gil" --quick --no-miniature --no-charts --samples 1 --threads 1 \
		--output "$dir" --python "$@"
	is "$dir/journal.jsonl" "all(x['ops_per_second'] > 0 and sum(x['worker_ops']) > 0 for x in s)"
	is "$dir/journal.jsonl" "{x['strategy'] for x in s if '-' in x['kernel']} >= {'sequential', 'threads'}"
	grep -q 'race-call' "$dir/interpreters.tsv"
}

@test "a real Python 3 is measured, native work with it" {
	command -v python3 >/dev/null || skip 'python3 is not installed'
	of_real python3
	is "$dir/journal.jsonl" "{x['strategy'] for x in s} >= {'processes', 'native', 'native-locked'}"
	grep -q 'ping-p99	1' "$dir/interpreters.tsv"
}

@test "a real Python 2 is measured by the same programs" {
	command -v python2.7 >/dev/null && python2.7 -c '' 2>/dev/null || skip 'python2.7 is not installed'
	of_real python2.7
}

@test "a real Jython is measured by the same programs" {
	command -v jython >/dev/null && jython -c '' 2>/dev/null || skip 'jython (and Java) is not installed'
	of_real jython --strategies threads,race # each strategy starts Java anew
}
