# SPDX-License-Identifier: BSD-2-Clause
# Turns the tables of a result directory into a gnuplot program: what is drawn, in which style and
# where each word goes. The plots/*.gp draw it. Labels are placed here because gnuplot cannot tell
# whether two of them overlap. POSIX awk only; run with LC_ALL=C, so that a character is a byte.
#
# awk -v mode=charts -f layout.awk table=findings findings.tsv table=boundaries boundaries.tsv \
#	table=machine machine.txt table=speedup speedup.tsv
# mode is charts, or terminal (with columns=80). From the environment, as it may hold any character:
# CHART_OUT, the directory of the charts, where `names` receives their names and titles, and
# CHART_KERNEL, the only kernel to draw in the terminal.
#
# Positions are pixels from the canvas's upper left corner, in the terminal characters.

# ---------------------------------------------------------------------------- reading

BEGIN {
	FS = "\t"
	WIDTH = 960
	HEIGHT = 600
	EDGE = 24	# nothing is written nearer to the canvas's edge
	LABEL_SIZE = 14 # of the labels at the line ends, and LINE from one to the next
	LINE = 18
	LABELLED = 10	# more series than this and the locks between best and worst go unlabelled
	LINEAR_TO = 16	# workers; beyond, both axes are logarithmic
	IDEAL_COLOUR = "#6B6B6B"
	QUIET = "#5F5F5F" # text that does not compete with the data
	out = ENVIRON["CHART_OUT"]
	only = ENVIRON["CHART_KERNEL"]
	list = out "/names"
	set_metrics()
	set_styles()
}

{ sub(/\r$/, "") }

table == "machine" && FNR == 1 { machine = $0 }

table == "findings" {
	if (FNR == 1)
		read_header(found)
	else {
		unit[$found["kernel"]] = $found["unit"]
		finding[$found["kernel"], $found["placement"]] = $found["title"]
	}
}

table == "boundaries" {
	if (FNR == 1)
		read_header(bounded)
	else {
		boundaries++
		boundary_placement[boundaries] = $bounded["placement"]
		boundary_after[boundaries] = $bounded["after"] + 0
		boundary_what[boundaries] = $bounded["what"]
	}
}

table == "speedup" {
	if (FNR == 1) {
		read_header(column)
		need = split("kernel strategy lock placement threads ops_per_second lo hi speedup " \
			     "speedup_lo speedup_hi efficiency self_speedup fairness", needed, " ")
		for (i = 1; i <= need; i++)
			if (!(needed[i] in column))
				fail("speedup.tsv has no column " needed[i])
	} else if (NF && $column["lock"] != "tas-indirect") # the price of pointers: the verdict tells it
		read_point()
}

function read_header(into, i)
{
	for (i = 1; i <= NF; i++)
		into[$i] = i
}

function fail(message)
{
	print "chart: " message >"/dev/stderr"
	failed = 1
	exit 1
}

function read_point(kernel, placement, strategy, lock, id, n, i)
{
	kernel = $column["kernel"]
	placement = $column["placement"]
	strategy = $column["strategy"]
	lock = $column["lock"] == "" ? "-" : $column["lock"]
	n = $column["threads"] + 0
	if (NF < need || n < 1)
		fail("speedup.tsv, line " FNR ": not a point")
	# A kernel under a setting: of many such a map is drawn, not a chart of each.
	if (index(kernel, "@"))
		return
	id = kernel SUBSEP placement SUBSEP strategy SUBSEP lock
	if (!(kernel in kernel_seen)) {
		kernel_seen[kernel] = 1
		kernels[++kernel_count] = kernel
	}
	if (!(strategy in strategy_seen)) {
		strategy_seen[strategy] = 1
		strategies[++strategy_count] = strategy
	}
	if (lock != "-")
		lock_seen[lock] = 1
	# The baseline has one worker: alone it does not make a placement worth a chart.
	if (strategy != "sequential") {
		if (!((kernel, placement) in chart_seen)) {
			chart_seen[kernel, placement] = 1
			if (!(placement in placement_seen)) {
				placement_seen[placement] = 1
				placements[++placement_count] = placement
			}
		}
	}
	if (!(id in points)) {
		series_of[kernel, placement, ++series_total[kernel, placement]] = id
		id_strategy[id] = strategy
		id_lock[id] = lock
		points[id] = 0
	}
	# Kept in the order of workers; of two rows for one point the one with more samples.
	for (i = points[id]; i >= 1 && at[id, i] >= n; i--)
		if (at[id, i] == n) {
			if (field("samples") + 0 > samples[id, n] + 0)
				store(id, n)
			return
		}
	for (i = ++points[id]; i > 1 && at[id, i - 1] > n; i--)
		at[id, i] = at[id, i - 1]
	at[id, i] = n
	store(id, n)
}

function field(name)
{
	return name in column ? $column[name] : "NA"
}

function store(id, n)
{
	samples[id, n] = field("samples")
	disturbed[id, n] = field("disturbed")
	rate[id, n] = field("ops_per_second")
	rate_lo[id, n] = field("lo")
	rate_hi[id, n] = field("hi")
	speedup[id, n] = field("speedup")
	speedup_lo[id, n] = field("speedup_lo")
	speedup_hi[id, n] = field("speedup_hi")
	efficiency[id, n] = field("efficiency")
	self_speedup[id, n] = field("self_speedup")
	fairness[id, n] = field("fairness")
}

function number(text)
{
	return text ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/
}

# ---------------------------------------------------------------------------- styles

# A strategy has one colour in every chart (Okabe & Ito's palette, and Tol's wine). Its text is
# darker where the line's colour would be hard to read on white.
function set_styles(i, n, part, list)
{
	style("sequential",         "#6E6E6E", "#4D4D4D",  0, 1)
	style("unsynchronized",     "#000000", "#000000",  2, 4)
	style("global-lock",        "#D55E00", "#B04E00",  9, 1)
	style("fine-lock",          "#E69F00", "#8A5F00",  8, 1)
	style("lock-free",          "#0072B2", "#00629A",  7, 1)
	style("lock-free-cas",      "#56B4E9", "#1F78AD",  6, 2)
	style("private",            "#009E73", "#007A59",  5, 1)
	style("private-aggregated", "#00573F", "#00573F",  4, 2)
	style("rcu",                "#CC79A7", "#A3457B", 13, 1)
	style("message-passing",    "#882255", "#882255", 12, 3)
	# Strategies to come take the next free one of these, by name.
	spare_count = split("#332288 #8C8C2E #AA4499 #661100 #44AA99 #6699CC", spare, " ")

	# A lock has the same shape and dash under every strategy; filled under most, open under
	# fine-lock.
	n = split("mutex 9 1 spin 11 3 tas 9 3 ttas 11 2 ticket 9 2 mcs 11 1", part, " ")
	for (i = 1; i < n; i += 3) {
		lock_mark[part[i]] = part[i + 1]
		lock_dash[part[i]] = part[i + 2]
	}
}

function style(strategy, line, text, mark, dash)
{
	line_colour[strategy] = line
	text_colour[strategy] = text
	strategy_mark[strategy] = mark
	strategy_dash[strategy] = dash
}

# Strategies and locks not named above, in the order of their names, so that their styles do not
# hang on the table's order.
function style_others(i, n, sorted)
{
	n = sort_unknown(strategy_seen, line_colour, sorted)
	for (i = 1; i <= n; i++)
		style(sorted[i], spare[(i - 1) % spare_count + 1], spare[(i - 1) % spare_count + 1], 14 + i % 2, i % 3 + 1)
	n = sort_unknown(lock_seen, lock_mark, sorted)
	for (i = 1; i <= n; i++) {
		lock_mark[sorted[i]] = i % 3 == 0 ? 15 : i % 3 == 1 ? 9 : 11
		lock_dash[sorted[i]] = int(i / 3) % 3 + 1
	}
}

