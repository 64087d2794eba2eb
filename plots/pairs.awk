# SPDX-License-Identifier: BSD-2-Clause
# Core to core: how long a cache line takes from one PU to another, for every pair measured, in the
# order in which the system numbers the PUs. The map is symmetric: a pair is measured once.

function draw_pairs(n, y, step, high, wide, title)
{
	n = read_pairs()
	if (!pairs_measured)
		return
	begin_drawing()
	title = "Core to core: a cache line takes " pair_text(pair_least) \
		(pair_most > pair_least ? " to " pair_text(pair_most) : "") " ns from PU to PU"
	y = pair_legend(head(title, machine) + 36)
	step = int((n <= 16 ? 576 : 900) / n)
	step = step < 1 ? 1 : step > 80 ? 80 : step
	left = EDGE + width_of(pair_pu[n], 12) + 12
	top = y + 78
	text_at(EDGE, top - 40, "PU to PU, numbered as the system does", "#000000", 14, "left")
	if (n <= 16)
		pair_cells(n, step)
	else
		pair_image(n, step)
	pair_tics(n, step)
	high = foot(pair_note(n), top + n * step + 6)
	wide = left + n * step + EDGE
	end_drawing("core-to-core", title, high, wide > WIDTH ? int(wide) + 1 : WIDTH)
}

# pair_ns[a, b] with a < b; pair_pu[1..n], ascending: all that a row names. Returns n.
function read_pairs(r, n, a, b, value, seen)
{
	n = pairs_measured = 0
	pair_least = pair_most = ""
	for (r = 1; r <= rows["core_to_core"]; r++) {
		a = get("core_to_core", r, "from")
		b = get("core_to_core", r, "to")
		if (a !~ /^[0-9]+$/ || b !~ /^[0-9]+$/)
			fail("core_to_core.tsv, row " r ": from and to are not both PUs")
		a += 0
		b += 0
		if (a == b)
			continue
		if (!(a in seen))
			pair_pu[++n] = a
		seen[a] = 1
		if (!(b in seen))
			pair_pu[++n] = b
		seen[b] = 1
		value = get("core_to_core", r, "one_way_ns")
		if (!number(value))
			continue
		value += 0
		if (a < b)
			pair_ns[a, b] = value
		else
			pair_ns[b, a] = value
		pairs_measured++
		if (pair_least == "" || value < pair_least)
			pair_least = value
		if (pair_most == "" || value > pair_most)
			pair_most = value
	}
	sort_numbers(pair_pu, n)
	return n
}

function pair_value(i, j, a, b)
{
	a = pair_pu[i < j ? i : j]
	b = pair_pu[i < j ? j : i]
	return (a, b) in pair_ns ? pair_ns[a, b] : "NA"
}

# Near is light, far is dark; by the logarithm where the times span more than a factor of four.
function pair_part(value)
{
	if (pair_most <= pair_least)
		return 0
	if (pair_log)
		return log(value / pair_least) / log(pair_most / pair_least)
	return (value - pair_least) / (pair_most - pair_least)
}

function pair_tint(value)
{
	return ramp(pair_colour, pair_colours, pair_part(value))
}

# For few PUs: cells with their numbers.
function pair_cells(n, step, i, j, x, y, value, colour, text)
{
	for (i = 1; i <= n; i++)
		for (j = 1; j <= n; j++) {
			x = left + (j - 1) * step
			y = top + (i - 1) * step
			if (i == j)
				continue
			value = pair_value(i, j)
			if (!number(value)) {
				paint_nothing(x, y, x + step - 1, y + step - 1)
				continue
			}
			colour = pair_tint(value)
			paint_box(x, y, x + step - 1, y + step - 1, colour)
			text = pair_text(value)
			if (width_of(text, 12) <= step - 3)
				text_at(x + (step - 1) / 2, y + (step - 1) / 2, text, ink_on(colour), 12, "center")
		}
}

function pair_text(value)
{
	return value < 9.95 ? sprintf("%.1f", value) : sprintf("%.0f", value)
}

