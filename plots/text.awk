# SPDX-License-Identifier: BSD-2-Clause
# Text: how wide it is, how it is cut, broken and quoted, and how numbers are written.

# Advance widths of DejaVu Sans, in thousandths of the font size. It is about the widest sans-serif
# that a viewer substitutes, so text measured with it fits with the others too.
function set_metrics(i, n, w)
{
	n = split("318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 " \
		  "636 636 636 636 636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 " \
		  "752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 " \
		  "337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 " \
		  "635 635 411 521 392 634 592 818 592 592 525 636 337 636 838", w, " ")
	for (i = 1; i <= 255; i++)
		code[sprintf("%c", i)] = i
	for (i = 1; i <= n; i++)
		advance[31 + i] = w[i]
	# Beyond ASCII: the first byte of a character counts for the whole of it.
	for (i = 192; i <= 255; i++)
		advance[i] = 850
}

function width_of(text, size, bold, i, sum)
{
	if (mode == "terminal")
		return characters(text)
	for (i = 1; i <= length(text); i++)
		sum += advance[code[substr(text, i, 1)]]
	return sum * size / 1000 * (bold ? 1.12 : 1)
}

function characters(text, i, sum)
{
	for (i = 1; i <= length(text); i++)
		if (code[substr(text, i, 1)] < 128 || code[substr(text, i, 1)] >= 192)
			sum++
	return sum + 0
}

# text, cut short with an ellipsis where it is wider than allowed
function fit(text, size, bold, allowed, dots)
{
	if (width_of(text, size, bold) <= allowed)
		return text
	dots = mode == "terminal" ? "..." : "…"
	while (length(text) && width_of(text dots, size, bold) > allowed) {
		while (code[substr(text, length(text), 1)] >= 128 && code[substr(text, length(text), 1)] < 192)
			text = substr(text, 1, length(text) - 1)
		text = substr(text, 1, length(text) - 1)
	}
	return text dots
}

# Breaks text at spaces into lines[1..]; at most `most`, the last of them cut short.
function wrap(text, size, bold, allowed, most, lines, i, n, word, count)
{
	n = split(text, word, " ")
	count = 1
	lines[1] = word[1]
	for (i = 2; i <= n; i++)
		if (count == most || width_of(lines[count] " " word[i], size, bold) <= allowed)
			lines[count] = lines[count] " " word[i]
		else
			lines[++count] = word[i]
	lines[count] = fit(lines[count], size, bold, allowed)
	return count
}

# A gnuplot string: nothing is special between single quotes but the quote itself.
function quoted(text)
{
	gsub(/[\001-\037]/, " ", text)
	gsub(/'/, "''", text)
	return "'" text "'"
}

function significant(value)
{
	if (value >= 99.5)
		return sprintf("%.0f", value)
	if (value >= 9.995)
		return sprintf("%.1f", value)
	if (value >= 0.0995)
		return sprintf("%.2f", value)
	return sprintf("%.2g", value)
}

# 1234567 as "1.23 M"
function engineering(value)
{
	if (value >= 1e12)
		return significant(value / 1e12) " T"
	if (value >= 1e9)
		return significant(value / 1e9) " G"
	if (value >= 1e6)
		return significant(value / 1e6) " M"
	if (value >= 1e3)
		return significant(value / 1e3) " k"
	return significant(value)
}

# "1.23 million"
function in_words(value, text)
{
	text = engineering(value)
	sub(/k$/, "thousand", text)
	sub(/M$/, "million", text)
	sub(/G$/, "billion", text)
	sub(/T$/, "trillion", text)
	return text
}

# As engineering, for a tic: no needless digits.
function engineering_tic(value, i, power)
{
	split("T G M k", power, " ")
	for (i = 1; i <= 4; i++)
		if (value >= 10 ^ (15 - 3 * i) * 0.9999)
			return sprintf("%g %s", value / 10 ^ (15 - 3 * i), power[i])
	return sprintf("%g", value)
}

# The number at a line's end.
function value_text(value)
{
	if (kind == "speedup")
		return significant(value) (mode == "terminal" ? "x" : "×")
	if (kind == "throughput")
		return engineering(value) "/s"
	if (kind == "efficiency")
		return (value < 0.0095 ? sprintf("%.1g", 100 * value) : sprintf("%.0f", 100 * value)) " %"
	return sprintf(value < 0.0095 ? "%.1g" : "%.2f", value)
}
