# SPDX-License-Identifier: BSD-2-Clause
# What part of all operations each worker had, at most workers: a bar per lock, the fairest first.
# To 16 workers the bar is stacked of them; beyond, it reaches from the lowest to the highest share.

function draw_shares(g, n)
{
	n = collect_groups("fairness", 1)
	for (g = 1; g <= n; g++)
		if (group_threads[g] > 1)
			draw_share(g)
}

function draw_share(g, n, r, i, order, key, y, title, widest, high, spread, step, name, last_column)
{
	spread = group_threads[g] > 16
	n = share_wait = 0
	for (r = 1; r <= rows["fairness"]; r++)
		if (in_group("fairness", r, g, 1) && get("fairness", r, "threads") + 0 == group_threads[g] && \
		    (number(get("fairness", r, "jain")) || read_shares(r))) {
			order[++n] = r
			key[r] = number(get("fairness", r, "jain")) ? -get("fairness", r, "jain") : 1
			if (number(get("fairness", r, "longest_wait_ns")))
				share_wait = 1
		}
	if (!n)
		return
	sort_by(order, n, key)
	begin_drawing()
	title = share_title(g, order, n, key)
	y = head(title, subtitle_of(group_placement[g])) + 34
	text_at(EDGE, y, spread ? "Share of the operations, over the fair share of 1/" group_threads[g] \
		": lowest to highest worker" : "Share of the operations that each worker had", "#000000", 14, "left")
	step = n > 20 ? 22 : 28
	top = y + 44
	bottom = top + n * step
	widest = name_rows("fairness", order, n, 260)
	left = EDGE + widest + 14
	last_column = WIDTH - EDGE
	right = last_column - (share_wait ? 190 : 90)
	if (share_wait)
		text_at(last_column, top - 14, "longest wait", QUIET, 13, "right")
	text_at(right + 72, top - 14, "Jain", QUIET, 13, "right")
	if (spread)
		share_axis(order, n)
	for (i = 1; i <= n; i++) {
		r = order[i]
		y = top + (i - 0.5) * step
		name = get("fairness", r, "strategy")
		text_at(left - 14, y, row_name[r], text_colour[name], LABEL_SIZE, "right")
		if (!read_shares(r))
			text_at((left + right) / 2, y, "no shares in the table", QUIET, 12, "center")
		else if (spread)
			share_strip(y, step / 2 - 4, line_colour[name])
		else
			share_bar(y, step / 2 - 3, line_colour[name])
		text_at(right + 72, y, number(get("fairness", r, "jain")) ? sprintf("%.3f", get("fairness", r, "jain")) : "-",
			text_colour[name], LABEL_SIZE, "right")
		if (share_wait)
			text_at(last_column, y, number(get("fairness", r, "longest_wait_ns")) ? \
				duration(get("fairness", r, "longest_wait_ns")) : "-", text_colour[name], LABEL_SIZE, "right")
	}
	if (!spread)
		share_grid(group_threads[g])
	high = foot(share_note(g, spread), bottom + (spread ? 52 : 32))
	end_drawing(group_name("shares", g), title, high)
}

# share[1..share_count], scaled to a sum of 1, in the workers' order; 0 where there are none.
function read_shares(r, i, n, part, sum)
{
	share_count = sum = 0
	n = split(get("fairness", r, "shares"), part, /[ ,;]+/)
	for (i = 1; i <= n; i++)
		if (number(part[i]) && part[i] >= 0) {
			share[++share_count] = part[i] + 0
			sum += part[i]
		}
	if (sum <= 0)
		return share_count = 0
	for (i = 1; i <= share_count; i++)
		share[i] /= sum
	return share_count
}

# The workers' parts in their order, in two shades in turn, with their percentages where they fit.
function share_bar(y, half, colour, i, x0, x1, text, shade)
{
	x0 = left
	for (i = 1; i <= share_count; i++) {
		x1 = x0 + share[i] * (right - left)
		shade = i % 2 ? tint(colour) : tint(tint(colour))
		if (x1 - x0 > 2.5)
			paint_box(x0, y - half, x1 - 1, y + half, shade)
		else if (x1 > x0)
			paint_box(x0, y - half, x1, y + half, shade)
		text = sprintf(share[i] < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share[i])
		if (share_count <= 8 && x1 - x0 > width_of(text, 12) + 8)
			text_at((x0 + x1) / 2, y, text, "#1A1A1A", 12, "center")
		x0 = x1
	}
}

