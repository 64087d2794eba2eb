# SPDX-License-Identifier: BSD-2-Clause
# The speedup charts in characters.

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
	line_cells(pixel_x(1), pixel_y(1), pixel_x(ideal(largest)), pixel_y(ideal(largest)))
	if (oversubscribed())
		line_cells(pixel_x(pus), pixel_y(pus), pixel_x(largest), pixel_y(pus))
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