function sort_unknown(names, known, sorted, name, j, n)
{
	for (name in names)
		if (!(name in known)) {
			for (j = ++n; j > 1 && sorted[j - 1] > name; j--)
				sorted[j] = sorted[j - 1]
			sorted[j] = name
		}
	return n + 0
}

function mark_of(id, lock)
{
	lock = id_lock[id]
	if (overview || lock == "-")
		return strategy_mark[id_strategy[id]]
	return lock_mark[lock] - (id_strategy[id] == "fine-lock")
}

function dash_of(id, lock)
{
	lock = id_lock[id]
	if (overview || lock == "-")
		return strategy_dash[id_strategy[id]]
	return lock_dash[lock]
}

# The colour, two thirds of the way to white.
function tint(colour, i, mixed)
{
	mixed = "#"
	for (i = 2; i <= 6; i += 2)
		mixed = mixed sprintf("%02X", 0.4 * hex(substr(colour, i, 2)) + 0.6 * 255)
	return mixed
}

function hex(digits)
{
	return 16 * (index("0123456789ABCDEF", substr(digits, 1, 1)) - 1) + \
	       index("0123456789ABCDEF", substr(digits, 2, 1)) - 1
}

# ---------------------------------------------------------------------------- text

# Advance widths of DejaVu Sans, in thousandths of the font size. It is about the widest sans-serif
# that a viewer substitutes, so text measured with it fits with the others too.
function set_metrics(i, n, w)
{
	n = split("318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 " \
		  "636 636 636 636 636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 " \
		  "752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 " \
		  "337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 " \
		  "635 635 411 521 392 634 592 818 592 592 525 636 337 636 838", w, " ")
	for (i = 1; i <= 255; i++)
		code[sprintf("%c", i)] = i
	for (i = 1; i <= n; i++)
		advance[31 + i] = w[i]
	# Beyond ASCII: the first byte of a character counts for the whole of it.
	for (i = 192; i <= 255; i++)
		advance[i] = 850
}

function width_of(text, size, bold, i, sum)
{
	if (mode == "terminal")
		return characters(text)
	for (i = 1; i <= length(text); i++)
		sum += advance[code[substr(text, i, 1)]]
	return sum * size / 1000 * (bold ? 1.12 : 1)
}

function characters(text, i, sum)
{
	for (i = 1; i <= length(text); i++)
		if (code[substr(text, i, 1)] < 128 || code[substr(text, i, 1)] >= 192)
			sum++
	return sum + 0
}

# text, cut short with an ellipsis where it is wider than allowed
function fit(text, size, bold, allowed, dots)
{
	if (width_of(text, size, bold) <= allowed)
		return text
	dots = mode == "terminal" ? "..." : "…"
	while (length(text) && width_of(text dots, size, bold) > allowed) {
		while (code[substr(text, length(text), 1)] >= 128 && code[substr(text, length(text), 1)] < 192)
			text = substr(text, 1, length(text) - 1)
		text = substr(text, 1, length(text) - 1)
	}
	return text dots
}

# Breaks text at spaces into lines[1..]; at most `most`, the last of them cut short.
function wrap(text, size, bold, allowed, most, lines, i, n, word, count)
{
	n = split(text, word, " ")
	count = 1
	lines[1] = word[1]
	for (i = 2; i <= n; i++)
		if (count == most || width_of(lines[count] " " word[i], size, bold) <= allowed)
			lines[count] = lines[count] " " word[i]
		else
			lines[++count] = word[i]
	lines[count] = fit(lines[count], size, bold, allowed)
	return count
}