# Where the bounds between workers would be if all had the same.
function share_grid(n, i, x)
{
	for (i = 0; i <= n; i++) {
		x = left + (right - left) * i / n
		paint_line(x, top - 5, x, bottom + 3, i % n ? "#6E6E6E" : "#8C8C8C", 1, i % n ? 4 : 1)
	}
	text_at(left, bottom + 16, "0", "#333333", 13, "center")
	text_at(right, bottom + 16, "all operations", "#333333", 13, "right")
	if (n <= 8)
		for (i = 1; i < n; i++)
			if ((right - left) / n > 40 && left + (right - left) * i / n < right - 130)
				text_at(left + (right - left) * i / n, bottom + 16, i "/" n, "#333333", 13, "center")
}

# A logarithmic axis of shares over the fair one, at least from a half to twice it.
function share_axis(order, n, i, j, low, high, x, step, power)
{
	low = 0.5
	high = 2
	share_zero = 0
	for (i = 1; i <= n; i++) {
		read_shares(order[i])
		for (j = 1; j <= share_count; j++) {
			if (share[j] * share_count > high)
				high = share[j] * share_count
			if (share[j] * share_count < 1 / 64)
				share_zero = 1
			else if (share[j] * share_count < low)
				low = share[j] * share_count
		}
	}
	logarithmic = 1
	x_low = low / (share_zero ? 2 : 1.15)
	x_high = high * 1.15
	for (step = 1; (right - left) * step * log(2) / log(x_high / x_low) < 44; step++)
		;
	for (power = step * ceiling(log2(x_low) / step); 2 ^ power <= x_high; power += step) {
		x = pixel_x(2 ^ power)
		if (share_zero && x - left < 44)
			continue
		paint_line(x, top - 5, x, bottom, power ? "#E8E8E8" : "#6E6E6E", 1, power ? 1 : 5)
		text_at(x, bottom + 16, power_of_two_text(power) "×", "#333333", 13, "center")
	}
	if (share_zero)
		text_at(left, bottom + 16, "less", "#333333", 13, "center")
	paint_line(left, bottom, right, bottom, "#8C8C8C")
	text_at(pixel_x(1), top - 14, "fair share", QUIET, 12, "center")
	text_at((left + right) / 2, bottom + 40, "A worker's share over the fair share (logarithmic)", "#000000", 14, "center")
}

function share_x(value)
{
	return value > x_low ? pixel_x(value) : left
}

# From the lowest to the highest share; darker the middle half of the workers, and their median.
function share_strip(y, half, colour, i, index_of, key)
{
	for (i = 1; i <= share_count; i++) {
		index_of[i] = i
		key[i] = share[i] * share_count
	}
	sort_by(index_of, share_count, key)
	paint_box(share_x(key[index_of[1]]) - 0.75, y - half / 2, share_x(key[index_of[share_count]]) + 0.75, y + half / 2,
		  tint(tint(colour)))
	paint_box(share_x(key[index_of[ceiling(share_count / 4)]]) - 0.75, y - half,
		  share_x(key[index_of[ceiling(share_count * 3 / 4)]]) + 0.75, y + half, tint(colour))
	i = share_x(key[index_of[ceiling(share_count / 2)]])
	paint_line(i, y - half, i, y + half, colour, 2.5)
}

function share_title(g, order, n, key, i, kernel, best, worst)
{
	kernel = group_kernel[g]
	best = order[1]
	for (i = n; i >= 1 && key[order[i]] == 1; i--)
		;
	if (i < 1)
		return kernel ": the workers' shares, " workers(group_threads[g])
	worst = order[i]
	if (-key[worst] >= 0.99)
		return kernel ": on " workers(group_threads[g]) " every worker gets its share, whatever the lock"
	if (best == worst)
		return kernel ": on " workers(group_threads[g]) ", " lock_of("fairness", best) \
		       " shares as if " share_alike(key[best], group_threads[g]) " of them took turns"
	return kernel ": on " workers(group_threads[g]) ", " lock_of("fairness", best) " shares most evenly; with " \
	       lock_of("fairness", worst) " it is as if only " share_alike(key[worst], group_threads[g]) " of them took turns"
}

# Jain's index times the workers: how many, sharing evenly, would be as fair.
function share_alike(minus_jain, n)
{
	return sprintf(-minus_jain * n < 9.95 ? "%.1f" : "%.0f", -minus_jain * n)
}

function share_note(g, spread, text)
{
	text = "Jain's index: 1 where all have the same, 1/" group_threads[g] " where one has it all. "
	if (spread)
		return text "Pale: lowest to highest share; dark: the middle half of the workers; line: their median. " \
		       (share_zero ? "Shares below 1/64 stand at the left end. " : "")
	return text "Dotted: where the bounds would be if all had the same. Workers are in the order of the placement. "
}
