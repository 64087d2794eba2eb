# SPDX-License-Identifier: BSD-2-Clause
# The contention map: what a global lock makes of the critical section's length and of the work
# between two of them, at most workers. A panel per lock, its colour the speedup over the sequential
# program, and the line beyond which the lock costs less than a tenth of what could be reached.

function draw_contentions(n, g, r, k, value, number_of)
{
	n = collect_groups("contention", 0)
	for (g = 1; g <= n; g++) {
		split("", number_of)
		k = 0
		for (r = 1; r <= rows["contention"]; r++) {
			value = get("contention", r, "lines")
			if (in_map(r, g, value) && !(value in number_of))
				number_of[value] = ++k
		}
		for (value in number_of)
			draw_contention(g, value, k > 1)
	}
}

function in_map(r, g, lines_wanted)
{
	return in_group("contention", r, g) && get("contention", r, "threads") + 0 == group_threads[g] && \
	       get("contention", r, "strategy") == "global-lock" && get("contention", r, "lines") == lines_wanted
}

function draw_contention(g, lines_wanted, several, i, y, high, across, step_x, step_y, x, down, name, title)
{
	read_map(g, lines_wanted)
	if (!map_locks || map_cs * map_works < 2)
		return
	find_crossovers(g, lines_wanted)
	choose_map_locks()
	begin_drawing()
	title = map_title(g) # finds map_crossed
	y = head(title, subtitle_of(group_placement[g]) ", " workers(group_threads[g]) \
		 (lines_wanted + 0 ? ", " lines_wanted (lines_wanted == 1 ? " shared line" : " shared lines") : "")) + 34
	text_at(EDGE, y, "Speedup over the sequential program, by work outside the critical section (across, ns) " \
		"and by its length (up, ns)", "#000000", 14, "left")
	y = map_legend(y + 30)

	across = map_shown < 3 ? map_shown : map_shown == 4 ? 2 : 3
	step_x = (WIDTH - 2 * EDGE - 34) / across
	map_wide = step_x - 14
	if (map_wide > 90 * map_works)
		map_wide = 90 * map_works
	map_high = 24 * map_cs
	map_high = map_high < 96 ? 96 : map_high > 220 ? 220 : map_high
	if (map_shown < 3 && map_high < 32 * map_cs && map_cs <= 10)
		map_high = 32 * map_cs
	step_y = map_high + 66
	for (i = 1; i <= map_shown; i++) {
		x = EDGE + 34 + (i - 1) % across * step_x
		down = y + int((i - 1) / across) * step_y
		map_panel(map_shows[i], x, down + 28, (i - 1) % across == 0)
	}
	high = y + ceiling(map_shown / across) * step_y
	high = foot(map_note(), high)
	name = group_name("contention", g) (several ? "-lines-" lines_wanted : "")
	gsub(/[^A-Za-z0-9._-]/, "_", name)
	end_drawing(name, title, high)
}

# map_lock[1..map_locks], their speedups by section and work, and these in ascending order.
function read_map(g, lines_wanted, r, lock, cs, work, seen, value)
{
	map_locks = map_cs = map_works = 0
	map_least = 1
	map_most = 1
	split("", map_speedup)
	split("", map_attainable)
	split("", map_sum)
	split("", map_sums)
	for (r = 1; r <= rows["contention"]; r++) {
		if (!in_map(r, g, lines_wanted))
			continue
		lock = get("contention", r, "lock")
		cs = get("contention", r, "cs_ns")
		work = get("contention", r, "work_ns")
		if (!number(cs) || !number(work) || cs < 0 || work < 0)
			fail("contention.tsv: cs_ns and work_ns of " lock " are not both times")
		cs += 0
		work += 0
		if (!(("lock", lock) in seen))
			map_lock[++map_locks] = lock
		if (!(("cs", cs) in seen))
			map_cs_at[++map_cs] = cs
		if (!(("work", work) in seen))
			map_work_at[++map_works] = work
		seen["lock", lock] = seen["cs", cs] = seen["work", work] = 1
		map_attainable[lock, cs, work] = get("contention", r, "attainable")
		value = get("contention", r, "speedup")
		map_speedup[lock, cs, work] = value
		if (!number(value))
			continue
		if (value + 0 > map_most)
			map_most = value + 0
		if (value > 0 && value + 0 < map_least)
			map_least = value + 0
		map_sum[lock] += log(value > 0 ? value : 1e-6)
		map_sums[lock]++
	}
	sort_numbers(map_cs_at, map_cs)
	sort_numbers(map_work_at, map_works)
	if (map_most < 1.25)
		map_most = 1.25
	if (map_least > 0.8)
		map_least = 0.8
	if (map_least < 1 / 256)
		map_least = 1 / 256
}

