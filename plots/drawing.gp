# SPDX-License-Identifier: BSD-2-Clause
# A drawing in pixels, counted from the canvas's upper left corner: `painting`, the plot command
# that drawing.awk has composed of layers, back to front, and the words on top of it.

set lmargin at screen 0
set rmargin at screen 1
set tmargin at screen 1
set bmargin at screen 0
set xrange [0:width]
set yrange [height:0]
unset border
unset tics
unset key
unset colorbox

do for [i = 1:texts] {
	if (text_side[i] eq 'left') {
		set label text_is[i] at text_x[i], text_y[i] left front \
			font text_font[i] textcolor rgb text_ink[i]
	} else { if (text_side[i] eq 'right') {
		set label text_is[i] at text_x[i], text_y[i] right front \
			font text_font[i] textcolor rgb text_ink[i]
	} else {
		set label text_is[i] at text_x[i], text_y[i] center front \
			font text_font[i] textcolor rgb text_ink[i]
	} }
}

eval 'plot '.painting
