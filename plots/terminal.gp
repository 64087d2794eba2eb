# SPDX-License-Identifier: BSD-2-Clause
# The speedup chart in characters, `columns` wide. layout.awk counts in cells from the axes' origin:
# a point is one character, so its cell must be hit exactly and lines come as dense points.

reset
set terminal dumb size columns, rows + 5 noenhanced mono
set lmargin at screen real(margin) / columns
set rmargin at screen real(margin + right) / columns
set bmargin at screen 3.0 / (rows + 5)
set tmargin at screen real(rows + 3) / (rows + 5)
set xrange [0:right]
set yrange [0:rows]
unset key

set border 3
set xtics () nomirror scale 0
set ytics () nomirror scale 0
do for [i = 1:x_tics] { set xtics add (x_tic_text[i] x_tic[i]) }
do for [i = 1:y_tics] { set ytics add (y_tic_text[i] y_tic[i]) }
do for [i = 1:rules] { set label rule_name[i] at rule_x[i], rows + 1 left }
do for [i = 1:labels] { set label label_is[i] at right + 3, label_row[i] left }
set label x_title at right / 2, -2 center

plot for [i = 1:series] $cells index (i - 1) using 1:2 with points pointtype symbol[i]