function sort_numbers(values, n, i, j, value)
{
	for (i = 2; i <= n; i++) {
		value = values[i]
		for (j = i; j > 1 && values[j - 1] > value; j--)
			values[j] = values[j - 1]
		values[j] = value
	}
}

# At most 12 locks, the standard ones before others, then the faster; shown the fastest first.
function choose_map_locks(i, order, key)
{
	for (i = 1; i <= map_locks; i++) {
		order[i] = i
		key[i] = map_sums[map_lock[i]] ? -map_sum[map_lock[i]] / map_sums[map_lock[i]] : 1e300
	}
	if (map_locks > 12) {
		for (i = 1; i <= map_locks; i++)
			if (map_lock[i] in standard_lock)
				key[i] -= 1000
		sort_by(order, map_locks, key)
		for (i = 1; i <= map_locks; i++)
			if (map_lock[i] in standard_lock)
				key[i] += 1000
	}
	map_shown = map_locks > 12 ? 12 : map_locks
	map_left_out = ""
	for (i = map_shown + 1; i <= map_locks; i++)
		map_left_out = map_left_out (i > map_shown + 1 ? ", " : "") map_lock[order[i]]
	sort_by(order, map_shown, key)
	for (i = 1; i <= map_shown; i++)
		map_shows[i] = map_lock[order[i]]
}

# The work outside from which a lock reaches 0.9 of what is attainable, by section: as crossover.tsv
# says, or else between the two works where it is passed for good. Absent: never.
function find_crossovers(g, lines_wanted, r, i, k, value, said)
{
	split("", map_crossover)
	for (r = 1; r <= rows["crossover"]; r++)
		if (in_group("crossover", r, g) && get("crossover", r, "threads") + 0 == group_threads[g] && \
		    get("crossover", r, "lines") == lines_wanted) {
			said = 1
			value = get("crossover", r, "work_ns_at_crossover")
			if (number(value) && number(get("crossover", r, "cs_ns")))
				map_crossover[get("crossover", r, "lock"), get("crossover", r, "cs_ns") + 0] = value + 0
		}
	if (said)
		return
	for (i = 1; i <= map_locks; i++)
		for (k = 1; k <= map_cs; k++) {
			value = interpolate_crossover(map_lock[i], map_cs_at[k])
			if (number(value))
				map_crossover[map_lock[i], map_cs_at[k]] = value
		}
}

function interpolate_crossover(lock, cs, i, part, before, work, before_work)
{
	before = work = "NA"
	for (i = map_works; i >= 1; i--) {
		if (!number(map_speedup[lock, cs, map_work_at[i]]) || !number(map_attainable[lock, cs, map_work_at[i]]) || \
		    map_attainable[lock, cs, map_work_at[i]] + 0 <= 0)
			continue
		part = map_speedup[lock, cs, map_work_at[i]] / map_attainable[lock, cs, map_work_at[i]]
		if (part < 0.9) {
			if (work == "NA")
				return "NA"
			part = (0.9 - part) / (before - part)
			if (map_work_at[i] <= 0)
				return part * before_work
			return map_work_at[i] * (before_work / map_work_at[i]) ^ part
		}
		work = before_work = map_work_at[i]
		before = part
	}
	return work
}

# ---------------------------------------------------------------------------- a panel

# Where the cells of ascending values begin and end between 0 and 1: edge[i] to edge[i + 1], bounds
# half way between logarithms. A value of 0 has a cell of its own before the others, as wide as
# they are on average.
function cell_edges(values, n, edge, first, i, span, zero)
{
	first = values[1] <= 0 ? 2 : 1
	if (n == first || n < first) {
		for (i = 1; i <= n + 1; i++)
			edge[i] = (i - 1) / n
		return
	}
	for (i = first + 1; i <= n; i++)
		edge[i] = (log(values[i - 1]) + log(values[i])) / 2
	edge[first] = 2 * log(values[first]) - edge[first + 1]
	edge[n + 1] = 2 * log(values[n]) - edge[n]
	zero = first == 2 ? 1 / n : 0
	span = edge[n + 1] - edge[first]
	for (i = n + 1; i >= first; i--)
		edge[i] = zero + (1 - zero) * (edge[i] - edge[first]) / span
	edge[1] = 0
}

