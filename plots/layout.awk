# SPDX-License-Identifier: BSD-2-Clause
# Turns the tables of a result directory into a gnuplot program: what is drawn, in which style and
# where each word goes. The plots/*.gp draw it. Labels are placed here because gnuplot cannot tell
# whether two of them overlap. POSIX awk only; run with LC_ALL=C, so that a character is a byte.
#
# Here are the start, the tables and the end; the other *.awk, all given by -f in any order, hold
# a part of the layout or a kind of chart each.
#
# awk -v mode=charts -f axes.awk ... -f write.awk table=findings findings.tsv \
#	table=boundaries boundaries.tsv table=machine machine.txt table=speedup speedup.tsv
# mode is charts, or terminal (with columns=80). From the environment, as it may hold any character:
# CHART_OUT, the directory of the charts, where `names` receives their names and titles, and
# CHART_KERNEL, the only kernel to draw in the terminal.
#
# Positions are pixels from the canvas's upper left corner, in the terminal characters.

BEGIN {
	FS = "\t"
	WIDTH = 960
	HEIGHT = 600
	EDGE = 24	# nothing is written nearer to the canvas's edge
	LABEL_SIZE = 14 # of the labels at the line ends, and LINE from one to the next
	LINE = 18
	LABELLED = 12	# of more series than this some locks go unlabelled
	THIN_COLOUR = "#CDCDCD"
	LINEAR_TO = 16	# workers; beyond, both axes are logarithmic
	IDEAL_COLOUR = "#6B6B6B"
	QUIET = "#5F5F5F" # text that does not compete with the data
	out = ENVIRON["CHART_OUT"]
	only = ENVIRON["CHART_KERNEL"]
	list = out "/names"
	set_metrics()
	set_styles()
	set_tables()
}

# The tables of the charts that are not over workers, and the columns that each must have.
function set_tables()
{
	wanted["contention"] = "cs_ns work_ns lines lock strategy placement threads speedup attainable"
	wanted["crossover"] = "lock placement threads lines cs_ns work_ns_at_crossover"
	wanted["latency"] = "kernel strategy lock placement threads p50_ns p99_ns p999_ns max_ns " \
			    "clock_ns disturbed_samples"
	wanted["fairness"] = "kernel strategy lock placement threads jain longest_wait_ns shares"
	wanted["handover"] = "lock fifo placement threads handover_ns limit_ns"
	wanted["core_to_core"] = "from to one_way_ns"
}

{ sub(/\r$/, "") }

table == "machine" && FNR == 1 {
	machine = $0
	if (match(machine, /[0-9]+ PUs?/))
		pus = substr(machine, RSTART, RLENGTH) + 0
}

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

mode == "charts" && table in wanted {
	if (FNR == 1)
		read_wanted()
	else if (NF)
		read_row()
}

function read_header(into, i)
{
	for (i = 1; i <= NF; i++)
		into[$i] = i
}

function read_wanted(i, name)
{
	for (name in header)
		delete header[name]
	read_header(header)
	wanted_count = split(wanted[table], wanted_name, " ")
	wanted_last = 0
	for (i = 1; i <= wanted_count; i++) {
		if (!(wanted_name[i] in header))
			fail(table ".tsv has no column " wanted_name[i])
		wanted_at[i] = header[wanted_name[i]]
		if (wanted_at[i] > wanted_last)
			wanted_last = wanted_at[i]
	}
}

function read_row(i)
{
	if (NF < wanted_last)
		fail(table ".tsv, line " FNR ": too few columns")
	rows[table]++
	for (i = 1; i <= wanted_count; i++)
		entry[table, rows[table], wanted_name[i]] = $wanted_at[i]
	if (table == "latency" && "what" in header) # older tables are of locks alone
		entry[table, rows[table], "what"] = $header["what"]
	if ("strategy" in header)
		also_seen[$header["strategy"]] = 1
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
	if (index(kernel, "@")) # a kernel under a setting, which other charts show
		return
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

END {
	if (failed)
		exit 1
	if (!kernel_count)
		fail("speedup.tsv has no points")
	for (strategy in also_seen)
		strategy_seen[strategy] = 1
	style_others()
	bound_machine()
	print "# Written by layout.awk: values for the gnuplot programs, and calls of them."
	print "set encoding utf8"
	print "set print '-'"
	if (mode == "terminal")
		draw_terminal()
	else
		draw_charts()
}

# Beyond the PUs workers share them: a boundary like others.
function bound_machine(i, j)
{
	for (i = 1; i <= boundaries; i++)
		if (boundary_what[i] == "oversubscribed") {
			pus = boundary_after[i]
			return
		}
	for (j = 1; j <= placement_count && pus; j++) {
		boundaries++
		boundary_placement[boundaries] = placements[j]
		boundary_after[boundaries] = pus
		boundary_what[boundaries] = "oversubscribed"
	}
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
	draw_interpreters()
	draw_overview()
	draw_contentions()
	draw_latencies()
	draw_shares()
	draw_handovers()
	draw_pairs()
}
