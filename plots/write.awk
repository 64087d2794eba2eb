# SPDX-License-Identifier: BSD-2-Clause
# Writes what was laid out, as values for the gnuplot programs.

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

function write_texts()
{
	write_array("text_x", text_x, texts)
	write_array("text_y", text_y, texts)
	write_array("text_is", text_is, texts, 1)
	write_array("text_ink", text_ink, texts, 1)
	write_array("text_font", text_font, texts, 1)
	write_array("text_side", text_side, texts, 1)
}

function write_frame(i)
{
	printf "left = %.2f; right = %.2f; top = %.2f; bottom = %.2f\n", left, right, top, bottom
	printf "x_low = %.8g; x_high = %.8g; y_low = %.8g; y_high = %.8g; x_log = %d; y_log = %d\n",
	       x_low, x_high, y_low, y_high, logarithmic, y_log
	printf "band_from = %.2f\n", oversubscribed() ? rule_at(pus) : 0
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
	write_texts()
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
		series_ink[k] = !(id in thin) ? line_colour[id_strategy[id]] : \
				overview ? tint(line_colour[id_strategy[id]]) : THIN_COLOUR
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
						   rgb(series_ink[k])
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
		# Per worker, beyond the PUs, it is a curve.
		if (oversubscribed())
			for (i = 0; i <= 20; i++)
				print pus * (largest / pus) ^ (i / 20), on_scale(pus, pus * (largest / pus) ^ (i / 20))
		else
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
