# SPDX-License-Identifier: BSD-2-Clause
# How long acquiring a lock takes, an operation of a structure, or a request to a server, by
# percentiles: a row per lock at most workers, the one with the shortest p99 first, and beneath each
# the same for a worker alone.

function draw_latencies(g, n)
{
	n = collect_groups("latency", 1)
	for (g = 1; g <= n; g++)
		draw_latency(g)
}

function draw_latency(g, n, i, r, order, alone, key, name, title, y, high, step, widest, clock)
{
	n = choose_latencies(g, order, alone, key)
	if (!n)
		return
	begin_drawing()
	title = latency_title(g, order, n, key)
	y = head(title, subtitle_of(group_placement[g]))
	y = latency_legend(y + 32, latency_alone)
	step = latency_alone ? 30 : 24
	top = y + 44
	bottom = top + n * step + 4
	widest = name_rows("latency", order, n, 260)
	left = EDGE + widest + 14
	right = WIDTH - EDGE - 164
	text_at(right + 80, top - 12, "p99", QUIET, 13, "right")
	text_at(WIDTH - EDGE, top - 12, "longest", QUIET, 13, "right")
	time_axis(latency_low, latency_high, latency_words(g, "Time of an operation", "Time of a request", "Time to acquire the lock"))
	clock = latency_clock
	if (clock > 0) {
		paint_line(time_x(clock), top - 4, time_x(clock), bottom, "#6E6E6E", 1.5, 5)
		text_at(time_x(clock), top - 12, "clock " duration(clock), QUIET, 12,
			time_x(clock) > left + 60 ? "center" : "left")
	}
	for (i = 1; i <= n; i++) {
		r = order[i]
		y = top + (i - 0.5) * step + (latency_alone ? -3 : 2)
		name = get("latency", r, "strategy")
		text_at(left - 14, y, row_name[r], text_colour[name], LABEL_SIZE, "right")
		if (r in alone)
			latency_row(alone[r], y + 11, "#B4B4B4", 0.5, 1)
		latency_row(r, y, line_colour[name], 1, 2)
		text_at(right + 80, y, number(get("latency", r, "p99_ns")) ? duration(get("latency", r, "p99_ns")) : "-",
			text_colour[name], LABEL_SIZE, "right")
		text_at(WIDTH - EDGE, y, number(get("latency", r, "max_ns")) ? duration(get("latency", r, "max_ns")) : "-",
			text_colour[name], LABEL_SIZE, "right")
	}
	high = foot(latency_note(g), bottom + 52)
	end_drawing(group_name("latency", g), title, high)
}

# The rows with the most workers, by p99, in order[1..n]; alone[row] is the same variant's row with
# one worker. Rows without any number are left out, those without a p99 come last.
function choose_latencies(g, order, alone, key, r, n, i, id, single, part)
{
	split("p50_ns p99_ns p999_ns max_ns", part, " ")
	n = latency_low = latency_high = latency_clock = latency_alone = latency_disturbed = latency_zero = 0
	for (r = 1; r <= rows["latency"]; r++) {
		if (!in_group("latency", r, g, 1))
			continue
		id = get("latency", r, "strategy") SUBSEP get("latency", r, "lock")
		if (get("latency", r, "threads") == 1)
			single[id] = r
		if (get("latency", r, "threads") + 0 == group_threads[g] && latency_numbers(r)) {
			order[++n] = r
			key[r] = number(get("latency", r, "p99_ns")) ? get("latency", r, "p99_ns") + 0 : 1e300
		}
	}
	for (i = 1; i <= n; i++) {
		r = order[i]
		id = get("latency", r, "strategy") SUBSEP get("latency", r, "lock")
		if (group_threads[g] > 1 && id in single && latency_numbers(single[id])) {
			alone[r] = single[id]
			latency_alone = 1
			latency_extent(alone[r], part)
		}
		latency_extent(r, part)
		if (number(get("latency", r, "disturbed_samples")))
			latency_disturbed += get("latency", r, "disturbed_samples")
	}
	if (latency_clock > 0 && (latency_clock < latency_low || !latency_low))
		latency_low = latency_clock
	if (!latency_low)
		latency_low = 1
	if (latency_high < latency_low)
		latency_high = latency_low
	sort_by(order, n, key)
	return n
}

function latency_numbers(r)
{
	return number(get("latency", r, "p50_ns")) || number(get("latency", r, "p99_ns")) || \
	       number(get("latency", r, "p999_ns")) || number(get("latency", r, "max_ns"))
}

