# SPDX-License-Identifier: BSD-2-Clause
# The charts of one kernel over workers: speedup, throughput, efficiency, fairness.

# Speedup's title is the report's finding. The others say what their own numbers show.
function title_of(kernel, placement, i, id, best, worst)
{
	if (kernel == "interpreters")
		return interpreters_title()
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
	if (kernel == "interpreters")
		text = "Speedup of each over its own sequential program"
	else if (kind == "speedup")
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
		text = text "Grey lines: " thin_text " in speedup.tsv. "
	if (unlabelled)
		text = text unlabelled " more series have no label. "
	if (chart_kernel == "interpreters")
		text = text "Processes and native work: of the newest version with a lock. "
	if (draws_attainable())
		text = text "Attainable: what a kernel reaches that shares nothing. "
	if (oversubscribed())
		text = text "Oversubscribed: more workers than the " pus " PUs" \
		       (kind == "fairness" ? ". " : "; ideal stays that of " workers(pus) ". ")
	if (disturbed_count > 0)
		text = text disturbed_count " of " sample_count " samples were disturbed by other work. "
	sub(/ $/, "", text)
	return text
}

function file_name(kernel, placement, name)
{
	name = kernel == "interpreters" ? kernel : kind "-" kernel
	if (placement_count > 1)
		name = name "-" placement
	gsub(/[^A-Za-z0-9._-]/, "_", name)
	return name
}

# The title, at most two lines of it, and the subtitle. Returns where the latter stands.
function head(title, subtitle, size, n, i, lines, y)
{
	for (size = 20; size > 17 && width_of(title, size, 1) > WIDTH - 2 * EDGE; size--)
		;
	n = wrap(title, size, 1, WIDTH - 2 * EDGE, 2, lines)
	for (i = WIDTH - 2 * EDGE; n == 2 && width_of(lines[2], size, 1) < 0.7 * i; i -= 20)
		wrap(title, size, 1, i, 2, lines) # no word left alone
	y = 32
	for (i = 1; i <= n; i++) {
		text_at(EDGE, y, lines[i], "#000000", size, "left", 1)
		y += 24
	}
	y += 2
	text_at(EDGE, y, fit(subtitle, 14, 0, WIDTH - 2 * EDGE), QUIET, 14, "left")
	return y
}

function draw_chart(kernel, placement, i, y, label_x, strip, notes, note)
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
	y = head(title_of(kernel, placement), subtitle_of(placement)) + 34
	text_at(EDGE, y, y_title(kernel), "#000000", 14, "left")
	strip = has_boundaries(placement)
	top = y + (strip ? 38 : 18)

	# From the bottom: notes, the x axis's title, its tics.
	notes = wrap(note_text(), 12, 0, WIDTH - 2 * EDGE, 3, note)
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