# A gnuplot string: nothing is special between single quotes but the quote itself.
function quoted(text)
{
	gsub(/[\001-\037]/, " ", text)
	gsub(/'/, "''", text)
	return "'" text "'"
}

function significant(value)
{
	if (value >= 99.5)
		return sprintf("%.0f", value)
	if (value >= 9.995)
		return sprintf("%.1f", value)
	if (value >= 0.0995)
		return sprintf("%.2f", value)
	return sprintf("%.2g", value)
}

# 1234567 as "1.23 M"
function engineering(value)
{
	if (value >= 1e12)
		return significant(value / 1e12) " T"
	if (value >= 1e9)
		return significant(value / 1e9) " G"
	if (value >= 1e6)
		return significant(value / 1e6) " M"
	if (value >= 1e3)
		return significant(value / 1e3) " k"
	return significant(value)
}

# "1.23 million"
function in_words(value, text)
{
	text = engineering(value)
	sub(/k$/, "thousand", text)
	sub(/M$/, "million", text)
	sub(/G$/, "billion", text)
	sub(/T$/, "trillion", text)
	return text
}

# As engineering, for a tic: no needless digits.
function engineering_tic(value, i, power)
{
	split("T G M k", power, " ")
	for (i = 1; i <= 4; i++)
		if (value >= 10 ^ (15 - 3 * i) * 0.9999)
			return sprintf("%g %s", value / 10 ^ (15 - 3 * i), power[i])
	return sprintf("%g", value)
}

# The number at a line's end.
function value_text(value)
{
	if (kind == "speedup")
		return significant(value) (mode == "terminal" ? "x" : "×")
	if (kind == "throughput")
		return engineering(value) "/s"
	if (kind == "efficiency")
		return (value < 0.0095 ? sprintf("%.1g", 100 * value) : sprintf("%.0f", 100 * value)) " %"
	return sprintf(value < 0.0095 ? "%.1g" : "%.2f", value)
}

# ---------------------------------------------------------------------------- what is drawn

# The number that this kind of chart shows, or "NA".
function value_at(id, n)
{
	if (kind == "speedup")
		return speedup[id, n]
	if (kind == "throughput")
		return rate[id, n]
	if (kind == "fairness")
		return fairness[id, n]
	return number(speedup[id, n]) ? speedup[id, n] / n : efficiency[id, n]
}

function low_at(id, n)
{
	if (kind == "speedup")
		return speedup_lo[id, n]
	if (kind == "throughput")
		return rate_lo[id, n]
	return kind == "efficiency" && number(speedup_lo[id, n]) ? speedup_lo[id, n] / n : "NA"
}

function high_at(id, n)
{
	if (kind == "speedup")
		return speedup_hi[id, n]
	if (kind == "throughput")
		return rate_hi[id, n]
	return kind == "efficiency" && number(speedup_hi[id, n]) ? speedup_hi[id, n] / n : "NA"
}

# The series of a chart with at least one number, in shown[1..shown_count]; largest is the most
# workers among them. The baseline is not among them: it has one worker, and is drawn as a level.
function choose_series(kernel, placement, i, j, n, id)
{
	shown_count = 0
	largest = 1
	disturbed_count = sample_count = 0
	for (i = 1; i <= series_total[kernel, placement]; i++) {
		id = series_of[kernel, placement, i]
		for (j = 1; j <= points[id]; j++) {
			n = at[id, j]
			if (number(disturbed[id, n]) && number(samples[id, n])) {
				disturbed_count += disturbed[id, n]
				sample_count += samples[id, n]
			}
		}
		if (id_strategy[id] == "sequential")
			continue
		last[id] = 0
		for (j = 1; j <= points[id]; j++)
			if (number(value_at(id, at[id, j])))
				last[id] = at[id, j]
		if (!last[id])
			continue
		shown[++shown_count] = id
		if (last[id] > largest)
			largest = last[id]
	}
	find_baseline(kernel, placement)
	find_attainable(placement)
	sort_shown()
	thin_out()
}

# Best at the largest number of workers first; what was not measured there comes after.
function sort_shown(i, j, id)
{
	for (i = 2; i <= shown_count; i++) {
		id = shown[i]
		for (j = i; j > 1 && better(id, shown[j - 1]); j--)
			shown[j] = shown[j - 1]
		shown[j] = id
	}
}

function better(a, b)
{
	if (last[a] != last[b])
		return last[a] > last[b]
	return value_at(a, last[a]) + 0 > value_at(b, last[b]) + 0
}

# With many series a strategy's locks between its best and its worst stay thin and unlabelled.
function thin_out(i, strategy, locks, best, worst, room, labels)
{
	thin_text = ""
	split("", thin)
	split("", locks)
	split("", worst)
	split("", best)
	for (i = 1; i <= shown_count; i++)
		if (id_lock[shown[i]] != "-")
			locks[id_strategy[shown[i]]]++
	labels = shown_count
	if (overview) {
		for (i = 1; i <= shown_count; i++) {
			strategy = id_strategy[shown[i]]
			if (id_lock[shown[i]] != "-" && strategy in best)
				thin[shown[i]] = 1
			best[strategy] = 1
		}
		return
	}
	if (shown_count > LABELLED) {
		for (i = 1; i <= shown_count; i++)
			if (id_lock[shown[i]] != "-")
				worst[id_strategy[shown[i]]] = i
		for (i = 1; i <= shown_count; i++) {
			strategy = id_strategy[shown[i]]
			if (id_lock[shown[i]] == "-" || locks[strategy] < 3)
				continue
			if (strategy in best && worst[strategy] != i) {
				thin[shown[i]] = 1
				labels--
				continue
			}
			if (!(strategy in best)) {
				best[strategy] = 1
				thin_text = thin_text (thin_text ? " and " : "") \
					    locks[strategy] - 2 (thin_text ? "" : " more locks") " of " strategy
			}
		}
	}
	# Still more labels than lines of text: the slowest lose theirs, and are counted.
	room = int((HEIGHT - 250) / LINE) - 3
	unlabelled = 0
	for (i = shown_count; i >= 1 && labels > room; i--)
		if (!(shown[i] in thin)) {
			thin[shown[i]] = 1
			labels--
			unlabelled++
		}
}

# The sequential run of the kernel, under this placement or (it has but one worker) any other.
function find_baseline(kernel, placement, i, j, p, id)
{
	baseline = "NA"
	for (i = 0; i <= placement_count && baseline == "NA"; i++) {
		p = i ? placements[i] : placement
		for (j = 1; j <= series_total[kernel, p]; j++) {
			id = series_of[kernel, p, j]
			if (id_strategy[id] == "sequential" && number(rate[id, at[id, 1]]))
				baseline = rate[id, at[id, 1]] + 0
		}
	}
	for (id in points)
		if (baseline == "NA" && id_strategy[id] == "sequential" && \
		    index(id, kernel SUBSEP) == 1 && number(rate[id, at[id, 1]]))
			baseline = rate[id, at[id, 1]] + 0
}

# What the control kernel, whose workers share nothing, reaches with each number of workers.
function find_attainable(placement, i, j, p, id, n, chosen, value)
{
	attainable_count = 0
	for (i = 0; i <= placement_count && chosen == ""; i++) {
		p = i ? placements[i] : placement
		for (j = 1; j <= series_total["control", p]; j++) {
			id = series_of["control", p, j]
			if (id_strategy[id] != "sequential" && (chosen == "" || id_strategy[id] == "private"))
				chosen = id
		}
	}
	if (chosen == "")
		return
	for (j = 1; j <= points[chosen]; j++) {
		n = at[chosen, j]
		value = number(self_speedup[chosen, n]) ? self_speedup[chosen, n] : speedup[chosen, n]
		if (number(value) && n <= largest) {
			attainable_at[++attainable_count] = n
			attainable[attainable_count] = value
		}
	}
}

# Speedup n, on the scale of this kind of chart.
function on_scale(value, n)
{
	if (kind == "throughput")
		return value * baseline
	return kind == "efficiency" ? value / n : value
}

# ---------------------------------------------------------------------------- axes

function log2(value)
{
	return log(value) / log(2)
}

function floor(value)
{
	return int(value) - (value < int(value))
}

function ceiling(value)
{
	return -floor(-value)
}

function pixel_x(value)
{
	if (logarithmic)
		return left + (right - left) * log(value / x_low) / log(x_high / x_low)
	return left + (right - left) * (value - x_low) / (x_high - x_low)
}

function pixel_y(value)
{
	if (y_log)
		return bottom - (bottom - top) * log((value > y_low ? value : y_low) / y_low) / log(y_high / y_low)
	return bottom - (bottom - top) * (value - y_low) / (y_high - y_low)
}

# The largest and the smallest number drawn; reference is the most that the ideal line shows.
function measure_values(i, j, id, n, value)
{
	reference = 0
	if (kind == "speedup" || kind == "throughput" && baseline != "NA")
		reference = on_scale(largest, largest)
	if (kind == "efficiency" || kind == "fairness")
		reference = 1
	highest = 0
	lowest = reference
	if (kind != "throughput" || baseline != "NA")
		for (i = 1; i <= attainable_count; i++) {
			value = on_scale(attainable[i], attainable_at[i])
			if (value > highest && kind != "fairness")
				highest = value
		}
	if (highest < reference)
		highest = reference
	if (kind == "throughput" && baseline != "NA" || kind == "speedup")
		lowest = on_scale(1, 1)
	for (i = 1; i <= shown_count; i++)
		for (j = 1; j <= points[shown[i]]; j++) {
			id = shown[i]
			n = at[id, j]
			value = value_at(id, n)
			if (!number(value))
				continue
			if (value > 0 && (value < lowest || lowest == 0))
				lowest = value + 0
			if (value > highest)
				highest = value + 0
			if (number(high_at(id, n)) && high_at(id, n) <= 1.5 * value && high_at(id, n) > highest)
				highest = high_at(id, n) + 0
		}
}

function set_ranges(margin)
{
	measure_values()
	logarithmic = largest > LINEAR_TO
	y_log = logarithmic && (kind == "speedup" || kind == "throughput")
	if (logarithmic) {
		x_low = 0.92
		x_high = largest * 1.05
	} else {
		margin = largest == 1 ? 0.5 : 0.03 * (largest - 1) + 0.02
		x_low = 1 - margin
		x_high = largest + margin
	}
	above_scale = 0
	if (y_log) {
		y_low = lowest * 0.8
		y_high = highest * 1.25
		return
	}
	y_low = 0
	if (kind == "fairness") {
		y_high = 1.04
		return
	}
	if (kind == "efficiency" && highest <= 1.1) {
		y_high = 1.1
		return
	}
	# One series far above ideal would flatten all others: it leaves the scale, and its label says so.
	if (reference > 0 && highest > 1.8 * reference) {
		above_scale = 1
		highest = 1.15 * reference
	}
	y_high = highest * 1.04
}

function add_tic(axis, value, text)
{
	if (axis == "x") {
		x_tic[++x_tics] = value
		x_tic_text[x_tics] = text
	} else {
		y_tic[++y_tics] = value
		y_tic_text[y_tics] = text
	}
}

# A round step that divides span into at most `most` parts.
function round_step(span, most, power, step)
{
	power = 10 ^ floor(log(span / most) / log(10) + 1e-9)
	for (step = 1; step * power * most < span * 0.999; step = step == 1 ? 2 : step == 2 ? 5 : 10)
		if (step == 10)
			break
	return step * power
}

function widest_tic(size, i, w, widest)
{
	for (i = 1; i <= y_tics; i++)
		if ((w = width_of(y_tic_text[i], size)) > widest)
			widest = w
	return widest
}

# px: the axis's length, from which follows how many tics stay readable
function set_x_tics(px, apart, n, step, i)
{
	x_tics = 0
	apart = mode == "terminal" ? 5 : overview ? 26 : 34
	if (!logarithmic) {
		step = int(apart * (largest > 1 ? largest - 1 : 1) / px) + 1
		if (step > 2 || step == 2 && largest > 12)
			step = 4
		add_tic("x", 1, "1")
		for (n = step > 2 ? step : step + 1; n <= largest; n += step)
			if (n == largest || largest - n >= 0.75 * step)
				add_tic("x", n, n "")
		if (x_tic[x_tics] != largest)
			add_tic("x", largest, largest "")
		return
	}
	step = 1
	while (px * step * log(2) / log(x_high / x_low) < apart)
		step++
	for (i = 0; 2 ^ i < largest; i += step)
		if (px * log(largest / 2 ^ i) / log(x_high / x_low) >= apart)
			add_tic("x", 2 ^ i, 2 ^ i "")
	add_tic("x", largest, largest "")
}

function power_of_two_text(i)
{
	return i >= 0 ? 2 ^ i "" : "1/" 2 ^ -i
}

function set_y_tics(px, apart, step, value, i, decades, most)
{
	y_tics = 0
	apart = mode == "terminal" ? 2 : overview ? 22 : 26
	most = int(px / (mode == "terminal" ? 3 : overview ? 34 : 52))
	if (most > 10)
		most = 10
	if (y_log && kind == "speedup") {
		step = 1
		while (px * step * log(2) / log(y_high / y_low) < apart)
			step++
		for (i = step * ceiling(log2(y_low) / step); 2 ^ i <= y_high; i += step)
			add_tic("y", 2 ^ i, power_of_two_text(i) (mode == "terminal" ? "" : "×"))
		return
	}
	if (y_log) {
		decades = log(y_high / y_low) / log(10)
		for (i = floor(log(y_low) / log(10)); 10 ^ i <= y_high; i++)
			for (step = 1; step <= 5; step += step == 2 ? 3 : 1) {
				value = step * 10 ^ i
				if ((step == 1 || px / decades > 110) && value >= y_low && value <= y_high && step != 4)
					add_tic("y", value, engineering_tic(value))
			}
		return
	}
	if (kind == "efficiency" && y_high <= 1.2 || kind == "fairness")
		step = 0.2
	else
		step = round_step(y_high, most)
	if (kind == "speedup" && y_high <= 20) # halves, then powers of two
		for (step = 0.5; step * most < 0.95 * y_high; step *= 2)
			;
	for (value = 0; value <= y_high * 1.0001; value += step) {
		if (kind == "efficiency")
			add_tic("y", value, sprintf("%.0f %%", 100 * value))
		else if (kind == "throughput")
			add_tic("y", value, engineering_tic(value))
		else
			add_tic("y", value, sprintf("%g", value) (kind == "speedup" && mode != "terminal" ? "×" : ""))
	}
}

# ---------------------------------------------------------------------------- labels

function new_label(value, upper, lower, colour, mark, x, y)
{
	labels++
	label_value[labels] = value
	label_upper[labels] = upper
	label_lower[labels] = lower
	label_colour[labels] = colour
	label_mark[labels] = mark
	label_from[labels] = x
	label_high[labels] = lower == "" ? LINE : 2 * LINE - 3
	label_ends[labels] = y
}

# Everything that has a label at its line's end. Positions follow later, when the width is known.
function collect_labels(i, id, n, name, value, text, off)
{
	labels = 0
	allowed = mode == "terminal" ? int(columns * 0.38) : 250
	if (kind == "speedup" || kind == "efficiency" || kind == "throughput" && baseline != "NA")
		new_label(on_scale(largest, largest), (mode == "terminal" ? ". ideal" : "ideal"), "", IDEAL_COLOUR, 0, largest)
	if (draws_attainable() && mode != "terminal") {
		value = on_scale(attainable[attainable_count], attainable_at[attainable_count])
		new_label(value, "attainable " value_text(value), "", IDEAL_COLOUR, 0, attainable_at[attainable_count])
	}
	if (draws_baseline())
		new_label(on_scale(1, 1), (mode == "terminal" ? "- " : "") "sequential" (kind == "throughput" ? " " value_text(baseline) : ""), "",
			  text_colour["sequential"], 0, largest)
	for (i = 1; i <= shown_count; i++) {
		id = shown[i]
		if (id in thin)
			continue
		value = value_at(id, last[id])
		off = above_scale && value > y_high
		name = id_strategy[id]
		text = value_text(value) (last[id] < largest ? " at " last[id] : "") (off && mode != "terminal" ? " ↑" : "")
		if (name == "unsynchronized") {
			new_label(value, name " " text, "(wrong results)", text_colour[name], mark_of(id), last[id])
			continue
		}
		if (id_lock[id] != "-")
			name = name "/" id_lock[id]
		label_text(value, name, text, id)
	}
}

# "global-lock/ticket 0.42x"; where too long, the lock and the number on a second line.
function label_text(value, name, text, id, strategy, cut)
{
	strategy = id_strategy[id]
	if (mode == "terminal")
		name = symbol[id] " " name
	if (width_of(name " " text, LABEL_SIZE) <= allowed || mode == "terminal") {
		new_label(value, fit(name, LABEL_SIZE, 0, allowed - width_of(" " text, LABEL_SIZE)) " " text, "",
			  text_colour[strategy], mark_of(id), last[id])
		return
	}
	cut = index(name, "/")
	if (cut)
		new_label(value, fit(substr(name, 1, cut), LABEL_SIZE, 0, allowed),
			  fit(substr(name, cut + 1), LABEL_SIZE, 0, allowed - width_of(" " text, LABEL_SIZE)) " " text,
			  text_colour[strategy], mark_of(id), last[id])
	else
		new_label(value, fit(name, LABEL_SIZE, 0, allowed), text, text_colour[strategy], mark_of(id), last[id])
}

function draws_attainable()
{
	return attainable_count && chart_kernel != "control" && kind != "fairness" && \
	       (kind != "throughput" || baseline != "NA")
}

function draws_baseline()
{
	return baseline != "NA" && (kind == "speedup" || kind == "throughput")
}

function widest_label(i, w, widest)
{
	for (i = 1; i <= labels; i++) {
		w = width_of(label_upper[i], LABEL_SIZE)
		if (width_of(label_lower[i], LABEL_SIZE) > w)
			w = width_of(label_lower[i], LABEL_SIZE)
		if (w > widest)
			widest = w
	}
	return widest
}

# Moves labels apart, each as little as it can be: neighbours that would overlap form a stack,
# which is centred where its members want to be; stacks that meet are merged.
# In: label_wants[], label_high[]. Out: label_y[], the centres, all between first and bound.
function spread_labels(first, bound, i, j, n, order, start, height, from, sum)
{
	for (i = 1; i <= labels; i++) {
		for (j = i; j > 1 && above(i, order[j - 1]); j--)
			order[j] = order[j - 1]
		order[j] = i
	}
	n = 0
	for (i = 1; i <= labels; i++) {
		n++
		from[n] = i
		do {
			# Where the stack from[n]..i would begin, on its members' average.
			height[n] = sum = 0
			for (j = from[n]; j <= i; j++) {
				sum += label_wants[order[j]] - height[n] - label_high[order[j]] / 2
				height[n] += label_high[order[j]]
			}
			start[n] = sum / (i - from[n] + 1)
			if (start[n] > bound - height[n])
				start[n] = bound - height[n]
			if (start[n] < first)
				start[n] = first
		} while (n > 1 && start[n] < start[n - 1] + height[n - 1] && n--)
	}
	from[n + 1] = labels + 1
	for (i = 1; i <= n; i++) {
		sum = start[i]
		for (j = from[i]; j < from[i + 1]; j++) {
			label_y[order[j]] = sum + label_high[order[j]] / 2
			sum += label_high[order[j]]
		}
	}
}

function above(a, b)
{
	if (label_wants[a] != label_wants[b])
		return label_wants[a] < label_wants[b]
	return label_value[a] > label_value[b]
}

# ---------------------------------------------------------------------------- boundaries

# Names of what begins after each boundary stand above the plot. Names that do not fit are left
# out, rules that would run together too; SMT is the last to go, as it changes a curve most.
function place_boundaries(placement, strip, i, j, n, x, pass, after, joined, first_name, free, least)
{
	rules = 0
	split("", after)
	split("", word_named)
	for (i = 1; i <= boundaries; i++) {
		if (boundary_placement[i] != placement || boundary_after[i] < 1 || boundary_after[i] >= largest)
			continue
		n = boundary_after[i]
		if (n in joined)
			joined[n] = joined[n] ", " boundary_what[i]
		else {
			joined[n] = first_name[n] = boundary_what[i]
			after[++rules] = n
		}
	}
	n = rules
	rules = 0
	named = 0
	least = mode == "terminal" ? 3 : 7
	for (pass = 1; pass <= 2; pass++)
		for (i = 1; i <= n; i++) {
			if ((joined[after[i]] ~ /SMT/) != (pass == 1))
				continue
			x = rule_at(after[i])
			free = 1
			for (j = 1; j <= rules; j++)
				if (x - rule_x[j] < least && rule_x[j] - x < least)
					free = 0
			if (!free)
				continue
			rule_x[++rules] = x
			rule_name[rules] = ""
			if (strip)
				name_rule(x, joined[after[i]], first_name[after[i]], i < n ? rule_at(after[i + 1]) : WIDTH)
		}
}

function rule_at(after)
{
	return pixel_x(logarithmic ? sqrt(after * (after + 1)) : after + 0.5)
}

# The longest name that ends before the next rule: "package 3, NUMA node 3", "package 3", or "3"
# where a neighbour says of what. Failing that, any that is free of other names.
function name_rule(x, joined, first, next_x, pass, j, name, w, word)
{
	word = first
	sub(/ [0-9]+$/, "", word)
	for (pass = 1; pass <= 2; pass++)
		for (j = pass; j <= 3; j++) {
			name = j == 1 ? joined : first
			if (j == 3 && (!(word in word_named) || !sub(/^.* /, "", name)))
				continue
			w = width_of(name, 12) + (mode == "terminal" ? 2 : 7)
			if (pass == 1 && x + w > next_x)
				continue
			if (room_for(x, x + w) && x + w < (mode == "terminal" ? columns - 10 : WIDTH - EDGE / 2)) {
				rule_name[rules] = name
				name_from[++named] = x
				name_to[named] = x + w
				word_named[word] = 1
				return
			}
		}
}

function room_for(from, to, i)
{
	for (i = 1; i <= named; i++)
		if (from < name_to[i] && to > name_from[i])
			return 0
	return 1
}

function has_boundaries(placement, i)
{
	for (i = 1; i <= boundaries; i++)
		if (boundary_placement[i] == placement && boundary_after[i] >= 1 && boundary_after[i] < largest)
			return 1
	return 0
}

# ---------------------------------------------------------------------------- words

# Speedup's title is the report's finding. The others say what their own numbers show.
function title_of(kernel, placement, i, id, best, worst)
{
	if (kind == "speedup")
		return (kernel, placement) in finding ? finding[kernel, placement] : kernel ": speedup"
	for (i = 1; i <= shown_count; i++) {
		id = shown[i]
		if (last[id] != largest || id_strategy[id] == "unsynchronized")
			continue
		if (best == "")
			best = id
		worst = id
	}
	if (best == "")
		return kernel ": " kind
	if (kind == "throughput")
		return kernel ": " variant(best) " is fastest on " workers(largest) ", " \
		       in_words(value_at(best, largest)) " " unit_of(kernel) " per second"
	if (kind == "efficiency") {
		if (best == worst)
			return kernel ": " variant(best) " keeps " value_text(value_at(best, largest)) \
			       " of every worker's speed"
		return kernel ": of every worker's speed " variant(best) " keeps " \
		       value_text(value_at(best, largest)) ", " variant(worst) " " \
		       value_text(value_at(worst, largest))
	}
	if (largest == 1 || value_at(worst, largest) >= 0.9)
		return kernel ": every worker gets its share"
	return kernel ": with " variant(worst) " the slowest worker gets " \
	       sprintf("%.*f", value_at(worst, largest) < 0.0095, 100 * value_at(worst, largest)) \
	       " % of what the fastest gets"
}

function workers(n)
{
	return n == 1 ? "1 worker" : n " workers"
}

function variant(id)
{
	return id_strategy[id] (id_lock[id] == "-" ? "" : "/" id_lock[id])
}

function unit_of(kernel)
{
	return kernel in unit && unit[kernel] != "" ? unit[kernel] : "operations"
}

function subtitle_of(placement, text)
{
	text = machine
	if (text == "")
		return "placement " placement
	if (placement_count < 2 && index(text, placement))
		return text
	return text ", placement " placement
}

function y_title(kernel, text)
{
	if (kind == "speedup")
		text = "Speedup over the sequential program"
	else if (kind == "throughput") {
		text = unit_of(kernel) " per second"
		text = toupper(substr(text, 1, 1)) substr(text, 2)
	} else if (kind == "efficiency")
		text = "Efficiency: speedup per worker"
	else
		text = "Fairness: operations of the slowest worker / of the fastest"
	return text (y_log ? " (logarithmic)" : "")
}

function note_text(text)
{
	text = ""
	if (kind != "fairness")
		text = (largest == 1 ? "Bars" : "Shaded") ": 95 % interval of the median. "
	if (thin_text != "")
		text = text "Thin lines: " thin_text ", between the best lock and the worst. "
	if (unlabelled)
		text = text unlabelled " more series have no label. "
	if (draws_attainable())
		text = text "Attainable: what a kernel reaches that shares nothing. "
	if (disturbed_count > 0)
		text = text disturbed_count " of " sample_count " samples were disturbed by other work. "
	sub(/ $/, "", text)
	return text
}

# ---------------------------------------------------------------------------- writing

function text_at(x, y, text, colour, size, side, bold)
{
	if (text == "")
		return
	texts++
	text_x[texts] = x
	text_y[texts] = y
	text_is[texts] = text
	text_ink[texts] = colour
	text_font[texts] = (bold ? "sans-serif:Bold," : "sans-serif,") size
	text_side[texts] = side
}

function stroke(x1, y1, x2, y2, colour, dash, wide)
{
	strokes++
	stroke_dash[strokes] = dash ? dash : 1
	stroke_wide[strokes] = wide ? wide : 1
	stroke_is[strokes] = sprintf("%.2f %.2f %.2f %.2f", x1, y1, x2, y2)
	stroke_ink[strokes] = colour
}

# gnuplot knows no empty array: there is always one element, and a count beside it.
function write_array(name, values, n, as_text, i, sep)
{
	printf "array %s[%d] = [", name, n ? n : 1
	for (i = 1; i <= n; i++) {
		printf "%s%s", sep, as_text ? quoted(values[i]) : values[i]
		sep = ", "
	}
	print n ? "]" : "0]"
}

function write_frame(i)
{
	printf "left = %.2f; right = %.2f; top = %.2f; bottom = %.2f\n", left, right, top, bottom
	printf "x_low = %.8g; x_high = %.8g; y_low = %.8g; y_high = %.8g; x_log = %d; y_log = %d\n",
	       x_low, x_high, y_low, y_high, logarithmic, y_log
	print "tic_font = 'sans-serif," (overview ? 11 : 14) "'; mark_size = " (overview ? 0.65 : 0.8)
	print "x_tics = " x_tics "; y_tics = " y_tics "; rules = " rules "; texts = " texts "; strokes = " strokes
	write_array("x_tic", x_tic, x_tics)
	write_array("x_tic_text", x_tic_text, x_tics, 1)
	write_array("y_tic", y_tic, y_tics)
	for (i = 1; i <= y_tics; i++) {
		y_format[i] = y_tic_text[i]
		gsub(/%/, "%%", y_format[i])
	}
	write_array("y_tic_text", y_format, y_tics, 1)
	for (i = 1; i <= rules; i++) {
		rule_px[i] = sprintf("%.2f", rule_x[i])
		rule_top[i] = rule_name[i] == "" ? top : top - 16
	}
	write_array("rule_x", rule_px, rules)
	write_array("rule_top", rule_top, rules)
	write_array("text_x", text_x, texts)
	write_array("text_y", text_y, texts)
	write_array("text_is", text_is, texts, 1)
	write_array("text_ink", text_ink, texts, 1)
	write_array("text_font", text_font, texts, 1)
	write_array("text_side", text_side, texts, 1)
	write_array("stroke_is", stroke_is, strokes, 1)
	write_array("stroke_ink", stroke_ink, strokes, 1)
	write_array("stroke_dash", stroke_dash, strokes)
	write_array("stroke_wide", stroke_wide, strokes)
	print "label_marks = " label_marks + 0
	write_array("label_mark_is", label_mark_is, label_marks)
	write_array("label_mark_x", label_mark_x, label_marks)
	write_array("label_mark_y", label_mark_y, label_marks)
	write_array("label_mark_ink", label_mark_ink, label_marks, 1)
}

# The series as blocks of a table, worst first so that the best lies on top: workers, value, low,
# high. A number that does not exist interrupts the line. $marks has the same blocks with fewer
# rows: marks nearer to each other than `apart` would hide the line. $bars are the intervals of points
# that have no neighbour, hence no line and no shade.
function write_series(apart, size, i, j, k, id, n, value, gap, x, before, lines, marks)
{
	lines = marks = ""
	k = thins = bars = 0
	for (i = 2 * shown_count; i >= 1; i--) {
		# thin ones first, below the others
		id = shown[i > shown_count ? i - shown_count : i]
		if ((id in thin) != (i > shown_count))
			continue
		thins += id in thin
		k++
		series_ink[k] = id in thin ? tint(line_colour[id_strategy[id]]) : line_colour[id_strategy[id]]
		series_fill[k] = id_strategy[id] == "unsynchronized" ? "#8C8C8C" : series_ink[k]
		series_dash[k] = id in thin ? 1 : dash_of(id)
		series_mark[k] = mark_of(id)
		series_wide[k] = (id in thin ? 1 : 2) * size
		gap = 0
		before = -1000
		for (j = 1; j <= points[id]; j++) {
			n = at[id, j]
			value = value_at(id, n)
			if (!number(value)) {
				gap = 1
				continue
			}
			if (gap && before > -1000)
				lines = lines "\n"
			gap = 0
			if (!(id in thin) && !number(neighbour(id, j - 1)) && !number(neighbour(id, j + 1)) && number(low_at(id, n)))
				bar_rows[++bars] = n " " value " " low_at(id, n) " " high_at(id, n) " " \
						   65536 * hex(substr(series_ink[k], 2, 2)) + \
						   256 * hex(substr(series_ink[k], 4, 2)) + hex(substr(series_ink[k], 6, 2))
			if (y_log && value < y_low)
				value = y_low
			lines = lines n " " value " " bound_at(low_at(id, n), value) " " \
				bound_at(high_at(id, n), value) "\n"
			x = pixel_x(n)
			if (x - before >= apart && (n == last[id] || pixel_x(last[id]) - x >= apart) || n == last[id]) {
				marks = marks n " " value "\n"
				before = x
			}
		}
		lines = lines "\n\n"
		marks = marks "\n\n"
	}
	# where many intervals overlap, each is lighter
	printf "series = %d; thins = %d; band = %.2f\n", k, thins, (k - thins > 6 ? 0.1 : 0.16)
	printf "$series << EOD\n%sEOD\n$marks << EOD\n%sEOD\n", lines, marks
	print "bars = " (bars > 0)
	print "$bars << EOD"
	for (i = 1; i <= bars; i++)
		print bar_rows[i]
	if (!bars)
		print "1 1 1 1 0"
	print "EOD"
	write_array("series_ink", series_ink, k, 1)
	write_array("series_fill", series_fill, k, 1)
	write_array("series_dash", series_dash, k)
	write_array("series_mark", series_mark, k)
	write_array("series_wide", series_wide, k)
	write_guides()
}

# The value of the j-th point of a series, "NA" beyond its ends.
function neighbour(id, j)
{
	return j >= 1 && j <= points[id] ? value_at(id, at[id, j]) : "NA"
}

function bound_at(bound, value)
{
	if (!number(bound))
		return value
	# gnuplot would let an interval that leaves the scale flow out beside the chart
	if (bound > y_high)
		return y_high
	return y_log && bound < y_low ? y_low : bound
}

# $guides: the ideal line, the attainable line, the sequential program's level.
function write_guides(i)
{
	print "ideals = " (kind == "speedup" || kind == "efficiency" || kind == "throughput" && baseline != "NA")
	print "attainables = " draws_attainable() + 0 "; levels = " draws_baseline() + 0
	print "$guides << EOD"
	if (baseline == "NA" && kind == "throughput")
		printf "1 1\n\n\n1 1\n\n\n1 1\n"
	else {
		print 1, on_scale(1, 1)
		print largest, on_scale(largest, largest)
		printf "\n\n"
		for (i = 1; i <= attainable_count; i++)
			print attainable_at[i], on_scale(attainable[i], attainable_at[i])
		if (!attainable_count)
			print "1 1"
		printf "\n\n"
		print x_low, on_scale(1, 1)
		print x_high, on_scale(1, 1)
	}
	print "EOD"
}

# ---------------------------------------------------------------------------- a chart

function file_name(kernel, placement, name)
{
	name = kernel
	if (placement_count > 1)
		name = name "-" placement
	gsub(/[^A-Za-z0-9._-]/, "_", name)
	return kind "-" name
}

function draw_chart(kernel, placement, i, lines, n, size, y, label_x, strip, notes, note)
{
	chart_kernel = kernel
	choose_series(kernel, placement)
	if (!shown_count) {
		print "chart: no " kind " chart of " kernel " (" placement "): the table has no numbers for it" \
			(kind != "fairness" && baseline == "NA" ? ", as no sequential run was measured" : "") >"/dev/stderr"
		return
	}
	set_ranges()
	texts = strokes = 0

	# From the top: title, subtitle, the y axis's title, names of boundaries, the plot.
	for (size = 20; size > 17 && width_of(title_of(kernel, placement), size, 1) > WIDTH - 2 * EDGE; size--)
		;
	n = wrap(title_of(kernel, placement), size, 1, WIDTH - 2 * EDGE, 2, lines)
	for (i = WIDTH - 2 * EDGE; n == 2 && width_of(lines[2], size, 1) < 0.7 * i; i -= 20)
		wrap(title_of(kernel, placement), size, 1, i, 2, lines) # no word left alone
	y = 32
	for (i = 1; i <= n; i++) {
		text_at(EDGE, y, lines[i], "#000000", size, "left", 1)
		y += 24
	}
	y += 2
	text_at(EDGE, y, fit(subtitle_of(placement), 14, 0, WIDTH - 2 * EDGE), QUIET, 14, "left")
	y += 34
	text_at(EDGE, y, y_title(kernel), "#000000", 14, "left")
	strip = has_boundaries(placement)
	top = y + (strip ? 38 : 18)

	# From the bottom: notes, the x axis's title, its tics.
	notes = wrap(note_text(), 12, 0, WIDTH - 2 * EDGE, 2, note)
	for (i = 1; i <= notes; i++)
		text_at(EDGE, HEIGHT - 16 - 16 * (notes - i), note[i], QUIET, 12, "left")
	bottom = HEIGHT - 70 - 16 * notes

	set_y_tics(bottom - top)
	left = EDGE + widest_tic(14) + 8

	collect_labels()
	label_x = WIDTH - EDGE / 2 - widest_label()
	right = label_x - 46
	set_x_tics(right - left)
	text_at((left + right) / 2, bottom + 40, "Workers" (logarithmic ? " (logarithmic)" : ""), "#000000", 14, "center")
	place_boundaries(placement, strip)
	for (i = 1; i <= rules; i++)
		text_at(rule_x[i] + 4, top - 11, rule_name[i], QUIET, 12, "left")
	place_labels(label_x)

	print ""
	print "# " kind ": " kernel ", " placement
	print "out = " quoted(out "/" file_name(kernel, placement)) "; width = " WIDTH "; height = " HEIGHT
	write_frame()
	write_series(26, 1)
	print "do for [format in 'svg png'] { load 'canvas.gp'; load '" kind ".gp'; unset output }"
	print file_name(kernel, placement) "\t" title_of(kernel, placement) >list
}

# Labels beside the ends of their lines, a leader to each that had to move.
function place_labels(label_x, i, x, y)
{
	for (i = 1; i <= labels; i++) {
		label_wants[i] = pixel_y(label_value[i])
		if (label_wants[i] < top)
			label_wants[i] = top
	}
	spread_labels(top - LINE / 2, bottom + LINE / 2)
	for (i = 1; i <= labels; i++) {
		x = pixel_x(label_from[i])
		y = label_wants[i]
		if (label_from[i] < largest) # measured up to fewer workers than others
			stroke(x + 6, y, right, y, tint(label_colour[i]))
		stroke(right + 3, y, label_x - 20, label_y[i], tint(label_colour[i]))
		if (!label_mark[i])
			stroke(label_x - 20, label_y[i], label_x - 4, label_y[i], tint(label_colour[i]))
		if (label_lower[i] == "")
			text_at(label_x, label_y[i], label_upper[i], label_colour[i], LABEL_SIZE, "left")
		else {
			text_at(label_x, label_y[i] - LABEL_SIZE / 2 - 1, label_upper[i], label_colour[i], LABEL_SIZE, "left")
			text_at(label_x, label_y[i] + LABEL_SIZE / 2 + 1, label_lower[i], label_colour[i], LABEL_SIZE, "left")
		}
	}
	note_label_marks(label_x - 11)
}

# Marks repeated beside the labels, so that colour is not all that ties a label to its line.
function note_label_marks(x, i, n)
{
	label_marks = 0
	for (i = 1; i <= labels; i++)
		if (label_mark[i]) {
			n = ++label_marks
			label_mark_is[n] = label_mark[i]
			label_mark_x[n] = sprintf("%.2f", x)
			label_mark_y[n] = sprintf("%.2f", label_y[i])
			label_mark_ink[n] = ink_of_text(label_colour[i])
		}
}

function ink_of_text(colour, s)
{
	for (s in text_colour)
		if (text_colour[s] == colour)
			return line_colour[s]
	return colour
}

END {
	if (failed)
		exit 1
	if (!kernel_count)
		fail("speedup.tsv has no points")
	style_others()
	print "# Written by layout.awk: values for the gnuplot programs, and calls of them."
	print "set encoding utf8"
	print "set print '-'"
	if (mode == "terminal")
		draw_terminal()
	else
		draw_charts()
}

function draw_charts(i, j, k, kinds)
{
	k = split("speedup throughput efficiency fairness", kinds, " ")
	for (i = 1; i <= kernel_count; i++)
		for (j = 1; j <= placement_count; j++)
			if ((kernels[i], placements[j]) in chart_seen)
				for (k = 1; k <= 4; k++) {
					kind = kinds[k]
					draw_chart(kernels[i], placements[j])
				}
	draw_overview()
}

# ---------------------------------------------------------------------------- all kernels at a glance

# A panel for each kernel; with several placements a row for each kernel, a column for each of them.
# All share one scale. A strategy with locks is drawn as its best lock, its others thin.
function draw_overview(i, j, panels, across, rows, y_least, y_most, x_most, k, panel_width, header, format)
{
	kind = "speedup"
	overview = 1
	panels = 0
	split("", legend_has)
	for (i = 1; i <= kernel_count; i++)
		for (j = 1; j <= placement_count; j++) {
			if (!((kernels[i], placements[j]) in chart_seen))
				continue
			chart_kernel = kernels[i]
			choose_series(kernels[i], placements[j])
			if (!shown_count)
				continue
			panels++
			panel_kernel[panels] = kernels[i]
			panel_placement[panels] = placements[j]
			set_ranges()
			if (panels == 1 || y_low < y_least)
				y_least = y_low
			if (y_high > y_most)
				y_most = y_high
			if (largest > x_most)
				x_most = largest
			for (k = 1; k <= shown_count; k++)
				legend_has[id_strategy[shown[k]]] = 1
		}
	if (!panels)
		return
	across = placement_count > 1 ? placement_count : panels < 3 || panels == 4 ? 2 : 3
	if (across > 4)
		across = 4
	rows = ceiling(panels / across)
	panel_width = (WIDTH - 2 * EDGE + 16) / across
	texts = strokes = label_marks = 0
	header = overview_header(x_most)
	HEIGHT = header + rows * 236 + 30
	print ""
	print "# all kernels at a glance"
	print "out = " quoted(out "/overview") "; width = " WIDTH "; height = " HEIGHT
	for (format = 1; format <= 2; format++) {
		print "format = '" (format == 1 ? "svg" : "png") "'; load 'canvas.gp'; set multiplot"
		if (format == 2)
			header = overview_header(x_most)
		text_at(EDGE, HEIGHT - 18, fit("Across: workers; up: speedup over the sequential program" \
			(x_most > LINEAR_TO ? ", both logarithmic" : "") ". Below each name: the best at most workers. " \
			"Thin lines: other locks.", 12, 0, WIDTH - 2 * EDGE), QUIET, 12, "left")
		for (i = 1; i <= panels; i++) {
			draw_panel(panel_kernel[i], panel_placement[i], EDGE + (i - 1) % across * panel_width, panel_width - 16,
				   header + int((i - 1) / across) * 236, y_least, y_most, x_most)
			print "load 'overview.gp'"
			texts = strokes = label_marks = 0
		}
		print "unset multiplot; unset output"
	}
	print "overview\tSpeedup of every kernel, up to " workers(x_most) >list
	overview = 0
}

# Title, machine and the legend, which flows over as many lines as it needs. Returns its height.
function overview_header(x_most, x, y, i)
{
	texts = strokes = label_marks = 0
	text_at(EDGE, 32, "Speedup of every kernel, up to " workers(x_most), "#000000", 20, "left", 1)
	text_at(EDGE, 58, fit(placement_count > 1 ? machine : subtitle_of(placements[1]), 14, 0, WIDTH - 2 * EDGE),
		QUIET, 14, "left")
	legend_x = EDGE
	legend_y = 92
	legend_entry("ideal", "#9A9A9A", IDEAL_COLOUR, 0, 5)
	legend_entry("attainable", "#8C8C8C", IDEAL_COLOUR, 0, 1)
	legend_entry("sequential", "#6E6E6E", "#4D4D4D", 0, 1)
	for (i = 1; i <= strategy_count; i++)
		if (strategies[i] in legend_has)
			legend_entry(strategies[i] (strategies[i] == "unsynchronized" ? " (wrong results)" : \
				     strategy_locked(strategies[i]) ? " (best lock)" : ""),
				     line_colour[strategies[i]], text_colour[strategies[i]],
				     strategy_mark[strategies[i]], strategy_dash[strategies[i]])
	return legend_y + 26
}

function strategy_locked(strategy, id)
{
	for (id in id_strategy)
		if (id_strategy[id] == strategy && id_lock[id] != "-")
			return 1
	return 0
}

function legend_entry(name, colour, text, mark, dash, w, n)
{
	name = fit(name, 13, 0, 300)
	w = 34 + width_of(name, 13) + 18
	if (legend_x + w > WIDTH - EDGE + 18) {
		legend_x = EDGE
		legend_y += 22
	}
	stroke(legend_x, legend_y, legend_x + 28, legend_y, colour, dash, mark ? 2 : name == "sequential" ? 1 : 1.5)
	text_at(legend_x + 34, legend_y, name, text, 13, "left")
	if (mark) {
		n = ++label_marks
		label_mark_is[n] = mark
		label_mark_x[n] = legend_x + 14
		label_mark_y[n] = legend_y
		label_mark_ink[n] = colour
	}
	legend_x += w
}

function draw_panel(kernel, placement, x, wide, y, y_least, y_most, x_most, i, note)
{
	chart_kernel = kernel
	choose_series(kernel, placement)
	largest = x_most
	set_ranges()
	y_low = y_least
	y_high = y_most
	text_at(x, y + 12, fit(kernel (placement_count > 1 ? ", " placement : ""), 15, 1, wide), "#000000", 15, "left", 1)
	for (i = 1; i <= shown_count && id_strategy[shown[i]] == "unsynchronized"; i++)
		;
	if (i <= shown_count) {
		note = fit(variant(shown[i]), 12, 0, wide - 70) " " value_text(value_at(shown[i], last[shown[i]]))
		text_at(x, y + 31, note, text_colour[id_strategy[shown[i]]], 12, "left")
	}
	right = x + wide
	top = y + 44
	bottom = y + 202
	set_y_tics(bottom - top)
	left = x + widest_tic(11) + 9
	set_x_tics(right - left)
	place_boundaries(placement, 0)
	write_frame()
	write_series(22, 0.75)
}

# ---------------------------------------------------------------------------- terminal

# The speedup of each kernel in characters: few series, drawn as dense points in cell coordinates.
function draw_terminal(i, p)
{
	kind = "speedup"
	p = placements[1]
	for (i = 2; i <= placement_count; i++)
		if (placements[i] == "compact")
			p = placements[i]
	if (only != "" && !(only in kernel_seen))
		fail("speedup.tsv has no kernel " only)
	for (i = 1; i <= kernel_count; i++)
		if (only == "" ? kernels[i] != "control" : kernels[i] == only)
			draw_in_cells(kernels[i], p)
}

# Of each family (lock-free, lock-free-cas: lock-free) its best; of all locks the best and the worst.
function choose_few(i, j, id, family, seen, few, n, lock_worst, lock_best)
{
	for (i = 1; i <= shown_count; i++)
		if (id_lock[shown[i]] != "-") {
			if (lock_best == "")
				lock_best = shown[i]
			lock_worst = shown[i]
		}
	n = 0
	for (i = 1; i <= shown_count; i++) {
		id = shown[i]
		family = id_strategy[id]
		if (id_lock[id] != "-") {
			if (id == lock_best || id == lock_worst) {
				few[++n] = id
				symbol[id] = id == lock_best ? "+" : "x"
			}
			continue
		}
		for (j = 1; j <= strategy_count; j++)
			if (index(id_strategy[id] "-", strategies[j] "-") == 1 && length(strategies[j]) < length(family))
				family = strategies[j]
		if (family in seen || family == "unsynchronized")
			continue
		seen[family] = 1
		few[++n] = id
		symbol[id] = family == "private" ? "*" : family == "lock-free" ? "o" : \
			     family == "rcu" ? "#" : family == "message-passing" ? "@" : \
			     substr("%&$=~^", n % 6 + 1, 1)
	}
	shown_count = n < 12 ? n : 12
	for (i = 1; i <= shown_count; i++)
		shown[i] = few[i]
	split("", thin)
}

function draw_in_cells(name, placement, rows, i, n, lines, wide)
{
	chart_kernel = name
	choose_series(name, placement)
	choose_few()
	if (!shown_count) {
		print "chart: no speedup chart of " name ": the table has no numbers for it" >"/dev/stderr"
		return
	}
	set_ranges()
	rows = 17
	top = rows
	bottom = left = 0
	collect_labels()
	set_y_tics(rows)
	wide = widest_tic()
	right = columns - widest_label() - wide - 7
	set_x_tics(right)
	place_boundaries(placement, 1)

	print ""
	print "# " name ", " placement
	n = wrap(title_of(name, placement), 1, 0, columns, 3, lines)
	for (i = 1; i <= n; i++)
		print "print " quoted(lines[i])
	print "print " quoted(fit(subtitle_of(placement), 1, 0, columns))
	print "print " quoted(y_title(name) ":")
	printf "columns = %d; rows = %d; margin = %d; right = %d; x_title = %s\n",
	       columns, rows, wide + 2, right, quoted("workers" (logarithmic ? " (logarithmic)" : ""))
	write_cells(rows)
	print "load 'terminal.gp'"
}

function cell(value)
{
	return floor(value + 0.5)
}

function write_cells(rows, i, j, k, id, n, before, value, x, y, x1, y1)
{
	for (i = 1; i <= x_tics; i++)
		cell_x[i] = cell(pixel_x(x_tic[i]))
	for (i = 1; i <= y_tics; i++)
		cell_y[i] = cell(pixel_y(y_tic[i]))
	print "x_tics = " x_tics "; y_tics = " y_tics "; rules = " rules
	write_array("x_tic", cell_x, x_tics)
	write_array("x_tic_text", x_tic_text, x_tics, 1)
	write_array("y_tic", cell_y, y_tics)
	write_array("y_tic_text", y_tic_text, y_tics, 1)
	for (i = 1; i <= rules; i++)
		rule_px[i] = cell(rule_x[i])
	write_array("rule_x", rule_px, rules)
	write_array("rule_name", rule_name, rules, 1)

	# Back to front: boundaries, the sequential level, ideal, series from worst to best.
	k = 0
	print "$cells << EOD"
	for (i = 1; i <= rules; i++)
		for (y = 0; y <= rows; y++)
			print rule_px[i], y
	if (!rules)
		print "-1 -1"
	cell_symbol[++k] = ":"
	printf "\n\n"
	for (x = 0; x <= right; x += 2)
		print x, cell(pixel_y(1))
	cell_symbol[++k] = "-"
	printf "\n\n"
	line_cells(pixel_x(1), pixel_y(1), pixel_x(largest), pixel_y(largest))
	cell_symbol[++k] = "."
	printf "\n\n"
	for (i = shown_count; i >= 1; i--) {
		id = shown[i]
		before = ""
		for (j = 1; j <= points[id]; j++) {
			n = at[id, j]
			value = value_at(id, n)
			if (!number(value)) {
				before = ""
				continue
			}
			x1 = pixel_x(n)
			y1 = pixel_y(value)
			if (before != "")
				line_cells(x, y, x1, y1)
			else
				print cell(x1), cell(y1)
			before = 1
			x = x1
			y = y1
		}
		cell_symbol[++k] = symbol[id]
		printf "\n\n"
	}
	print "EOD"
	print "series = " k
	write_array("symbol", cell_symbol, k, 1)

	# Rows of labels count from the top while they are spread.
	for (i = 1; i <= labels; i++) {
		label_high[i] = 1
		label_wants[i] = rows - pixel_y(label_value[i])
		if (label_wants[i] < 0)
			label_wants[i] = 0
	}
	spread_labels(-0.5, rows + 0.5)
	for (i = 1; i <= labels; i++)
		label_row[i] = rows - cell(label_y[i])
	print "labels = " labels
	write_array("label_row", label_row, labels)
	write_array("label_is", label_upper, labels, 1)
}

function line_cells(x, y, x1, y1, steps, i)
{
	steps = cell(x1) - cell(x)
	if (steps < 1)
		steps = 1
	for (i = 0; i <= steps; i++)
		print cell(x + (x1 - x) * i / steps), cell(y + (y1 - y) * i / steps)
}
