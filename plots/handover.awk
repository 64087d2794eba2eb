# SPDX-License-Identifier: BSD-2-Clause
# Hand-over: from one worker's release to the next one's acquire, and the limit that the machine
# sets. Locks that serve first come, first served stand apart, as others need not hand over at all.

function draw_handovers(g, n)
{
	n = collect_groups("handover", 0)
	for (g = 1; g <= n; g++)
		draw_handover(g)
}

function draw_handover(g, n, i, r, order, key, y, title, widest, high, step, fifo, before)
{
	n = choose_handovers(g, order, key)
	if (!n)
		return
	begin_drawing()
	title = handover_title(g, order, n)
	y = handover_legend(head(title, subtitle_of(group_placement[g])) + 32)
	step = 24
	top = y + 30
	bottom = top + (n + (handover_fifo > 0) + (handover_fifo < n)) * step + 6
	widest = 0
	for (i = 1; i <= n; i++) {
		row_name[order[i]] = fit(get("handover", order[i], "lock"), LABEL_SIZE, 0, 260)
		if (width_of(row_name[order[i]], LABEL_SIZE) > widest)
			widest = width_of(row_name[order[i]], LABEL_SIZE)
	}
	if (widest < width_of("not FIFO", 13, 1))
		widest = width_of("not FIFO", 13, 1)
	left = EDGE + widest + 14
	right = WIDTH - EDGE - 170
	text_at(right + 80, top - 10, "hand-over", QUIET, 13, "right")
	text_at(WIDTH - EDGE, top - 10, "times limit", QUIET, 13, "right")
	time_axis(handover_low, handover_high, "Hand-over from worker to worker")
	y = top
	for (i = 1; i <= n; i++) {
		r = order[i]
		fifo = is_fifo(r)
		if (i == 1 || fifo != before) {
			if (i > 1)
				paint_line(EDGE, y + 3, WIDTH - EDGE, y + 3, "#C4C4C4")
			text_at(left - 14, y + step / 2 + 2, fifo ? "FIFO" : "not FIFO", QUIET, 13, "right", 1)
			y += step
		}
		before = fifo
		handover_row(r, y + step / 2 + 2, fifo ? "#0072B2" : "#D55E00", fifo ? "#00629A" : "#B04E00")
		y += step
	}
	high = foot(handover_note(n), bottom + 52)
	end_drawing(group_name("handover", g), title, high)
}

# Rows with a hand-over: FIFO locks first, then the others, each by hand-over.
function choose_handovers(g, order, key, n, r, value)
{
	n = handover_low = handover_high = handover_fifo = handover_beaten = handover_free = handover_zero = 0
	for (r = 1; r <= rows["handover"]; r++) {
		value = get("handover", r, "handover_ns")
		if (!in_group("handover", r, g) || get("handover", r, "threads") + 0 != group_threads[g] || !number(value))
			continue
		order[++n] = r
		key[r] = value + 0
		handover_extent(value)
		handover_extent(get("handover", r, "limit_ns"))
		if (is_fifo(r)) {
			handover_fifo++
			key[r] -= 1e15
			handover_free += number(get("handover", r, "limit_ns")) &&
				value + 0 < get("handover", r, "limit_ns") + 0
		} else if (number(get("handover", r, "limit_ns")) && value + 0 < get("handover", r, "limit_ns") + 0)
			handover_beaten++
	}
	if (!handover_low)
		handover_low = handover_high = 1
	sort_by(order, n, key)
	return n
}

function handover_extent(value)
{
	if (!number(value))
		return
	if (value + 0 <= 0) {
		handover_zero = 1
		return
	}
	if (!handover_low || value + 0 < handover_low)
		handover_low = value + 0
	if (value + 0 > handover_high)
		handover_high = value + 0
}

function is_fifo(r)
{
	return get("handover", r, "fifo") ~ /^(yes|true|fifo|1)$/
}

function handover_row(r, y, colour, ink, x, at_limit, limit)
{
	text_at(left - 14, y, row_name[r], ink, LABEL_SIZE, "right")
	x = time_x(get("handover", r, "handover_ns") + 0)
	limit = get("handover", r, "limit_ns")
	if (number(limit)) {
		at_limit = time_x(limit + 0)
		paint_line(at_limit, y, x, y, tint(colour), 2)
		paint_line(at_limit, y - 8, at_limit, y + 8, "#333333", 2)
	}
	paint_mark(x, y, is_fifo(r) ? 7 : 5, is_fifo(r) ? 1.2 : 1, colour)
	text_at(right + 80, y, duration(get("handover", r, "handover_ns")), ink, LABEL_SIZE, "right")
	text_at(WIDTH - EDGE, y, number(limit) && limit + 0 > 0 ? significant(get("handover", r, "handover_ns") / limit) "×" : "-",
		ink, LABEL_SIZE, "right")
}

function handover_legend(y, x)
{
	x = EDGE + 6
	if (handover_fifo) {
		paint_mark(x, y, 7, 1.2, "#0072B2")
		text_at(x + 12, y, "FIFO: first come, first served", "#333333", 13, "left")
		x += 12 + width_of("FIFO: first come, first served", 13) + 28
	}
	paint_mark(x, y, 5, 1, "#D55E00")
	text_at(x + 12, y, "other locks", "#333333", 13, "left")
	x += 12 + width_of("other locks", 13) + 28
	paint_line(x, y - 8, x, y + 8, "#333333", 2)
	text_at(x + 10, y, "limit of a FIFO hand-over", "#333333", 13, "left")
	return y
}

function handover_title(g, order, n, i, r, best, worst, ratio, least, most)
{
	for (i = 1; i <= n; i++) {
		r = order[i]
		if (handover_fifo && !is_fifo(r))
			break
		if (!number(get("handover", r, "limit_ns")) || get("handover", r, "limit_ns") + 0 <= 0)
			continue
		ratio = get("handover", r, "handover_ns") / get("handover", r, "limit_ns")
		if (best == "" || ratio < least) {
			best = r
			least = ratio
		}
		if (worst == "" || ratio > most) {
			worst = r
			most = ratio
		}
	}
	if (best == "")
		return "Hand-over of a lock between " workers(group_threads[g])
	if (best == worst)
		return "Hand-over on " workers(group_threads[g]) ": " get("handover", best, "lock") " takes " \
		       significant(least) " times the limit"
	return "Hand-over on " workers(group_threads[g]) ": " (handover_fifo ? "of the FIFO locks " : "") \
	       get("handover", best, "lock") " takes " significant(least) " times the limit, " \
	       get("handover", worst, "lock") " " significant(most) " times"
}

function handover_note(n, text)
{
	if (handover_fifo < n)
		text = "Locks that are not FIFO may beat the limit" \
		       (handover_beaten ? ", as " handover_beaten " " (handover_beaten == 1 ? "does" : "do") " here" : "") \
		       ": they let the last owner go on, and nothing is handed over. "
	if (handover_free)
		text = text "A FIFO lock below it: whoever released it was back before another had asked. "
	if (handover_zero)
		text = text "Times of 0 stand at the left end. "
	return text
}