function latency_extent(r, part, i, value)
{
	for (i = 1; i <= 4; i++) {
		value = get("latency", r, part[i])
		if (!number(value))
			continue
		value += 0
		if (value <= 0)
			latency_zero = 1
		else if (!latency_low || value < latency_low)
			latency_low = value
		if (value > latency_high)
			latency_high = value
	}
	value = get("latency", r, "clock_ns")
	if (number(value) && value > 0 && (!latency_clock || value < latency_clock))
		latency_clock = value + 0
}

# p50, p99, p99.9 and the longest on one line from the first to the last of them.
function latency_row(r, y, colour, size, wide, i, x, part, mark, scale, first, last_x, has)
{
	split("p50_ns p99_ns p999_ns max_ns", part, " ")
	split("6 7 13 0", mark, " ")
	split("0.9 1.1 1.1 0", scale, " ")
	for (i = 1; i <= 4; i++)
		if (number(get("latency", r, part[i]))) {
			x[i] = time_x(get("latency", r, part[i]) + 0)
			if (!has)
				first = x[i]
			has = 1
			last_x = x[i]
		}
	paint_line(first, y, last_x, y, tint(colour), wide)
	if (4 in x)
		paint_line(x[4], y - 5 * size - 1, x[4], y + 5 * size + 1, colour, 1 + wide / 2)
	for (i = 3; i >= 1; i--)
		if (i in x) {
			if (i == 1) # open, yet no line shows through
				paint_mark(x[i], y, 7, scale[i] * size, "#FFFFFF")
			paint_mark(x[i], y, mark[i], scale[i] * size, colour)
		}
}

function latency_legend(y, with_alone, x, part, word, i, colour)
{
	colour = "#333333"
	split("6 7 13", part, " ")
	split("p50 p99 p99.9", word, " ")
	x = EDGE + 6
	for (i = 1; i <= 3; i++) {
		paint_mark(x, y, part[i], 1, colour)
		text_at(x + 12, y, word[i], colour, 13, "left")
		x += width_of(word[i], 13) + 38
	}
	paint_line(x, y - 6, x, y + 6, colour, 2)
	text_at(x + 10, y, "longest", colour, 13, "left")
	if (with_alone) {
		x += width_of("longest", 13) + 34
		paint_line(x, y, x + 24, y, "#B4B4B4", 1)
		paint_mark(x + 12, y, 7, 0.6, "#B4B4B4")
		text_at(x + 34, y, "grey: one worker alone", QUIET, 13, "left")
	}
	return y
}

function latency_title(g, order, n, key, kernel, best, worst, i)
{
	kernel = group_kernel[g]
	best = order[1]
	for (i = n; i >= 1 && key[order[i]] >= 1e300; i--)
		;
	if (i < 1)
		return kernel ": time " latency_words(g, "of an operation, ", "of a request, ", "to acquire a lock, ") workers(group_threads[g])
	worst = order[i]
	if (best == worst)
		return kernel ": on " workers(group_threads[g]) ", 1 in 100 " latency_things(g) " of " latency_who(g, best) \
		       " takes longer than " duration(key[best])
	return kernel ": on " workers(group_threads[g]) ", 1 in 100 " latency_things(g) " takes longer than " \
	       duration(key[best]) " with " latency_who(g, best) ", " duration(key[worst]) " with " \
	       latency_who(g, worst)
}

function lock_of(from, r)
{
	return get(from, r, "lock") == "" || get(from, r, "lock") == "-" ? get(from, r, "strategy") : get(from, r, "lock")
}

# What was timed: "acquire", "operation" or "request".
function latency_what(g, r)
{
	for (r = 1; r <= rows["latency"]; r++)
		if (in_group("latency", r, g, 1))
			return get("latency", r, "what")
	return ""
}

function latency_words(g, of_operation, of_request, of_acquire, what)
{
	what = latency_what(g)
	return what == "operation" ? of_operation : what == "request" ? of_request : of_acquire
}

function latency_operations(g)
{
	return latency_words(g, 1, 1, 0)
}

function latency_things(g)
{
	return latency_words(g, "operations", "requests", "acquisitions")
}

# A structure's row is told by its strategy too: one lock may serve several.
function latency_who(g, r, name)
{
	name = lock_of("latency", r)
	if (latency_operations(g) && name != get("latency", r, "strategy"))
		name = get("latency", r, "strategy") "/" name
	return name
}

function latency_note(g, text)
{
	text = "p99.9: 1 in 1000 " latency_things(g) " takes longer. "
	if (latency_clock > 0)
		text = text "Clock: what reading the clock costs by itself; shorter times mean little. "
	if (latency_zero)
		text = text "Times of 0 stand at the left end. "
	if (latency_disturbed > 0)
		text = text latency_disturbed (latency_disturbed == 1 ? " sample was" : " samples were") " disturbed by other work. "
	return text
}
