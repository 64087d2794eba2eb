#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# scripts/chart: which charts come of which tables, that their words can be read, and what happens
# where they cannot be drawn. Tables are made by tests/synthetic-table.

setup_file()
{
	export ROOT="$BATS_TEST_DIRNAME/../.."
	export TABLES="$BATS_FILE_TMPDIR"
	command -v gnuplot >/dev/null || return 0
	"$ROOT/tests/synthetic-table" --directory "$TABLES/2" 2
	"$ROOT/tests/synthetic-table" --directory "$TABLES/16" 16
	"$ROOT/tests/synthetic-table" --directory "$TABLES/448" 448
	"$ROOT/tests/synthetic-table" --directory "$TABLES/locks" --locks 25 --kernels control,counter 448
	"$ROOT/tests/synthetic-table" --directory "$TABLES/names" --locks 25 --long-names \
		--kernels control,counter 16
	"$ROOT/tests/synthetic-table" --directory "$TABLES/placements" --kernels control,bank \
		--placements compact,spread,smt 64
	for machine in 2 16 448; do
		"$ROOT/tests/synthetic-table" --directory "$TABLES/more-$machine" --kernels counter \
			--tables contention,latency,fairness,handover,core_to_core $machine
	done
	"$ROOT/tests/synthetic-table" --directory "$TABLES/more-names" --locks 25 --long-names \
		--kernels counter --placements compact,smt \
		--tables contention,crossover,latency,fairness,handover,core_to_core 8
	"$ROOT/tests/synthetic-table" --directory "$TABLES/oversubscribed" --kernels control,counter \
		--pus 4 16
	"$ROOT/tests/synthetic-table" --directory "$TABLES/oversubscribed-64" --kernels counter \
		--pus 64 --locks 25 256
	for machine in 2 16 448 locks names placements more-2 more-16 more-448 more-names \
		oversubscribed oversubscribed-64; do
		"$ROOT/scripts/chart" "$TABLES/$machine"
	done
}

setup()
{
	chart="$ROOT/scripts/chart"
	dir="$BATS_TEST_TMPDIR/result"
	case $BATS_TEST_DESCRIPTION in
	without_gnuplot*) return 0 ;;
	esac
	command -v gnuplot >/dev/null || skip 'gnuplot is not installed'
}

# small [OPTION...] WORKERS: a result directory with one kernel and the control
small()
{
	"$ROOT/tests/synthetic-table" --directory "$dir" --kernels control,counter --locks 2 "$@"
}

# change PROGRAM: the table, each line but the header through an awk program
change()
{
	awk -F '\t' -v OFS='\t' "NR == 1 { print; next } $1 { print }" "$dir/speedup.tsv" >"$dir/changed"
	mv "$dir/changed" "$dir/speedup.tsv"
}

# further TABLE [WORKERS]: a result directory with one of the tables that are not over workers
further()
{
	small --kernels counter --tables "$1" "${2-4}"
}

# without TABLE COLUMN: renames the column, so that the table lacks it
without()
{
	sed "1s/\\b$2\\b/other/" "$dir/$1.tsv" >"$dir/changed"
	mv "$dir/changed" "$dir/$1.tsv"
}

# words SVG: all its words, a line each
words()
{
	sed -n 's/.*<text>\(.*\)<\/text>.*/\1/p' "$1" | sed 's/^ *//; s/ *$//'
}

# has_word SVG WORD
has_word()
{
	words "$1" | grep -qxF -- "$2" || {
		echo "$1 has no \"$2\", but:"
		words "$1"
		return 1
	}
}