# x, y: the upper left corner of its cells
function map_panel(lock, x, y, with_tics, i, k, x0, x1, y0, y1, value, colour, text, w, cells, cell_x, cell_y, cell_half,
		   cell_colour, edge_x, edge_y)
{
	cell_edges(map_work_at, map_works, edge_x)
	cell_edges(map_cs_at, map_cs, edge_y)
	text_at(x, y - 14, fit(lock, 15, 1, map_wide), "#000000", 15, "left", 1)
	for (k = 1; k <= map_cs; k++) {
		y1 = y + map_high * (1 - edge_y[k]) - (k == 1 || map_cs_at[k - 1] > 0 ? 0 : 3)
		y0 = y + map_high * (1 - edge_y[k + 1])
		for (i = 1; i <= map_works; i++) {
			x0 = x + map_wide * edge_x[i] + (i == 1 || map_work_at[i - 1] > 0 ? 0 : 3)
			x1 = x + map_wide * edge_x[i + 1]
			value = (lock, map_cs_at[k], map_work_at[i]) in map_speedup ? \
				map_speedup[lock, map_cs_at[k], map_work_at[i]] : "NA"
			if (!number(value)) {
				paint_nothing(x0, y0, x1 - 1, y1 - 1)
				continue
			}
			colour = map_colour(value + 0)
			paint_box(x0, y0, x1 - 1, y1 - 1, colour)
			text = map_text(value + 0)
			w = width_of(text, 11) / 2 + 1
			if (map_works <= 8 && map_cs <= 8 && 2 * w < x1 - x0 && y1 - y0 > 13) {
				cells++
				cell_x[cells] = (x0 + x1 - 1) / 2
				cell_y[cells] = (y0 + y1 - 1) / 2
				cell_half[cells] = w
				cell_colour[cells] = colour
				text_at(cell_x[cells], cell_y[cells], text, ink_on(colour), 11, "center")
			}
		}
	}
	map_line(lock, x, y, edge_x, edge_y)
	# Numbers interrupt the line rather than be crossed out by it.
	for (i = 1; i <= cells; i++)
		paint_box(cell_x[i] - cell_half[i], cell_y[i] - 7, cell_x[i] + cell_half[i], cell_y[i] + 7, cell_colour[i])
	map_tics(x, y, edge_x, edge_y, with_tics)
}

function map_text(value)
{
	if (value > 0 && value < 0.005)
		return "<.01"
	return sprintf(value >= 9.95 ? "%.0f" : value >= 0.995 ? "%.1f" : "%.2f", value)
}

# Steps along the rows from the shortest section to the longest: right of it the lock reaches 0.9
# of attainable. A row that never does has its step at the right end.
function map_line(lock, x, y, edge_x, edge_y, k, at, before, some, wide, colour, pass, from, to)
{
	for (k = 1; k <= map_cs; k++)
		some += (lock, map_cs_at[k]) in map_crossover
	if (!some)
		return
	for (pass = 1; pass <= 2; pass++) {
		wide = pass == 1 ? 5 : 2
		colour = pass == 1 ? "#FFFFFF" : "#000000"
		for (k = 1; k <= map_cs; k++) {
			at = x + map_wide * map_place(lock, map_cs_at[k], edge_x)
			from = y + map_high * (1 - edge_y[k])
			to = y + map_high * (1 - edge_y[k + 1])
			if (k > 1 && at != before)
				paint_line(before, from, at, from, colour, wide)
			paint_line(at, from, at, to, colour, wide)
			before = at
		}
	}
}

# The crossover of this row, from 0 to 1 across the panel.
function map_place(lock, cs, edge, i, work, part)
{
	if (!((lock, cs) in map_crossover))
		return 1
	work = map_crossover[lock, cs]
	if (work <= map_work_at[1])
		return 0
	for (i = 1; i < map_works && work > map_work_at[i + 1]; i++)
		;
	if (i >= map_works)
		return 1
	if (map_work_at[i] > 0)
		part = log(work / map_work_at[i]) / log(map_work_at[i + 1] / map_work_at[i])
	else
		part = work / map_work_at[i + 1]
	return (1 - part) * (edge[i] + edge[i + 1]) / 2 + part * (edge[i + 1] + edge[i + 2]) / 2
}

function map_tics(x, y, edge_x, edge_y, with_y, i, at, w, free, text)
{
	free = x - 30
	for (i = 1; i <= map_works; i++) {
		text = map_tic(map_work_at[i])
		w = width_of(text, 11)
		at = x + map_wide * (edge_x[i] + edge_x[i + 1]) / 2
		if (at - w / 2 < free + 7)
			continue
		text_at(at, y + map_high + 11, text, "#333333", 11, "center")
		free = at + w / 2
	}
	if (!with_y)
		return
	free = y + map_high + 30
	for (i = 1; i <= map_cs; i++) {
		at = y + map_high * (1 - (edge_y[i] + edge_y[i + 1]) / 2)
		if (at + 7 > free)
			continue
		text_at(x - 6, at, map_tic(map_cs_at[i]), "#333333", 11, "right")
		free = at - 7
	}
}

