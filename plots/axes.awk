# SPDX-License-Identifier: BSD-2-Clause
# Axes: their ranges and tics, and where on the canvas a number lies.

function log2(value)
{
	return log(value) / log(2)
}

function floor(value)
{
	return int(value) - (value < int(value))
}

function ceiling(value)
{
	return -floor(-value)
}

function pixel_x(value)
{
	if (logarithmic)
		return left + (right - left) * log(value / x_low) / log(x_high / x_low)
	return left + (right - left) * (value - x_low) / (x_high - x_low)
}

function pixel_y(value)
{
	if (y_log)
		return bottom - (bottom - top) * log((value > y_low ? value : y_low) / y_low) / log(y_high / y_low)
	return bottom - (bottom - top) * (value - y_low) / (y_high - y_low)
}

# The largest and the smallest number drawn; reference is the most that the ideal line shows.
function measure_values(i, j, id, n, value)
{
	reference = 0
	if (kind == "speedup" || kind == "throughput" && baseline != "NA")
		reference = on_scale(ideal(largest), largest)
	if (kind == "efficiency" || kind == "fairness")
		reference = 1
	highest = 0
	lowest = reference
	if (kind != "throughput" || baseline != "NA")
		for (i = 1; i <= attainable_count; i++) {
			value = on_scale(attainable[i], attainable_at[i])
			if (value > highest && kind != "fairness")
				highest = value
		}
	if (highest < reference)
		highest = reference
	if (kind == "throughput" && baseline != "NA" || kind == "speedup")
		lowest = on_scale(1, 1)
	for (i = 1; i <= shown_count; i++)
		for (j = 1; j <= points[shown[i]]; j++) {
			id = shown[i]
			n = at[id, j]
			value = value_at(id, n)
			if (!number(value))
				continue
			if (value > 0 && (value < lowest || lowest == 0))
				lowest = value + 0
			if (value > highest)
				highest = value + 0
			if (number(high_at(id, n)) && high_at(id, n) <= 1.5 * value && high_at(id, n) > highest)
				highest = high_at(id, n) + 0
		}
}

function set_ranges(margin)
{
	measure_values()
	logarithmic = largest > LINEAR_TO
	y_log = logarithmic && (kind == "speedup" || kind == "throughput")
	if (logarithmic) {
		x_low = 0.92
		x_high = largest * 1.05
	} else {
		margin = largest == 1 ? 0.5 : 0.03 * (largest - 1) + 0.02
		x_low = 1 - margin
		x_high = largest + margin
	}
	above_scale = 0
	if (y_log) {
		y_low = lowest * 0.8
		y_high = highest * 1.25
		return
	}
	y_low = 0
	if (kind == "fairness") {
		y_high = 1.04
		return
	}
	if (kind == "efficiency" && highest <= 1.1) {
		y_high = 1.1
		return
	}
	# One series far above ideal would flatten all others: it leaves the scale, and its label says so.
	if (reference > 0 && highest > 1.8 * reference) {
		above_scale = 1
		highest = 1.15 * reference
	}
	y_high = highest * 1.04
}

function add_tic(axis, value, text)
{
	if (axis == "x") {
		x_tic[++x_tics] = value
		x_tic_text[x_tics] = text
	} else {
		y_tic[++y_tics] = value
		y_tic_text[y_tics] = text
	}
}

# A round step that divides span into at most `most` parts.
function round_step(span, most, power, step)
{
	power = 10 ^ floor(log(span / most) / log(10) + 1e-9)
	for (step = 1; step * power * most < span * 0.999; step = step == 1 ? 2 : step == 2 ? 5 : 10)
		if (step == 10)
			break
	return step * power
}

function widest_tic(size, i, w, widest)
{
	for (i = 1; i <= y_tics; i++)
		if ((w = width_of(y_tic_text[i], size)) > widest)
			widest = w
	return widest
}

# px: the axis's length, from which follows how many tics stay readable
function set_x_tics(px, apart, n, step, i)
{
	x_tics = 0
	apart = mode == "terminal" ? 5 : overview ? 26 : 34
	if (!logarithmic) {
		step = int(apart * (largest > 1 ? largest - 1 : 1) / px) + 1
		if (step > 2 || step == 2 && largest > 12)
			step = 4
		add_tic("x", 1, "1")
		for (n = step > 2 ? step : step + 1; n <= largest; n += step)
			if (n == largest || largest - n >= 0.75 * step)
				add_tic("x", n, n "")
		if (x_tic[x_tics] != largest)
			add_tic("x", largest, largest "")
		return
	}
	step = 1
	while (px * step * log(2) / log(x_high / x_low) < apart)
		step++
	for (i = 0; 2 ^ i < largest; i += step)
		if (px * log(largest / 2 ^ i) / log(x_high / x_low) >= apart)
			add_tic("x", 2 ^ i, 2 ^ i "")
	add_tic("x", largest, largest "")
}

function power_of_two_text(i)
{
	return i >= 0 ? 2 ^ i "" : "1/" 2 ^ -i
}

function set_y_tics(px, apart, step, value, i, decades, most)
{
	y_tics = 0
	apart = mode == "terminal" ? 2 : overview ? 22 : 26
	most = int(px / (mode == "terminal" ? 3 : overview ? 34 : 52))
	if (most > 10)
		most = 10
	if (y_log && kind == "speedup") {
		step = 1
		while (px * step * log(2) / log(y_high / y_low) < apart)
			step++
		for (i = step * ceiling(log2(y_low) / step); 2 ^ i <= y_high; i += step)
			add_tic("y", 2 ^ i, power_of_two_text(i) (mode == "terminal" ? "" : "×"))
		return
	}
	if (y_log) {
		decades = log(y_high / y_low) / log(10)
		for (i = floor(log(y_low) / log(10)); 10 ^ i <= y_high; i++)
			for (step = 1; step <= 5; step += step == 2 ? 3 : 1) {
				value = step * 10 ^ i
				if ((step == 1 || px / decades > 110) && value >= y_low && value <= y_high && step != 4)
					add_tic("y", value, engineering_tic(value))
			}
		return
	}
	if (kind == "efficiency" && y_high <= 1.2 || kind == "fairness")
		step = 0.2
	else
		step = round_step(y_high, most)
	if (kind == "speedup" && y_high <= 20) # halves, then powers of two
		for (step = 0.5; step * most < 0.95 * y_high; step *= 2)
			;
	for (value = 0; value <= y_high * 1.0001; value += step) {
		if (kind == "efficiency")
			add_tic("y", value, sprintf("%.0f %%", 100 * value))
		else if (kind == "throughput")
			add_tic("y", value, engineering_tic(value))
		else
			add_tic("y", value, sprintf("%g", value) (kind == "speedup" && mode != "terminal" ? "×" : ""))
	}
}