# The boxes of all words in an SVG: each must lie on the canvas, and none may touch another.
# Widths are estimated from classes of letters, on purpose not from the table that places them.
readable()
{
	LC_ALL=C awk '
	function width(text, n, i, c, sum) {
		gsub(/&[a-z]+;/, "&", text)
		gsub(/[\200-\277]/, "", text)
		n = length(text)
		for (i = 1; i <= n; i++) {
			c = substr(text, i, 1)
			if (index("ijl.,:;|!I()/ -t", c))
				sum += 0.33
			else if (index("mwMW%", c) || c > "~")
				sum += 0.88
			else
				sum += c ~ /[A-Z]/ ? 0.68 : 0.6
		}
		return sum
	}
	/viewBox=/ { split(substr($0, index($0, "=") + 2), part, /[ "]/); wide = part[3]; high = part[4] }
	/<g transform="translate\(/ {
		split(substr($0, index($0, "translate(") + 10), part, /[,)]/)
		x = part[1]; y = part[2]
		size = $0; sub(/.*font-size="/, "", size); size += 0
		side = $0; sub(/.*text-anchor="/, "", side); sub(/".*/, "", side)
		bold = /font-weight="bold"/ ? 1.1 : 1
	}
	/<text>/ {
		text = $0; gsub(/.*<text>|<\/text>.*/, "", text); gsub(/^ +| +$/, "", text)
		if (text == "")
			next
		w = width(text) * size * bold
		n++
		word[n] = text
		left[n] = side == "start" ? x : side == "end" ? x - w : x - w / 2
		right[n] = left[n] + w
		top[n] = y - 0.73 * size
		bottom[n] = y + 0.15 * size
		if (left[n] < 0 || top[n] < 0 || right[n] > wide || bottom[n] > high) {
			print FILENAME ": cut off: " text
			bad = 1
		}
	}
	END {
		for (i = 1; i <= n; i++)
			for (j = 1; j < i; j++)
				if (left[i] < right[j] && left[j] < right[i] && top[i] < bottom[j] && top[j] < bottom[i]) {
					print FILENAME ": overlap: " word[i] " and " word[j]
					bad = 1
				}
		if (n < 5) {
			print FILENAME ": only " n + 0 " words"
			bad = 1
		}
		exit bad
	}' "$1"
}

all_readable()
{
	local svg bad=0
	for svg in "$1"/charts/*.svg; do
		readable "$svg" || bad=1
	done
	[ "$bad" -eq 0 ]
}

# bats takes no notice of a failing "! command".
refute()
{
	if "$@"; then
		return 1
	fi
}

# bytes FROM COUNT FILE: in hexadecimal
bytes()
{
	od -A n -t x1 -j "$1" -N "$2" "$3" | tr -d ' \n'
}

@test "each_kernel_has_a_chart_of_each_kind_as_svg_and_png" {
	for kernel in control counter histogram bank mandelbrot; do
		for kind in speedup throughput efficiency fairness; do
			[ -s "$TABLES/2/charts/$kind-$kernel.svg" ]
			[ -s "$TABLES/2/charts/$kind-$kernel.png" ]
		done
	done
	[ -s "$TABLES/2/charts/overview.svg" ]
	[ -s "$TABLES/2/charts/overview.png" ]
	[ "$(ls -A "$TABLES/2/charts" | wc -l)" -eq 42 ]
}

@test "every_png_is_a_whole_960_by_600_image" {
	for png in "$TABLES"/448/charts/*-*.png; do
		[ "$(bytes 0 8 "$png")" = 89504e470d0a1a0a ]
		[ "$(bytes 16 8 "$png")" = 000003c000000258 ]
		[ "$(tail -c 8 "$png" | head -c 4)" = IEND ]
	done
}

@test "every_svg_is_whole_and_bears_the_charts_title" {
	for svg in "$TABLES"/448/charts/*.svg; do
		head -c 5 "$svg" | grep -q '<?xml'
		tail -n 2 "$svg" | grep -q '^</svg>'
		[ "$(grep -c '<title>' "$svg")" -eq 1 ]
	done
	grep -q '<title>counter: only private state scales' "$TABLES/448/charts/speedup-counter.svg"
}

@test "all_words_lie_on_the_canvas_and_none_overlap_with_2_workers" { all_readable "$TABLES/2"; }
@test "all_words_lie_on_the_canvas_and_none_overlap_with_16_workers" { all_readable "$TABLES/16"; }
@test "all_words_lie_on_the_canvas_and_none_overlap_with_448_workers" { all_readable "$TABLES/448"; }
@test "all_words_lie_on_the_canvas_and_none_overlap_with_25_locks" { all_readable "$TABLES/locks"; }
@test "all_words_lie_on_the_canvas_and_none_overlap_with_long_names" { all_readable "$TABLES/names"; }
@test "all_words_lie_on_the_canvas_and_none_overlap_with_3_placements" { all_readable "$TABLES/placements"; }

@test "labels_forced_together_are_caught" {
	mkdir -p "$BATS_TEST_TMPDIR/twin"
	cp -R "$ROOT/plots" "$ROOT/scripts" "$BATS_TEST_TMPDIR/twin/"
	twin="$BATS_TEST_TMPDIR/twin"
	sed 's/label_y\[order\[j\]\] = .*/label_y[order[j]] = label_wants[order[j]]/' \
		"$ROOT/plots/labels.awk" >"$twin/plots/labels.awk"
	refute cmp -s "$ROOT/plots/labels.awk" "$twin/plots/labels.awk"
	small 16
	"$twin/scripts/chart" "$dir"
	run readable "$dir/charts/speedup-counter.svg"
	[ "$status" -eq 1 ]
	[[ $output == *overlap:* ]]
}

@test "a_label_beyond_the_edge_is_caught" {
	sed 's/\(<text>\)\(private \)/\1a name that is far too long for the margin it is put in: \2/' \
		"$TABLES/2/charts/speedup-counter.svg" >"$BATS_TEST_TMPDIR/twin.svg"
	run readable "$BATS_TEST_TMPDIR/twin.svg"
	[ "$status" -eq 1 ]
	[[ $output == *'cut off:'* ]]
}

@test "a_strategy_has_the_same_colour_in_every_chart" {
	for svg in "$TABLES"/*/charts/*-counter.svg; do
		case $svg in
		*/latency-* | */shares-*) continue ;;
		esac
		grep -q "rgb(  0, 158, 115)" "$svg" # private
	done
}

@test "wrong_results_are_said_to_be_wrong" {
	grep -q '(wrong results)' "$TABLES/2/charts/speedup-counter.svg"
	grep -q 'unsynchronized (wrong results)' "$TABLES/2/charts/overview.svg"
}

@test "boundaries_are_named" {
	grep -q '<text>SMT</text>' "$TABLES/448/charts/speedup-counter.svg"
	grep -q '<text>package 2' "$TABLES/448/charts/speedup-counter.svg"
	refute grep -q '<text>SMT</text>' "$TABLES/2/charts/speedup-counter.svg"
}

@test "axes_are_linear_to_16_workers_and_logarithmic_beyond" {
	grep -q '<text>Workers</text>' "$TABLES/16/charts/speedup-counter.svg"
	grep -q '<text>Workers (logarithmic)</text>' "$TABLES/448/charts/speedup-counter.svg"
	refute grep -q '<text>1.5</text>' "$TABLES/2/charts/speedup-counter.svg" # workers are whole
}

@test "locks_between_best_and_worst_are_counted" {
	grep -q '22 more locks of global-lock and 23 of fine-lock' "$TABLES/locks/charts/speedup-counter.svg"
}

@test "placement_is_in_the_name_only_where_there_are_several" {
	[ -s "$TABLES/placements/charts/speedup-bank-compact.svg" ]
	[ -s "$TABLES/placements/charts/fairness-bank-smt.png" ]
	[ ! -e "$TABLES/placements/charts/speedup-bank.svg" ]
	[ -s "$TABLES/placements/charts/overview.svg" ]
}

@test "numbers_that_do_not_exist_interrupt_a_line" {
	small 4
	change '$2 == "private" && $5 == 3 { for (i = 6; i <= 14; i++) $i = "NA" }'
	change '$2 == "lock-free" { $10 = $11 = "NA" }'
	"$chart" "$dir"
	all_readable "$dir"
}

@test "a_series_of_nothing_but_na_is_left_out" {
	small 4
	change '$2 == "rcu" { for (i = 6; i <= 14; i++) $i = "NA" }'
	"$chart" "$dir"
	refute grep -q '>rcu' "$dir/charts/speedup-counter.svg"
	all_readable "$dir"
}

@test "a_series_that_ends_early_says_where" {
	small 4
	awk -F '\t' '$2 != "rcu" || $5 < 3' "$dir/speedup.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/speedup.tsv"
	"$chart" "$dir"
	grep -q '>rcu .* at 2<' "$dir/charts/speedup-counter.svg"
}

@test "a_single_point_is_drawn" {
	small 1
	"$chart" "$dir"
	all_readable "$dir"
	grep -q '<text>Bars: 95 %' "$dir/charts/speedup-counter.svg"
}

@test "a_kernel_without_sequential_has_throughput_but_no_speedup" {
	small 4
	awk -F '\t' -v OFS='\t' '$1 == "counter" && $2 == "sequential" { next }
		$1 == "counter" { $9 = $10 = $11 = $12 = "NA" } { print }' \
		"$dir/speedup.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/speedup.tsv"
	run "$chart" "$dir"
	[ "$status" -eq 0 ]
	[[ $output == *'no sequential run was measured'* ]]
	[ -s "$dir/charts/throughput-counter.svg" ]
	[ ! -e "$dir/charts/speedup-counter.svg" ]
	all_readable "$dir"
}

@test "strategies_and_locks_never_heard_of_are_drawn" {
	small 4
	change '{ sub(/^rcu$/, "flat-combining", $2); sub(/^mutex$/, "my_own'\''lock", $3) }'
	"$chart" "$dir"
	grep -q 'flat-combining' "$dir/charts/speedup-counter.svg"
	all_readable "$dir"
}

@test "titles_may_hold_any_character" {
	small 2
	printf 'kernel\tplacement\tunit\ttitle\ncounter\tcompact\tincrements\tit'\''s `date` $(date) @x <b> & "50 %%" \\n {/Bold x}\n' \
		>"$dir/findings.tsv"
	"$chart" "$dir"
	grep -qF '`date` $(date) @x &lt;b&gt; &amp;' "$dir/charts/speedup-counter.svg"
	all_readable "$dir"
}

@test "only_the_table_is_needed" {
	small 2
	rm -f "$dir/boundaries.tsv" "$dir/findings.tsv" "$dir/machine.txt" "$dir/mandelbrot.bin"
	"$chart" "$dir"
	all_readable "$dir"
	[ ! -e "$dir/mandelbrot.png" ]
}

@test "spaces_and_quotes_in_the_directory_name_do_no_harm" {
	dir="$BATS_TEST_TMPDIR/it's a \"result\" \\n"
	small 2
	"$chart" "$dir"
	[ -s "$dir/charts/speedup-counter.png" ]
	[ -s "$dir/mandelbrot.png" ]
}

@test "the_mandelbrot_image_has_its_own_size" {
	small 2
	"$chart" "$dir"
	[ "$(bytes 16 8 "$dir/mandelbrot.png")" = 0000006000000040 ]
}

@test "a_broken_mandelbrot_image_does_not_cost_the_charts" {
	small 2
	printf '10 10 50\nshort' >"$dir/mandelbrot.bin"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'mandelbrot.bin is no image'* ]]
	[ -s "$dir/charts/speedup-counter.svg" ]
}