function map_tic(value, text)
{
	text = engineering_tic(value)
	sub(/ /, "", text)
	return text
}

# ---------------------------------------------------------------------------- colours and words

# 1 is pale; orange is slower than one thread, down to the slowest cell; blue faster, up to the
# fastest. Both by the logarithm.
function map_colour(value)
{
	if (value <= 0)
		return slower[1]
	if (value < 1)
		return ramp(slower, slowers, 1 - log(value) / log(map_least))
	return ramp(faster, fasters, log(value) / log(map_most))
}

function map_legend(y, i, x, wide, value, from, to, count, colours)
{
	slowers = split("#7A3A00 #C8681E #F0AC6B #F4E3CF", slower, " ")
	fasters = split("#E4EAF0 #9CC3E0 #3F87BF #0A4378", faster, " ")
	from = log2(map_least)
	to = log2(map_most)
	x = EDGE + 150
	wide = 300
	text_at(x - 10, y, "slower than 1 thread", slower[1], 12, "right")
	for (i = 0; i < 100; i++)
		colours[i] = map_colour(2 ^ (from + (to - from) * (i + 0.5) / 100))
	paint_scale(x, y, wide, colours, 100)
	text_at(x + wide + 10, y, "faster, up to " significant(map_most) "×", faster[fasters], 12, "left")
	value = x + wide + 10 + width_of("faster, up to " significant(map_most) "×", 12) + 30
	if (map_crossed) {
		paint_line(value, y - 8, value, y + 8, "#000000", 2)
		text_at(value + 8, y, "from here on 0.9 of attainable", "#333333", 12, "left")
	}
	# 1 first, then the powers of two on both sides as far as they fit
	count = ceiling(36 / (wide / (to - from)))
	for (i = 0; i <= to + 0.001; i += count)
		map_legend_tic(x + wide * (i - from) / (to - from), y, i)
	for (i = -count; i >= from - 0.001; i -= count)
		map_legend_tic(x + wide * (i - from) / (to - from), y, i)
	return y + 34
}

function map_legend_tic(x, y, power)
{
	paint_line(x, y + 8, x, y + 12, "#8C8C8C")
	text_at(x, y + 20, power_of_two_text(power) "×", "#333333", 11, "center")
}

# How many times the section's length the work outside must be, the median over sections where that
# lies between the works measured.
function map_title(g, i, k, n, ratio, where, best, worst, least, most, some, start)
{
	start = (group_kernel[g] == "" ? "contention" : group_kernel[g]) ": on " workers(group_threads[g]) " "
	for (i = 1; i <= map_shown; i++) {
		n = 0
		split("", where)
		for (k = 1; k <= map_cs; k++) {
			if (!((map_shows[i], map_cs_at[k]) in map_crossover))
				continue
			some++
			if (map_cs_at[k] > 0 && map_crossover[map_shows[i], map_cs_at[k]] > map_work_at[1])
				where[++n] = map_crossover[map_shows[i], map_cs_at[k]] / map_cs_at[k]
		}
		if (!n)
			continue
		sort_numbers(where, n)
		ratio = where[ceiling(n / 2)]
		if (best == "" || ratio < least) {
			best = map_shows[i]
			least = ratio
		}
		if (worst == "" || ratio > most) {
			worst = map_shows[i]
			most = ratio
		}
	}
	map_crossed = some
	if (!some)
		return start "no lock reaches 0.9 of attainable with any of these mixes"
	if (best == "")
		return start "locks reach 0.9 of attainable with the least work outside, or never"
	if (best == worst)
		return start best " reaches 0.9 of attainable once the work outside is " times(least) \
		       " times the critical section"
	return start "work outside must be " times(least) " (" best ") to " times(most) " (" worst \
	       ") times the critical section to reach 0.9 of attainable"
}

function times(value)
{
	return sprintf(value < 9.95 ? "%.1f" : "%.0f", value)
}

function map_note(text)
{
	text = "Both axes are logarithmic, with 0 by itself. "
	if (map_locks > map_shown)
		text = text map_locks - map_shown " more locks in contention.tsv: " map_left_out ". "
	return text "Panels from fastest to slowest, by the geometric mean of their speedups. A crossed cell was not measured. "
}
