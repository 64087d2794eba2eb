# SPDX-License-Identifier: BSD-2-Clause
# Words beside the data: labels at the ends of lines, names of boundaries. None covers another.

function new_label(value, upper, lower, colour, mark, x, y)
{
	labels++
	label_value[labels] = value
	label_upper[labels] = upper
	label_lower[labels] = lower
	label_colour[labels] = colour
	label_mark[labels] = mark
	label_from[labels] = x
	label_high[labels] = lower == "" ? LINE : 2 * LINE - 3
	label_ends[labels] = y
}

# Everything that has a label at its line's end. Positions follow later, when the width is known.
function collect_labels(i, id, n, name, value, text, off)
{
	labels = 0
	allowed = mode == "terminal" ? int(columns * 0.38) : 250
	if (kind == "speedup" || kind == "efficiency" || kind == "throughput" && baseline != "NA")
		new_label(on_scale(ideal(largest), largest), (mode == "terminal" ? ". ideal" : "ideal"), "", IDEAL_COLOUR, 0, largest)
	if (draws_attainable() && mode != "terminal") {
		value = on_scale(attainable[attainable_count], attainable_at[attainable_count])
		new_label(value, "attainable " value_text(value), "", IDEAL_COLOUR, 0, attainable_at[attainable_count])
	}
	if (draws_baseline())
		new_label(on_scale(1, 1), (mode == "terminal" ? "- " : "") "sequential" (kind == "throughput" ? " " value_text(baseline) : ""), "",
			  text_colour["sequential"], 0, largest)
	for (i = 1; i <= shown_count; i++) {
		id = shown[i]
		if (id in thin)
			continue
		value = value_at(id, last[id])
		off = above_scale && value > y_high
		name = id_strategy[id]
		text = value_text(value) (last[id] < largest ? " at " last[id] : "") (off && mode != "terminal" ? " ↑" : "")
		if (name == "unsynchronized") {
			new_label(value, name " " text, "(wrong results)", text_colour[name], mark_of(id), last[id])
			continue
		}
		if (id_lock[id] != "-")
			name = name "/" id_lock[id]
		label_text(value, name, text, id)
	}
}

# "global-lock/ticket 0.42x"; where too long, the lock and the number on a second line.
function label_text(value, name, text, id, strategy, cut)
{
	strategy = id_strategy[id]
	if (mode == "terminal")
		name = symbol[id] " " name
	if (width_of(name " " text, LABEL_SIZE) <= allowed || mode == "terminal") {
		new_label(value, fit(name, LABEL_SIZE, 0, allowed - width_of(" " text, LABEL_SIZE)) " " text, "",
			  text_colour[strategy], mark_of(id), last[id])
		return
	}
	cut = index(name, "/")
	if (cut)
		new_label(value, fit(substr(name, 1, cut), LABEL_SIZE, 0, allowed),
			  fit(substr(name, cut + 1), LABEL_SIZE, 0, allowed - width_of(" " text, LABEL_SIZE)) " " text,
			  text_colour[strategy], mark_of(id), last[id])
	else
		new_label(value, fit(name, LABEL_SIZE, 0, allowed), text, text_colour[strategy], mark_of(id), last[id])
}

function draws_attainable()
{
	return attainable_count && chart_kernel != "control" && kind != "fairness" && \
	       (kind != "throughput" || baseline != "NA")
}

function draws_baseline()
{
	return baseline != "NA" && (kind == "speedup" || kind == "throughput")
}

function widest_label(i, w, widest)
{
	for (i = 1; i <= labels; i++) {
		w = width_of(label_upper[i], LABEL_SIZE)
		if (width_of(label_lower[i], LABEL_SIZE) > w)
			w = width_of(label_lower[i], LABEL_SIZE)
		if (w > widest)
			widest = w
	}
	return widest
}

# Moves labels apart, each as little as it can be: neighbours that would overlap form a stack,
# which is centred where its members want to be; stacks that meet are merged.
# In: label_wants[], label_high[]. Out: label_y[], the centres, all between first and bound.
function spread_labels(first, bound, i, j, n, order, start, height, from, sum)
{
	for (i = 1; i <= labels; i++) {
		for (j = i; j > 1 && above(i, order[j - 1]); j--)
			order[j] = order[j - 1]
		order[j] = i
	}
	n = 0
	for (i = 1; i <= labels; i++) {
		n++
		from[n] = i
		do {
			# Where the stack from[n]..i would begin, on its members' average.
			height[n] = sum = 0
			for (j = from[n]; j <= i; j++) {
				sum += label_wants[order[j]] - height[n] - label_high[order[j]] / 2
				height[n] += label_high[order[j]]
			}
			start[n] = sum / (i - from[n] + 1)
			if (start[n] > bound - height[n])
				start[n] = bound - height[n]
			if (start[n] < first)
				start[n] = first
		} while (n > 1 && start[n] < start[n - 1] + height[n - 1] && n--)
	}
	from[n + 1] = labels + 1
	for (i = 1; i <= n; i++) {
		sum = start[i]
		for (j = from[i]; j < from[i + 1]; j++) {
			label_y[order[j]] = sum + label_high[order[j]] / 2
			sum += label_high[order[j]]
		}
	}
}

