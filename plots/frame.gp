# SPDX-License-Identifier: BSD-2-Clause
# Everything about the data that is not data: axes, boundaries, words. layout.awk has placed it.

set lmargin at screen across(left)
set rmargin at screen across(right)
set tmargin at screen down(top)
set bmargin at screen down(bottom)
set xrange [x_low:x_high]
set yrange [y_low:y_high]
if (x_log) { set logscale x 2 }
if (y_log) { set logscale y 2 }
unset key

set border 3 linecolor rgb '#8C8C8C' linewidth 1
set xtics () nomirror scale 0.5 font tic_font textcolor rgb '#333333'
set ytics () nomirror scale 0 font tic_font textcolor rgb '#333333'
do for [i = 1:x_tics] { set xtics add (x_tic_text[i] x_tic[i]) }
do for [i = 1:y_tics] { set ytics add (y_tic_text[i] y_tic[i]) }
set grid ytics back linetype 1 linewidth 1 linecolor rgb '#E8E8E8'

# Where workers outnumber the PUs.
unset object
if (band_from > 0) {
	set object 1 rectangle from screen across(band_from), down(bottom) to screen across(right), down(top) \
		behind fillcolor rgb '#F5F2EA' fillstyle solid noborder
}

# Where another package, NUMA node or the SMT siblings begin.
do for [i = 1:rules] {
	set arrow from screen across(rule_x[i]), down(rule_top[i]) \
		to screen across(rule_x[i]), down(bottom) \
		nohead back linewidth 1 linecolor rgb '#C4C4C4'
}

do for [i = 1:texts] {
	if (text_side[i] eq 'left') {
		set label text_is[i] at screen across(text_x[i]), down(text_y[i]) left \
			font text_font[i] textcolor rgb text_ink[i]
	} else {
		set label text_is[i] at screen across(text_x[i]), down(text_y[i]) center \
			font text_font[i] textcolor rgb text_ink[i]
	}
}

# Leaders from the line ends to labels.
do for [i = 1:strokes] {
	set arrow from screen across(word(stroke_is[i], 1)), down(word(stroke_is[i], 2)) \
		to screen across(word(stroke_is[i], 3)), down(word(stroke_is[i], 4)) \
		nohead front linewidth stroke_wide[i] dashtype stroke_dash[i] linecolor rgb stroke_ink[i]
}

# A mark before each label, as on its line.
do for [i = 1:label_marks] {
	set label '' at screen across(label_mark_x[i]), down(label_mark_y[i]) \
		point pointtype label_mark_is[i] pointsize mark_size * mark_scale linecolor rgb label_mark_ink[i]
}
