# SPDX-License-Identifier: BSD-2-Clause
# All kernels at a glance.

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