function above(a, b)
{
	if (label_wants[a] != label_wants[b])
		return label_wants[a] < label_wants[b]
	return label_value[a] > label_value[b]
}

# Labels beside the ends of their lines, a leader to each that had to move.
function place_labels(label_x, i, x, y)
{
	for (i = 1; i <= labels; i++) {
		label_wants[i] = pixel_y(label_value[i])
		if (label_wants[i] < top)
			label_wants[i] = top
	}
	spread_labels(top - LINE / 2, bottom + LINE / 2)
	for (i = 1; i <= labels; i++) {
		x = pixel_x(label_from[i])
		y = label_wants[i]
		if (label_from[i] < largest) # measured up to fewer workers than others
			stroke(x + 6, y, right, y, tint(label_colour[i]))
		stroke(right + 3, y, label_x - 20, label_y[i], tint(label_colour[i]))
		if (!label_mark[i])
			stroke(label_x - 20, label_y[i], label_x - 4, label_y[i], tint(label_colour[i]))
		if (label_lower[i] == "")
			text_at(label_x, label_y[i], label_upper[i], label_colour[i], LABEL_SIZE, "left")
		else {
			text_at(label_x, label_y[i] - LABEL_SIZE / 2 - 1, label_upper[i], label_colour[i], LABEL_SIZE, "left")
			text_at(label_x, label_y[i] + LABEL_SIZE / 2 + 1, label_lower[i], label_colour[i], LABEL_SIZE, "left")
		}
	}
	note_label_marks(label_x - 11)
}

# Marks repeated beside the labels, so that colour is not all that ties a label to its line.
function note_label_marks(x, i, n)
{
	label_marks = 0
	for (i = 1; i <= labels; i++)
		if (label_mark[i]) {
			n = ++label_marks
			label_mark_is[n] = label_mark[i]
			label_mark_x[n] = sprintf("%.2f", x)
			label_mark_y[n] = sprintf("%.2f", label_y[i])
			label_mark_ink[n] = ink_of_text(label_colour[i])
		}
}

function ink_of_text(colour, s)
{
	for (s in text_colour)
		if (text_colour[s] == colour)
			return line_colour[s]
	return colour
}

# Names of what begins after each boundary stand above the plot. Names that do not fit are left
# out, rules that would run together too; SMT and oversubscription are the last to go, as they change a
# curve most.
function place_boundaries(placement, strip, i, j, n, x, pass, after, joined, first_name, free, least)
{
	rules = 0
	split("", after)
	split("", word_named)
	for (i = 1; i <= boundaries; i++) {
		if (boundary_placement[i] != placement || boundary_after[i] < 1 || boundary_after[i] >= largest)
			continue
		n = boundary_after[i]
		if (n in joined)
			joined[n] = joined[n] ", " boundary_what[i]
		else {
			joined[n] = first_name[n] = boundary_what[i]
			after[++rules] = n
		}
	}
	n = rules
	rules = 0
	named = 0
	least = mode == "terminal" ? 3 : 7
	for (pass = 1; pass <= 2; pass++)
		for (i = 1; i <= n; i++) {
			if ((joined[after[i]] ~ /SMT|oversubscribed/) != (pass == 1))
				continue
			x = rule_at(after[i])
			free = 1
			for (j = 1; j <= rules; j++)
				if (x - rule_x[j] < least && rule_x[j] - x < least)
					free = 0
			if (!free)
				continue
			rule_x[++rules] = x
			rule_name[rules] = ""
			if (strip)
				name_rule(x, joined[after[i]], first_name[after[i]], i < n ? rule_at(after[i + 1]) : WIDTH)
		}
}

function rule_at(after)
{
	return pixel_x(logarithmic ? sqrt(after * (after + 1)) : after + 0.5)
}

# The longest name that ends before the next rule: "package 3, NUMA node 3", "package 3", or "3"
# where a neighbour says of what. Failing that, any that is free of other names.
function name_rule(x, joined, first, next_x, pass, j, name, w, word)
{
	word = first
	sub(/ [0-9]+$/, "", word)
	for (pass = 1; pass <= 2; pass++)
		for (j = pass; j <= 3; j++) {
			name = j == 1 ? joined : first
			if (j == 3 && (!(word in word_named) || !sub(/^.* /, "", name)))
				continue
			w = width_of(name, 12) + (mode == "terminal" ? 2 : 7)
			if (pass == 1 && x + w > next_x)
				continue
			if (room_for(x, x + w) && x + w < (mode == "terminal" ? columns - 10 : WIDTH - EDGE / 2)) {
				rule_name[rules] = name
				name_from[++named] = x
				name_to[named] = x + w
				word_named[word] = 1
				return
			}
		}
}

function room_for(from, to, i)
{
	for (i = 1; i <= named; i++)
		if (from < name_to[i] && to > name_from[i])
			return 0
	return 1
}

function has_boundaries(placement, i)
{
	for (i = 1; i <= boundaries; i++)
		if (boundary_placement[i] == placement && boundary_after[i] >= 1 && boundary_after[i] < largest)
			return 1
	return 0
}