# For many: an image, each cell `step` pixels wide.
function pair_image(n, step, i, j, y, value, file, shade, colour, missing)
{
	file = out "/core-to-core.cells"
	missing = "227 227 227"
	for (i = 1; i <= n; i++) {
		y = top + (i - 0.5) * step
		for (j = 1; j <= n; j++) {
			value = i == j ? "NA" : pair_value(i, j)
			if (number(value)) {
				shade = int(255 * pair_part(value) + 0.5)
				if (!(shade in colour))
					colour[shade] = spelled(ramp(pair_colour, pair_colours, shade / 255))
			}
			print left + (j - 0.5) * step, y, i == j ? "255 255 255" : number(value) ? colour[shade] : missing >file
		}
	}
	close(file)
	paint_image(file)
}

function spelled(colour)
{
	return hex(substr(colour, 2, 2)) " " hex(substr(colour, 4, 2)) " " hex(substr(colour, 6, 2))
}

function pair_tics(n, step, i, x, every, w)
{
	w = width_of(pair_pu[n], 12)
	for (every = 1; every * step < w + 10; every *= 2)
		;
	for (i = 1; i <= n; i += every) {
		x = (i - 0.5) * step
		text_at(left + x, top - 13, pair_pu[i] "", "#333333", 12, "center")
		text_at(left - 8, top + x, pair_pu[i] "", "#333333", 12, "right")
		if (every > 1) {
			paint_line(left + x, top - 5, left + x, top - 1, "#8C8C8C")
			paint_line(left - 5, top + x, left - 1, top + x, "#8C8C8C")
		}
	}
}

function pair_legend(y, i, x, wide, value, power, step, colours)
{
	pair_colours = split("#FFEA46 #CBBA69 #958F78 #666970 #31446B #00204D", pair_colour, " ")
	pair_log = pair_least > 0 && pair_most > 4 * pair_least
	x = EDGE
	wide = 300
	if (pair_most <= pair_least) {
		paint_box(x, y - 8, x + 40, y + 8, pair_colour[1])
		text_at(x + 50, y, pair_text(pair_least) " ns one way", "#333333", 12, "left")
		return y
	}
	for (i = 0; i < 100; i++)
		colours[i] = ramp(pair_colour, pair_colours, (i + 0.5) / 100)
	paint_scale(x, y, wide, colours, 100)
	text_at(x + wide + 14, y, "one way" (pair_log ? " (logarithmic)" : ""), "#333333", 12, "left")
	pair_legend_free = x - 30
	if (!pair_log) {
		step = round_step(pair_most - pair_least, 6)
		for (value = step * ceiling(pair_least / step); value <= pair_most; value += step)
			pair_legend_tic(x + wide * pair_part(value), y, value)
		return y + 30
	}
	for (power = floor(log(pair_least) / log(10)); 10 ^ power <= pair_most; power++)
		for (step = 1; step <= 5; step += step == 2 ? 3 : 1)
			if (step != 3 && step != 4) {
				value = step * 10 ^ power
				if (value >= pair_least && value <= pair_most)
					pair_legend_tic(x + wide * pair_part(value), y, value)
			}
	return y + 30
}

function pair_legend_tic(x, y, value, w)
{
	w = width_of(time_tic(value), 12)
	if (x - w / 2 < pair_legend_free + 8)
		return
	paint_line(x, y + 8, x, y + 12, "#8C8C8C")
	text_at(x < EDGE + w / 2 ? EDGE : x, y + 20, time_tic(value), "#333333", 12, x < EDGE + w / 2 ? "left" : "center")
	pair_legend_free = x + w / 2
}

function pair_note(n, text)
{
	text = n " PUs. A pair is measured in one direction and stands for both. "
	if (pairs_measured < n * (n - 1) / 2)
		text = text pairs_measured " of " n * (n - 1) / 2 " pairs were measured; " \
		       (n <= 16 ? "crossed" : "grey") " cells were not. "
	return text
}