@test "charts_of_an_earlier_table_are_removed_and_others_kept" {
	small 2
	mkdir "$dir/charts"
	touch "$dir/charts/speedup-gone.svg" "$dir/charts/mine.svg" "$dir/charts/contentions.svg"
	for old in contention contention-lines-4 latency-counter shares-counter handover handover-smt core-to-core; do
		touch "$dir/charts/$old.svg" "$dir/charts/$old.png"
	done
	"$chart" "$dir"
	[ ! -e "$dir/charts/speedup-gone.svg" ]
	[ -e "$dir/charts/mine.svg" ]
	[ -e "$dir/charts/contentions.svg" ]
	[ "$(ls "$dir/charts" | grep -c 'contention[.-]\|latency\|shares\|handover\|core-to-core')" -eq 0 ]
}

@test "all_words_of_the_other_kinds_can_be_read_with_2_workers" { all_readable "$TABLES/more-2"; }
@test "all_words_of_the_other_kinds_can_be_read_with_16_workers" { all_readable "$TABLES/more-16"; }
@test "all_words_of_the_other_kinds_can_be_read_with_448_workers" { all_readable "$TABLES/more-448"; }
@test "all_words_of_the_other_kinds_can_be_read_with_long_names" { all_readable "$TABLES/more-names"; }
@test "all_words_can_be_read_where_workers_outnumber_pus" {
	all_readable "$TABLES/oversubscribed"
	all_readable "$TABLES/oversubscribed-64"
}

