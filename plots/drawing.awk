# SPDX-License-Identifier: BSD-2-Clause
# What the charts that are not over workers share: painting in pixels from the canvas's upper left
# corner, back to front; the logarithmic axis of times; and which rows of a table make a chart.

function begin_drawing()
{
	texts = layers = 0
	layer_style = painting = painted_image = ""
	print ""
}

# What is painted in one style is one block of data, and one part of gnuplot's plot command.
function layer(style)
{
	if (style == layer_style)
		return
	if (layers)
		print "EOD"
	print "$layer" ++layers " << EOD"
	painting = painting (painting == "" ? "" : ", ") "$layer" layers " " style
	layer_style = style
}

function paint_box(x0, y0, x1, y1, colour)
{
	layer("using 1:2:3:4:5:6:7 with boxxyerror fillstyle solid noborder linecolor rgb variable")
	printf "%.2f %.2f %.2f %.2f %.2f %.2f %d\n", (x0 + x1) / 2, (y0 + y1) / 2, x0, x1, y0, y1, rgb(colour)
}

function paint_line(x0, y0, x1, y1, colour, wide, dash)
{
	layer("using 1:2:3:4:5 with vectors nohead linewidth " (wide ? wide : 1) " dashtype " \
	      (dash ? dash : 1) " linecolor rgb variable")
	printf "%.2f %.2f %.2f %.2f %d\n", x0, y0, x1 - x0, y1 - y0, rgb(colour)
}

function paint_mark(x, y, mark, size, colour)
{
	layer("using 1:2:3 with points pointtype " mark " pointsize " size \
	      " * mark_scale linewidth 1.5 linecolor rgb variable")
	printf "%.2f %.2f %d\n", x, y, rgb(colour)
}

# A bar of colours[0..n-1], each painted over the places of all further ones, so that no seam shows.
function paint_scale(x, y, wide, colours, n, i)
{
	for (i = 0; i < n; i++)
		paint_box(x + wide * i / n, y - 8, x + wide, y + 8, colours[i])
	# Painted over and over, its edges' half pixels would add up.
	paint_line(x, y - 8, x + wide + 1, y - 8, "#FFFFFF")
	paint_line(x, y + 8, x + wide + 1, y + 8, "#FFFFFF")
}

# A file of x, y, red, green and blue, row by row.
function paint_image(file)
{
	painting = painting (painting == "" ? "" : ", ") "image using 1:2:3:4:5 with rgbimage"
	painted_image = file
	layer_style = ""
}

# A place in a map for which there is no number.
function paint_nothing(x0, y0, x1, y1)
{
	paint_box(x0, y0, x1, y1, "#EDEDED")
	paint_line(x0, y1, x1, y0, "#C4C4C4", 1)
}

# The drawing under this name, `high` pixels high; without a width as wide as other charts.
function end_drawing(name, title, high, wide)
{
	print "EOD"
	print "painting = " quoted(painting) "; image = " quoted(painted_image)
	print "texts = " texts
	write_texts()
	print "out = " quoted(out "/" name) "; width = " (wide ? wide : WIDTH) "; height = " high
	print "do for [format in 'svg png'] { load 'canvas.gp'; load 'drawing.gp'; unset output }"
	print name "\t" title >list
}

# Notes at the foot of a drawing `high` pixels high without them; returns the height with them.
function foot(text, high, i, n, line)
{
	sub(/ $/, "", text)
	if (text == "")
		return high + 8
	n = wrap(text, 12, 0, WIDTH - 2 * EDGE, 3, line)
	for (i = 1; i <= n; i++)
		text_at(EDGE, high + 16 * i, line[i], QUIET, 12, "left")
	return high + 16 * n + 16
}

# ---------------------------------------------------------------------------- times

function duration(ns)
{
	if (ns >= 999.5e6)
		return significant(ns / 1e9) " s"
	if (ns >= 999.5e3)
		return significant(ns / 1e6) " ms"
	if (ns >= 999.5)
		return significant(ns / 1e3) " µs"
	return significant(ns) " ns"
}

function time_tic(ns)
{
	if (ns >= 0.999e9)
		return sprintf("%g s", ns / 1e9)
	if (ns >= 0.999e6)
		return sprintf("%g ms", ns / 1e6)
	if (ns >= 0.999e3)
		return sprintf("%g µs", ns / 1e3)
	return sprintf("%g ns", ns)
}

