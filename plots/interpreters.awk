# SPDX-License-Identifier: BSD-2-Clause
# Real interpreters (kernels called python-2.7, pypy-3.9, ..., as scripts/python-gil measures them) and
# the miniature (kernel python) on one chart: threads under each, and how far processes and native
# work get instead. Each series is one of another chart, under a kernel of its own.

function is_interpreter(kernel)
{
	return kernel ~ /^(python|pypy|jython|ironpython|other)-[0-9]/
}

function draw_interpreters(i, j, n, order, high)
{
	n = order_interpreters(order)
	if (!n)
		return
	for (j = 1; j <= placement_count; j++) {
		collect_interpreters(order, n, placements[j])
		if (!real_count)
			continue
		kind = "speedup"
		high = HEIGHT
		i = 250 + LINE * (series_total["interpreters", placements[j]] + 4)
		if (i > HEIGHT)
			HEIGHT = i
		draw_chart("interpreters", placements[j])
		HEIGHT = high
	}
}

# By implementation, then version: 3.9 before 3.10.
function order_interpreters(order, i, n, key, part)
{
	for (i = 1; i <= kernel_count; i++)
		if (is_interpreter(kernels[i])) {
			order[++n] = i
			split(kernels[i], part, /[-.]/)
			key[i] = (part[1] == "python" ? 0 : part[1] == "pypy" ? 1e6 : 2e6) + 1000 * part[2] + part[3] + (kernels[i] ~ /t$/) / 2
		}
	sort_by(order, n, key)
	return n + 0
}

# Which lock its threads have to share: old (to 3.1), new, none.
function lock_family(kernel)
{
	if (kernel ~ /^(jython|ironpython)-/ || kernel ~ /t$/)
		return "none"
	if (kernel ~ /^python-2/ || kernel ~ /^python-3[.][01]$/)
		return "old"
	return kernel ~ /^pypy-/ ? "pypy" : "new"
}

# Real ones have full lines and marks, the miniature's are dashed and open; both have the colour of
# their lock. Of versions with the same lock the newest is the darkest.
function collect_interpreters(order, n, placement, i, kernel, family, of, nth, newest, stops)
{
	split("#5CA8D8 #0072B2 #003B5C", stops, " ")
	real_count = 0
	for (i = 1; i <= n; i++)
		of[lock_family(kernels[order[i]])]++
	for (i = 1; i <= n; i++) {
		kernel = kernels[order[i]]
		family = lock_family(kernel)
		nth[family]++
		if (family == "new" && kernel ~ /^python-/)
			newest = kernel
		real_count += add_interpreter_series(kernel, placement, "threads", interpreter_name(kernel) " threads",
			family == "old" ? "#D55E00" : family == "none" ? (kernel ~ /^python/ ? "#009E73" : "#007A59") : \
			family == "pypy" ? "#7A7A22" : ramp(stops, 3, of["new"] > 1 ? (nth["new"] - 1) / (of["new"] - 1) : 0.5),
			family == "old" ? 9 : family == "none" ? 5 : family == "pypy" ? 13 : nth[family] % 2 ? 7 : 15, 1)
	}
	if (newest != "") {
		add_interpreter_series(newest, placement, "processes", interpreter_name(newest) " processes", "#4D4D4D", 11, 1)
		add_interpreter_series(newest, placement, "native", interpreter_name(newest) " native work", "#882255", 11, 1)
	}
	add_interpreter_series("python", placement, "gil-2", "miniature gil-2", "#B04E00", 8, 2)
	add_interpreter_series("python", placement, "gil-3", "miniature gil-3", "#00629A", 6, 2)
	add_interpreter_series("python", placement, "free-threaded", "miniature free-threaded", "#00694D", 4, 2)
	add_interpreter_series("python", placement, "processes", "miniature processes", "#6E6E6E", 10, 2)
	# All are compared with what is 1 for each of them.
	i = "interpreters" SUBSEP placement SUBSEP "sequential" SUBSEP "-"
	if (!(i in points)) {
		series_of["interpreters", placement, ++series_total["interpreters", placement]] = i
		id_strategy[i] = "sequential"
		id_lock[i] = "-"
		points[i] = 1
		at[i, 1] = 1
		rate[i, 1] = speedup[i, 1] = 1
	}
}

function interpreter_name(kernel)
{
	sub(/^python-/, "Python ", kernel)
	sub(/^pypy-/, "PyPy ", kernel)
	sub(/^jython-/, "Jython ", kernel)
	sub(/^ironpython-/, "IronPython ", kernel)
	sub(/^other-/, "Python (other) ", kernel)
	return kernel
}

# A series of the chart, of the points of another; 1 where there are any.
function add_interpreter_series(kernel, placement, strategy, label, colour, mark, dash, from, to, i, n)
{
	from = kernel SUBSEP placement SUBSEP strategy SUBSEP "-"
	if (!(from in points))
		return 0
	to = "interpreters" SUBSEP placement SUBSEP label SUBSEP "-"
	series_of["interpreters", placement, ++series_total["interpreters", placement]] = to
	id_strategy[to] = label
	id_lock[to] = "-"
	points[to] = points[from]
	for (i = 1; i <= points[from]; i++) {
		n = at[to, i] = at[from, i]
		samples[to, n] = samples[from, n]
		disturbed[to, n] = disturbed[from, n]
		speedup[to, n] = speedup[from, n]
		speedup_lo[to, n] = speedup_lo[from, n]
		speedup_hi[to, n] = speedup_hi[from, n]
	}
	style(label, colour, colour, mark, dash)
	return 1
}

# "On 2 workers threads reach 0.54x under Python 2.7, 1.15x under Python 3.9; processes 1.96x"
function interpreters_title(i, id, name, best, worst, processes, text)
{
	for (i = 1; i <= shown_count; i++) {
		id = shown[i]
		name = id_strategy[id]
		if (last[id] != largest || name ~ /^miniature /)
			continue
		if (name ~ / processes$/)
			processes = id
		if (name !~ / threads$/)
			continue
		if (best == "")
			best = id
		worst = id
	}
	if (best == "")
		return "Real interpreters: speedup"
	text = "On " workers(largest) " threads reach " under(worst)
	if (best != worst)
		text = text ", " under(best)
	return text (processes == "" ? "" : "; processes " value_text(value_at(processes, largest)))
}

function under(id, name)
{
	name = id_strategy[id]
	sub(/ threads$/, "", name)
	return value_text(value_at(id, largest)) " under " name
}
