# SPDX-License-Identifier: BSD-2-Clause
# The lines that all charts over workers share, back to front: intervals, what could be reached,
# series. The first `thins` of these stay thin, without interval and marks. Tables and styles come
# from layout.awk; blocks of a table count from 0, arrays from 1.

plot for [i = thins + 1:series] $series index (i - 1) using 1:3:4 with filledcurves \
		fillcolor rgb series_fill[i] fillstyle transparent solid band noborder, \
	for [i = 1:ideals] $guides index 0 using 1:2 with lines \
		dashtype 5 linewidth 1.5 linecolor rgb '#9A9A9A', \
	for [i = 1:attainables] $guides index 1 using 1:2 with lines \
		dashtype 1 linewidth 1.5 linecolor rgb '#8C8C8C', \
	for [i = 1:levels] $guides index 2 using 1:2 with lines \
		dashtype 1 linewidth 1 linecolor rgb '#6E6E6E', \
	for [i = 1:bars] $bars using 1:2:3:4:5 with yerrorbars \
		pointtype 0 linewidth 1 linecolor rgb variable, \
	for [i = 1:series] $series index (i - 1) using 1:2 with lines \
		dashtype series_dash[i] linewidth series_wide[i] linecolor rgb series_ink[i], \
	for [i = thins + 1:series] $marks index (i - 1) using 1:2 with points \
		pointtype series_mark[i] pointsize mark_size * mark_scale \
		linewidth 1.5 linecolor rgb series_ink[i]