# A logarithmic axis from lowest to highest, between left and right, its rules from top to bottom.
function time_axis(lowest, highest, title, i, step, x, before, fine)
{
	logarithmic = 1
	if (highest < 4 * lowest) {
		highest *= 2
		lowest /= 2
	}
	x_low = lowest / 1.3
	x_high = highest * 1.3
	fine = log(x_high / x_low) / log(10) <= 2.5
	before = -1000
	for (i = floor(log(x_low) / log(10)); 10 ^ i <= x_high; i++)
		for (step = 1; step <= (fine ? 5 : 1); step += step == 2 ? 3 : 1) {
			if (step > 2 && step < 5 || step * 10 ^ i < x_low || step * 10 ^ i > x_high)
				continue
			x = pixel_x(step * 10 ^ i)
			if (x - before < 62)
				continue
			paint_line(x, top, x, bottom, "#E8E8E8")
			text_at(x, bottom + 16, time_tic(step * 10 ^ i), "#333333", 13, "center")
			before = x
		}
	paint_line(left, bottom, right, bottom, "#8C8C8C")
	text_at((left + right) / 2, bottom + 40, title " (logarithmic)", "#000000", 14, "center")
}

# Where a time stands; what is too small for a logarithm stands at the axis's left end.
function time_x(ns)
{
	return ns > x_low ? pixel_x(ns) : left
}

# ---------------------------------------------------------------------------- rows

function get(from, row, name)
{
	return entry[from, row, name]
}

# The charts that a table makes: one per kernel, where it has kernels, and placement, of the rows
# with the most workers. In group_kernel[], group_placement[], group_threads[]; returns their count.
function collect_groups(from, with_kernel, r, n, kernel, placement, known, seen, several)
{
	n = several = 0
	for (r = 1; r <= rows[from]; r++) {
		kernel = with_kernel ? get(from, r, "kernel") : ""
		placement = get(from, r, "placement")
		if (index(kernel, "@"))
			continue
		if (!((kernel, placement) in known)) {
			known[kernel, placement] = ++n
			group_kernel[n] = kernel
			group_placement[n] = placement
			group_threads[n] = 0
		}
		if (!(placement in seen)) {
			seen[placement] = 1
			several++
		}
		if (get(from, r, "threads") + 0 > group_threads[known[kernel, placement]])
			group_threads[known[kernel, placement]] = get(from, r, "threads") + 0
	}
	group_named = several > 1 || placement_count > 1
	return n
}

function in_group(from, r, g, with_kernel)
{
	return (!with_kernel || get(from, r, "kernel") == group_kernel[g]) && \
	       get(from, r, "placement") == group_placement[g]
}

# kind[-kernel][-placement]
function group_name(kind, g, name)
{
	name = kind (group_kernel[g] == "" ? "" : "-" group_kernel[g]) (group_named ? "-" group_placement[g] : "")
	gsub(/[^A-Za-z0-9._-]/, "_", name)
	return name
}

# Sorts order[1..n] so that key[order[i]] ascends; equal ones stay as they were.
function sort_by(order, n, key, i, j, item)
{
	for (i = 2; i <= n; i++) {
		item = order[i]
		for (j = i; j > 1 && key[order[j - 1]] > key[item]; j--)
			order[j] = order[j - 1]
		order[j] = item
	}
}

# How the rows order[1..n] are called: by lock where all have one strategy, and by both otherwise.
# In row_name[]; returns the widest, at most `allowed` pixels.
function name_rows(from, order, n, allowed, i, r, several, widest, lock)
{
	for (i = 2; i <= n; i++)
		if (get(from, order[i], "strategy") != get(from, order[1], "strategy"))
			several = 1
	widest = 0
	for (i = 1; i <= n; i++) {
		r = order[i]
		lock = get(from, r, "lock")
		if (lock == "" || lock == "-")
			row_name[r] = get(from, r, "strategy")
		else
			row_name[r] = (several ? get(from, r, "strategy") "/" : "") lock
		row_name[r] = fit(row_name[r], LABEL_SIZE, 0, allowed)
		if (width_of(row_name[r], LABEL_SIZE) > widest)
			widest = width_of(row_name[r], LABEL_SIZE)
	}
	return widest
}