@test "each_further_table_has_its_charts_as_svg_and_png" {
	for machine in 2 16 448; do
		for name in contention-lines-1 contention-lines-4 latency-counter shares-counter handover core-to-core; do
			[ -s "$TABLES/more-$machine/charts/$name.svg" ]
			[ -s "$TABLES/more-$machine/charts/$name.png" ]
		done
	done
	for name in contention-compact-lines-4 contention-smt-lines-1 latency-counter-smt shares-counter-compact handover-smt; do
		[ -s "$TABLES/more-names/charts/$name.png" ]
	done
}

@test "both_awks_lay_out_the_same_words" {
	[ -x /usr/bin/gawk ] && [ -x /usr/bin/mawk ] || skip 'needs gawk and mawk'
	mkdir "$BATS_TEST_TMPDIR/gawk" "$BATS_TEST_TMPDIR/mawk"
	small --tables contention,latency,fairness,handover,core_to_core 24
	for awk in gawk mawk; do
		ln -s "/usr/bin/$awk" "$BATS_TEST_TMPDIR/$awk/awk"
		PATH="$BATS_TEST_TMPDIR/$awk:$PATH" "$chart" "$dir"
		for svg in "$dir"/charts/*.svg; do
			words "$svg"
		done >"$BATS_TEST_TMPDIR/$awk.words"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/mawk.words")" -gt 500 ]
	cmp "$BATS_TEST_TMPDIR/gawk.words" "$BATS_TEST_TMPDIR/mawk.words"
}

@test "tables_of_nothing_but_a_header_make_no_chart" {
	small --tables contention,crossover,latency,fairness,handover,core_to_core 2
	for table in contention crossover latency fairness handover core_to_core; do
		head -n 1 "$dir/$table.tsv" >"$dir/cut"
		mv "$dir/cut" "$dir/$table.tsv"
	done
	"$chart" "$dir"
	[ "$(ls "$dir/charts" | grep -c 'contention\|latency\|shares\|handover\|core-to-core')" -eq 0 ]
	[ -s "$dir/charts/overview.svg" ]
}

@test "a_further_table_without_a_column_is_refused" {
	for missing in contention:work_ns crossover:work_ns_at_crossover latency:p999_ns fairness:shares \
		handover:limit_ns core_to_core:one_way_ns; do
		table=${missing%:*}
		rm -rf "$dir"
		further "$table"
		without "$table" "${missing#*:}"
		run "$chart" "$dir"
		[ "$status" -eq 1 ]
		[[ $output == *"$table.tsv has no column ${missing#*:}"* ]]
		[ -z "$(ls -A "$dir/charts")" ]
	done
}

@test "a_row_that_is_cut_short_is_refused_by_its_line" {
	further handover
	printf 'ticket\tyes\n' >>"$dir/handover.tsv"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'handover.tsv, line 4: too few columns'* ]]
}

@test "the_terminal_chart_needs_none_of_the_further_tables" {
	further latency
	without latency p99_ns
	"$chart" --terminal "$dir" counter
}

@test "a_contention_map_of_one_mix_is_no_map" {
	further contention
	awk -F '\t' 'NR == 1 || $1 == 100 && $2 == 400' "$dir/contention.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/contention.tsv"
	"$chart" "$dir"
	[ ! -e "$dir/charts/contention-lines-1.svg" ]
	[ ! -e "$dir/charts/contention.svg" ]
}

@test "a_contention_map_of_one_row_and_one_number_of_lines_is_drawn" {
	further contention
	awk -F '\t' 'NR == 1 || $1 == 100 && $3 == 1' "$dir/contention.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/contention.tsv"
	"$chart" "$dir"
	[ ! -e "$dir/charts/contention-lines-1.svg" ]
	readable "$dir/charts/contention.svg"
}

@test "cells_without_a_number_are_crossed_and_do_not_harm_the_map" {
	further contention
	awk -F '\t' -v OFS='\t' '$2 == 800 { $9 = "NA" } $1 == 400 && $2 == 50 { $9 = 0 } $2 == 1600 { next } { print }' \
		"$dir/contention.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/contention.tsv"
	sed -i '3d' "$dir/contention.tsv"
	"$chart" "$dir"
	readable "$dir/charts/contention-lines-1.svg"
	has_word "$dir/charts/contention-lines-1.svg" 0.00
}

# map: a result directory with a contention map of one lock, from lines "cs work speedup" of stdin
map()
{
	small --kernels counter 4
	awk -v OFS='\t' 'BEGIN {
		print "cs_ns", "work_ns", "lines", "lock", "strategy", "placement", "threads", "ops_per_second",
		      "speedup", "speedup_lo", "speedup_hi", "attainable"
	}
	{ print $1, $2, 1, "mutex", "global-lock", "compact", 4, 1, $3, $3, $3, 4 }' >"$dir/contention.tsv"
}

@test "the_crossover_is_interpolated_in_the_logarithm_of_work" {
	map <<-END
		10 10 1.0
		10 100 3.2
		10 1000 4.0
	END
	"$chart" "$dir"
	# 3.6 is half way from 3.2 to 4.0, so half way between the decades: 316 ns, 31.6 times 10 ns
	grep -q '<title>contention: on 4 workers mutex reaches 0.9 of attainable once the work outside is 32 times' \
		"$dir/charts/contention.svg"
	readable "$dir/charts/contention.svg"
}

@test "the_crossover_table_is_believed" {
	map <<-END
		10 10 1.0
		10 100 3.2
		10 1000 4.0
	END
	printf 'lock\tplacement\tthreads\tlines\tcs_ns\twork_ns_at_crossover\nmutex\tcompact\t4\t1\t10\t200\n' \
		>"$dir/crossover.tsv"
	"$chart" "$dir"
	grep -q '<title>.* is 20 times the critical section' "$dir/charts/contention.svg"
	sed -i 's/200$/NA/' "$dir/crossover.tsv"
	"$chart" "$dir"
	grep -q '<title>.* no lock reaches 0.9 of attainable' "$dir/charts/contention.svg"
}

@test "locks_beyond_twelve_are_named_below_the_contention_map" {
	words "$TABLES/more-names/charts/contention-compact-lines-1.svg" | grep -q '13 more locks in contention.tsv'
}

@test "of_a_structure_the_latency_chart_speaks_of_operations" {
	small --kernels counter 4
	cat >"$dir/latency.tsv" <<-END
		kernel	strategy	lock	placement	threads	acquisitions	p50_ns	p99_ns	p999_ns	max_ns	clock_ns	line_ns	disturbed_samples	what
		queue	global-lock	mcs	compact	4	10	50	300	400	5000	20	80	0	operation
		queue	lock-free	-	compact	4	10	50	200	400	5000	20	80	0	operation
		counter	global-lock	mcs	compact	4	10	50	300	400	5000	20	80	0	acquire
	END
	"$chart" "$dir"
	words "$dir/charts/latency-queue.svg" | grep -q 'Time of an operation'
	words "$dir/charts/latency-queue.svg" | grep -q '1 in 100 operations takes longer'
	words "$dir/charts/latency-counter.svg" | grep -q 'Time to acquire the lock'
}

@test "latency_rows_are_in_the_order_of_p99_and_missing_numbers_come_last" {
	small --kernels counter 4
	cat >"$dir/latency.tsv" <<-END
		kernel	strategy	lock	placement	threads	acquisitions	p50_ns	p99_ns	p999_ns	max_ns	clock_ns	line_ns	disturbed_samples
		counter	global-lock	mutex	compact	4	10	50	900	1000	5000	20	80	0
		counter	global-lock	mcs	compact	4	10	50	300	0	5000	20	80	0
		counter	fine-lock	tas	compact	4	10	NA	NA	NA	7000	NA	NA	NA
		counter	global-lock	spin	compact	4	10	NA	NA	NA	NA	NA	NA	NA
		counter@cs=1	global-lock	mcs	compact	4	10	50	300	400	5000	20	80	0
	END
	"$chart" "$dir"
	svg="$dir/charts/latency-counter.svg"
	readable "$svg"
	[ "$(words "$svg" | grep -x 'global-lock/mutex\|global-lock/mcs\|fine-lock/tas' | tr '\n' ' ')" = \
		'global-lock/mcs global-lock/mutex fine-lock/tas ' ]
	refute grep -q 'spin<' "$svg"
	grep -q '<title>counter: on 4 workers, 1 in 100 acquisitions takes longer than 300 ns with mcs, 900 ns with mutex<' "$svg"
	has_word "$svg" 'clock 20.0 ns'
	words "$svg" | grep -q 'Times of 0 stand at the left end'
	[ "$(ls "$dir/charts" | grep -c latency)" -eq 2 ]
}

@test "a_worker_alone_is_drawn_beneath_the_others" {
	has_word "$TABLES/more-16/charts/latency-counter.svg" 'grey: one worker alone'
}

@test "shares_show_who_had_how_much" {
	small --kernels counter 2
	cat >"$dir/fairness.tsv" <<-END
		kernel	strategy	lock	placement	threads	jain	fewest_over_most	longest_wait_ns	shares
		counter	global-lock	mutex	compact	2	0.735294	0.25	9000	80,20
		counter	global-lock	mcs	compact	2	1	1	NA	1,1
		counter	global-lock	tas	compact	2	0.5	0	NA	0,1
		counter	global-lock	spin	compact	2	0.6	NA	NA	NA
		counter	global-lock	mcs	compact	1	1	1	NA	1
		counter@cs=1	global-lock	mcs	compact	2	1	1	NA	1,1
	END
	"$chart" "$dir"
	svg="$dir/charts/shares-counter.svg"
	readable "$svg"
	has_word "$svg" '80 %'
	has_word "$svg" '100 %'
	has_word "$svg" 0.735
	has_word "$svg" 'no shares in the table'
	[ "$(words "$svg" | grep -cx '50 %')" -eq 2 ]
	grep -q '<title>counter: on 2 workers, mcs shares most evenly; with tas it is as if only 1.0 of them' "$svg"
}

@test "shares_of_one_worker_are_not_drawn" {
	further fairness 1
	"$chart" "$dir"
	[ ! -e "$dir/charts/shares-counter.svg" ]
}

@test "shares_of_many_workers_become_strips_around_the_fair_share" {
	has_word "$TABLES/more-448/charts/shares-counter.svg" 'fair share'
	refute grep -q '%<' "$TABLES/more-448/charts/shares-counter.svg"
}

@test "fifo_locks_stand_apart_and_others_may_beat_the_limit" {
	small --kernels counter 2
	cat >"$dir/handover.tsv" <<-END
		lock	fifo	placement	threads	handover_ns	section_ns	line_ns	limit_ns	ratio
		mutex	no	compact	2	60	20	80	100	0.6
		mcs	yes	compact	2	250	20	80	100	2.5
		ticket	yes	compact	2	150	20	80	100	1.5
		spin	no	compact	2	NA	20	80	100	NA
		tas	no	compact	2	300	20	80	NA	NA
	END
	"$chart" "$dir"
	svg="$dir/charts/handover.svg"
	readable "$svg"
	[ "$(words "$svg" | grep -x 'FIFO\|ticket\|mcs\|not FIFO\|mutex\|tas' | tr '\n' ' ')" = \
		'FIFO ticket mcs not FIFO mutex tas ' ]
	has_word "$svg" '2.50×'
	words "$svg" | grep -q 'may beat the limit, as 1 does here'
	refute grep -q 'spin<' "$svg"
	grep -q '<title>Hand-over on 2 workers: of the FIFO locks ticket takes 1.50 times the limit, mcs 2.50 times<' "$svg"
}

@test "core_to_core_is_symmetric_and_says_which_pairs_are_missing" {
	small --kernels counter 2
	printf 'from\tto\tone_way_ns\n0\t1\t12.5\n0\t10\t110\n10\t2\tNA\n' >"$dir/core_to_core.tsv"
	"$chart" "$dir"
	svg="$dir/charts/core-to-core.svg"
	readable "$svg"
	[ "$(words "$svg" | grep -cx '110')" -eq 2 ]
	[ "$(words "$svg" | grep -cx '12\|13')" -eq 2 ]
	words "$svg" | grep -q '2 of 6 pairs were measured'
	[ "$(words "$svg" | grep -x '0\|1\|2\|10' | head -n 8 | tr '\n' ' ')" = '0 0 1 1 2 2 10 10 ' ]
}

@test "core_to_core_of_something_other_than_pus_is_refused" {
	small --kernels counter 2
	printf 'from\tto\tone_way_ns\n0\tx\t12.5\n' >"$dir/core_to_core.tsv"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'core_to_core.tsv, row 1: from and to are not both PUs'* ]]
}

@test "core_to_core_of_many_pus_is_one_image_with_thinned_tics" {
	svg="$TABLES/more-448/charts/core-to-core.svg"
	grep -q 'image-rendering: pixelated' "$svg"
	[ "$(wc -c <"$svg")" -lt 2000000 ]
	[ "$(words "$svg" | wc -l)" -lt 60 ]
}

@test "workers_beyond_the_pus_are_a_regime_of_their_own" {
	for kind in speedup throughput efficiency fairness; do
		svg="$TABLES/oversubscribed/charts/$kind-counter.svg"
		has_word "$svg" oversubscribed
		words "$svg" | grep -q 'more workers than the 4 PUs'
		grep -q 'rgb(245, 242, 234)' "$svg"
	done
	grep -q 'rgb(245, 242, 234)' "$TABLES/oversubscribed/charts/overview.svg"
	for svg in "$TABLES"/16/charts/*.svg; do
		refute grep -q 'rgb(245, 242, 234)\|oversubscribed' "$svg"
	done
	COLUMNS=80 "$chart" --terminal "$TABLES/oversubscribed" counter | grep -q oversubscribed
}

@test "a_kernel_under_a_setting_has_no_charts_over_workers" {
	small 4
	awk -F '\t' -v OFS='\t' '{ print } $1 == "counter" { $1 = "counter@cs=100,work=400,lines=1"; print }' \
		"$dir/speedup.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/speedup.tsv"
	"$chart" "$dir"
	[ "$(ls "$dir/charts" | grep -c 'cs')" -eq 0 ]
	refute grep -q 'cs=' "$dir/charts/overview.svg"
	run "$chart" --terminal "$dir"
	[[ $output != *'cs='* ]]
}

@test "of_many_locks_at_most_twelve_series_have_a_label" {
	for svg in "$TABLES/locks/charts/speedup-counter.svg" "$TABLES/oversubscribed-64/charts/fairness-counter.svg"; do
		[ "$(words "$svg" | grep -v '^package' |
			grep -c '^[a-z-]*\(/[a-z0-9-]*\)\? [0-9.e-]*×\?$')" -le 13 ] # and attainable
		grep -q 'rgb(205, 205, 205)' "$svg"
	done
}

@test "the_terminal_chart_fits_80_columns_of_ascii" {
	for machine in 2 16 448; do
		COLUMNS=80 "$chart" --terminal "$TABLES/$machine" >"$BATS_TEST_TMPDIR/drawn"
		[ "$(awk 'length > 80' "$BATS_TEST_TMPDIR/drawn" | wc -l)" -eq 0 ]
		[ "$(LC_ALL=C tr -d '\n\040-\176' <"$BATS_TEST_TMPDIR/drawn" | wc -c)" -eq 0 ]
		grep -q 'private' "$BATS_TEST_TMPDIR/drawn"
		grep -q 'ideal' "$BATS_TEST_TMPDIR/drawn"
	done
}

@test "the_terminal_chart_of_one_kernel_shows_only_that" {
	run "$chart" --terminal "$TABLES/16" bank
	[ "$status" -eq 0 ]
	[[ $output == *bank:* ]]
	[[ $output != *counter:* ]]
}

@test "the_terminal_chart_writes_nothing_into_the_directory" {
	small 2
	before=$(ls -AR "$dir")
	"$chart" --terminal "$dir" >/dev/null
	[ "$(ls -AR "$dir")" = "$before" ]
}

@test "an_unknown_kernel_is_said_to_be_unknown" {
	run "$chart" --terminal "$TABLES/2" nonsense
	[ "$status" -eq 1 ]
	[[ $output == *'no kernel nonsense'* ]]
}

@test "misuse_exits_2_and_help_0" {
	run "$chart"
	[ "$status" -eq 2 ]
	run "$chart" --nonsense "$TABLES/2"
	[ "$status" -eq 2 ]
	run "$chart" "$TABLES/2" counter
	[ "$status" -eq 2 ]
	run "$chart" --help
	[ "$status" -eq 0 ]
	[[ $output == Usage:* ]]
}

@test "a_directory_without_a_table_is_refused" {
	mkdir "$dir"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'no speedup.tsv'* ]]
	run "$chart" "$dir/nowhere"
	[ "$status" -eq 1 ]
	[[ $output == *'not a directory'* ]]
}

@test "a_table_without_a_column_or_without_points_is_refused" {
	small 2
	sed 's/self_speedup/other/' "$dir/speedup.tsv" >"$dir/cut"
	mv "$dir/cut" "$dir/speedup.tsv"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'no column self_speedup'* ]]
	"$ROOT/tests/synthetic-table" 2 | head -n 1 >"$dir/speedup.tsv"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'no points'* ]]
	[ -z "$(ls -A "$dir/charts")" ]
}

@test "charts_that_cannot_be_written_are_an_error" {
	small 2
	: >"$dir/charts"
	run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'cannot create'* ]]
}

@test "a_read_only_directory_is_an_error" {
	[ "$(id -u)" -ne 0 ] || skip 'root writes anywhere'
	small 2
	mkdir "$dir/charts"
	chmod a-w "$dir/charts"
	run "$chart" "$dir"
	chmod u+w "$dir/charts"
	[ "$status" -eq 1 ]
	[[ $output == *'cannot write to'* ]]
}

@test "a_full_disk_leaves_the_old_charts_whole_and_no_others" {
	small 2
	mkdir "$dir/charts"
	echo old >"$dir/charts/speedup-counter.svg"
	# No file beyond 16 KiB, and no signal for trying: writes fail as on a full disk.
	run bash -c "trap '' XFSZ; ulimit -f 16; exec '$chart' '$dir'"
	[ "$status" -eq 1 ]
	[[ $output == *chart:* ]]
	[ "$(ls -A "$dir/charts")" = speedup-counter.svg ]
	[ "$(cat "$dir/charts/speedup-counter.svg")" = old ]
}

@test "an_interrupted_call_leaves_nothing_behind" {
	small 16
	"$chart" "$dir" >/dev/null 2>&1 &
	sleep 0.1
	kill -TERM $!
	wait $! || true
	[ ! -d "$dir/charts" ] || [ -z "$(ls -Ad "$dir/charts"/.new* 2>/dev/null)" ]
}

@test "without_gnuplot_the_package_to_install_is_named" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	for tool in sh awk sed grep cat cut tr head tail mkdir mktemp mv cp rm dirname wc; do
		ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/$tool"
	done
	small 2
	PATH="$BATS_TEST_TMPDIR/bin" run "$chart" "$dir"
	[ "$status" -eq 1 ]
	[[ $output == *'install gnuplot-nox'* ]]
	[ ! -e "$dir/charts" ]
}
