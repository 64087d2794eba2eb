# SPDX-License-Identifier: BSD-2-Clause
# Which colour, mark and dash a strategy and a lock have: the same in every chart.

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
	# What is built otherwise under the same strategy has a neighbour of its colour.
	style("fine-lock-striped",     "#C9B400", "#7A6C00",  8, 3)
	style("fine-lock-lazy",        "#C9B400", "#7A6C00",  8, 3)
	style("lock-free-bucket",      "#56B4E9", "#1F78AD",  6, 2)
	style("lock-free-ring",        "#56B4E9", "#1F78AD",  6, 2)
	style("lock-free-tagged",      "#56B4E9", "#1F78AD",  6, 2)
	style("lock-free-faa",         "#332288", "#332288",  6, 3)
	style("lock-free-elimination", "#332288", "#332288",  6, 3)
	style("relaxed",               "#44AA99", "#1F7A6C",  4, 1)
	style("biased",                "#44AA99", "#1F7A6C",  4, 1)
	style("deferred",              "#009E73", "#007A59",  5, 2)
	style("hazard",                "#CC79A7", "#A3457B", 13, 1)
	# Interpreters.
	style("gil-2",                 "#D55E00", "#B04E00",  9, 1)
	style("gil-3",                 "#E69F00", "#8A5F00", 11, 1)
	style("gil-3-native",          "#C9B400", "#7A6C00", 10, 3)
	style("free-threaded",         "#009E73", "#007A59",  5, 1)
	style("free-threaded-atomic",  "#882255", "#882255",  4, 2)
	style("processes",             "#0072B2", "#00629A",  7, 1)
	style("subinterpreters",       "#56B4E9", "#1F78AD",  6, 2)
	# Somebody else's, by library.
	style("ck-ht",                 "#882255", "#882255", 15, 2)
	style("ck-hs",                 "#CC6677", "#A8475A", 14, 3)
	style("ck-ring",               "#882255", "#882255", 15, 2)
	style("ck-stack",              "#882255", "#882255", 15, 2)
	style("urcu-rculfhash",        "#661100", "#661100", 14, 2)
	style("urcu-wfcqueue",         "#661100", "#661100", 14, 2)
	style("urcu-lfstack",          "#661100", "#661100", 14, 2)
	style("moodycamel",            "#999933", "#6B6B1F", 15, 3)
	style("libc",                  "#AA4499", "#AA4499", 15, 1)
	style("jemalloc",              "#882255", "#882255", 14, 2)
	style("mimalloc",              "#999933", "#6B6B1F", 15, 3)
	# Strategies to come take the next free one of these, by name.
	spare_count = split("#332288 #8C8C2E #AA4499 #661100 #44AA99 #6699CC", spare, " ")

	# A lock has the same shape and dash under every strategy; filled under most, open under
	# fine-lock.
	n = split("mutex 9 1 spin 11 3 tas 9 3 ttas 11 2 ticket 9 2 mcs 11 1", part, " ")
	for (i = 1; i < n; i += 3) {
		lock_mark[part[i]] = part[i + 1]
		lock_dash[part[i]] = part[i + 2]
		standard[++standards] = part[i]
		standard_lock[part[i]] = 1
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
	return lock_mark[lock] - (id_strategy[id] ~ /^fine-lock/)
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

# The colour as gnuplot's number.
function rgb(colour)
{
	return 65536 * hex(substr(colour, 2, 2)) + 256 * hex(substr(colour, 4, 2)) + hex(substr(colour, 6, 2))
}

# The colour at t, 0 to 1, of a scale that passes through stops[1..n].
function ramp(stops, n, t, i, j, mixed)
{
	t = t < 0 ? 0 : t > 1 ? 1 : t
	i = int(t * (n - 1)) + 1
	if (i == n)
		i--
	t = t * (n - 1) - (i - 1)
	mixed = "#"
	for (j = 2; j <= 6; j += 2)
		mixed = mixed sprintf("%02X", (1 - t) * hex(substr(stops[i], j, 2)) + t * hex(substr(stops[i + 1], j, 2)) + 0.5)
	return mixed
}

# Black or white, whichever is easier to read on this colour.
function ink_on(colour)
{
	return 0.299 * hex(substr(colour, 2, 2)) + 0.587 * hex(substr(colour, 4, 2)) + \
	       0.114 * hex(substr(colour, 6, 2)) > 140 ? "#000000" : "#FFFFFF"
}

function hex(digits)
{
	return 16 * (index("0123456789ABCDEF", substr(digits, 1, 1)) - 1) + \
	       index("0123456789ABCDEF", substr(digits, 2, 1)) - 1
}
