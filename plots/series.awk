# SPDX-License-Identifier: BSD-2-Clause
# The series of a chart over workers: their numbers, their order, which of them have a label, and
# what they are compared with.

# The number that this kind of chart shows, or "NA".
function value_at(id, n)
{
	if (kind == "speedup")
		return speedup[id, n]
	if (kind == "throughput")
		return rate[id, n]
	if (kind == "fairness")
		return fairness[id, n]
	return number(speedup[id, n]) ? speedup[id, n] / n : efficiency[id, n]
}

function low_at(id, n)
{
	if (kind == "speedup")
		return speedup_lo[id, n]
	if (kind == "throughput")
		return rate_lo[id, n]
	return kind == "efficiency" && number(speedup_lo[id, n]) ? speedup_lo[id, n] / n : "NA"
}

function high_at(id, n)
{
	if (kind == "speedup")
		return speedup_hi[id, n]
	if (kind == "throughput")
		return rate_hi[id, n]
	return kind == "efficiency" && number(speedup_hi[id, n]) ? speedup_hi[id, n] / n : "NA"
}

# The series of a chart with at least one number, in shown[1..shown_count]; largest is the most
# workers among them. The baseline is not among them: it has one worker, and is drawn as a level.
function choose_series(kernel, placement, i, j, n, id)
{
	shown_count = 0
	largest = 1
	disturbed_count = sample_count = 0
	for (i = 1; i <= series_total[kernel, placement]; i++) {
		id = series_of[kernel, placement, i]
		for (j = 1; j <= points[id]; j++) {
			n = at[id, j]
			if (number(disturbed[id, n]) && number(samples[id, n])) {
				disturbed_count += disturbed[id, n]
				sample_count += samples[id, n]
			}
		}
		if (id_strategy[id] == "sequential")
			continue
		last[id] = 0
		for (j = 1; j <= points[id]; j++)
			if (number(value_at(id, at[id, j])))
				last[id] = at[id, j]
		if (!last[id])
			continue
		shown[++shown_count] = id
		if (last[id] > largest)
			largest = last[id]
	}
	find_baseline(kernel, placement)
	find_attainable(placement)
	sort_shown()
	thin_out()
}

# Best at the largest number of workers first; what was not measured there comes after.
function sort_shown(i, j, id)
{
	for (i = 2; i <= shown_count; i++) {
		id = shown[i]
		for (j = i; j > 1 && better(id, shown[j - 1]); j--)
			shown[j] = shown[j - 1]
		shown[j] = id
	}
}

function better(a, b)
{
	if (last[a] != last[b])
		return last[a] > last[b]
	return value_at(a, last[a]) + 0 > value_at(b, last[b]) + 0
}

# With many series not every lock has a label, the others stay thin. In the overview each strategy's
# best has one. Elsewhere whatever has no lock, each strategy's best and worst lock; then, while there
# are fewer than LABELLED, its median and the standard locks.
function thin_out(i, j, id, strategy, locks, nth, kept, left_out)
{
	thin_text = ""
	split("", thin)
	split("", locks)
	for (i = 1; i <= shown_count; i++) {
		id = shown[i]
		strategy = id_strategy[id]
		if (id_lock[id] == "-")
			continue
		nth[strategy, ++locks[strategy]] = id
		if (overview ? locks[strategy] > 1 : shown_count > LABELLED)
			thin[id] = 1
	}
	if (overview)
		return
	for (strategy in locks) {
		delete thin[nth[strategy, 1]]
		delete thin[nth[strategy, locks[strategy]]]
	}
	kept = shown_count - thin_count()
	for (i = 1; i <= strategy_count; i++)
		if (strategies[i] in locks)
			kept += keep(nth[strategies[i], int((locks[strategies[i]] + 1) / 2)], kept)
	for (j = 1; j <= standards; j++)
		for (i = 1; i <= shown_count; i++)
			if (id_lock[shown[i]] == standard[j])
				kept += keep(shown[i], kept)
	for (i = 1; i <= strategy_count; i++) {
		strategy = strategies[i]
		left_out = 0
		for (j = 1; j <= locks[strategy]; j++)
			left_out += nth[strategy, j] in thin
		if (left_out)
			thin_text = thin_text (thin_text ? " and " : "") left_out \
				    (thin_text ? "" : left_out == 1 ? " more lock" : " more locks") " of " strategy
	}
	unlabel(kept)
}

function thin_count(id, n)
{
	for (id in thin)
		n++
	return n + 0
}

# 1 where the series was thin and there is room for its label.
function keep(id, kept)
{
	if (!(id in thin) || kept >= LABELLED)
		return 0
	delete thin[id]
	return 1
}

# Still more labels than lines of text: the slowest lose theirs, and are counted.
function unlabel(kept, i, room)
{
	room = int((HEIGHT - 250) / LINE) - 3
	unlabelled = 0
	for (i = shown_count; i >= 1 && kept > room; i--)
		if (!(shown[i] in thin)) {
			thin[shown[i]] = 1
			kept--
			unlabelled++
		}
}

# The sequential run of the kernel, under this placement or (it has but one worker) any other.
function find_baseline(kernel, placement, i, j, p, id)
{
	baseline = "NA"
	for (i = 0; i <= placement_count && baseline == "NA"; i++) {
		p = i ? placements[i] : placement
		for (j = 1; j <= series_total[kernel, p]; j++) {
			id = series_of[kernel, p, j]
			if (id_strategy[id] == "sequential" && number(rate[id, at[id, 1]]))
				baseline = rate[id, at[id, 1]] + 0
		}
	}
	for (id in points)
		if (baseline == "NA" && id_strategy[id] == "sequential" && \
		    index(id, kernel SUBSEP) == 1 && number(rate[id, at[id, 1]]))
			baseline = rate[id, at[id, 1]] + 0
}

# What the control kernel, whose workers share nothing, reaches with each number of workers.
function find_attainable(placement, i, j, p, id, n, chosen, value)
{
	attainable_count = 0
	for (i = 0; i <= placement_count && chosen == ""; i++) {
		p = i ? placements[i] : placement
		for (j = 1; j <= series_total["control", p]; j++) {
			id = series_of["control", p, j]
			if (id_strategy[id] != "sequential" && (chosen == "" || id_strategy[id] == "private"))
				chosen = id
		}
	}
	if (chosen == "")
		return
	for (j = 1; j <= points[chosen]; j++) {
		n = at[chosen, j]
		value = number(self_speedup[chosen, n]) ? self_speedup[chosen, n] : speedup[chosen, n]
		if (number(value) && n <= largest) {
			attainable_at[++attainable_count] = n
			attainable[attainable_count] = value
		}
	}
}

# The ideal speedup of n workers: no more than there are PUs.
function ideal(n)
{
	return pus && n > pus ? pus : n
}

function oversubscribed()
{
	return pus && largest > pus
}

# Speedup n, on the scale of this kind of chart.
function on_scale(value, n)
{
	if (kind == "throughput")
		return value * baseline
	return kind == "efficiency" ? value / n : value
}
