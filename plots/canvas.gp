# SPDX-License-Identifier: BSD-2-Clause
# Opens the canvas: out.svg or out.png by `format`, `width` x `height` pixels, the same in both.
# A text of size 14 is 14 pixels high in either; pngcairo thinks in points, hence the scale.

reset
if (format eq 'svg') {
	set terminal svg size width, height font 'sans-serif,14' noenhanced background 'white' \
		name 'chart' dashlength 1.0
	mark_scale = 0.75
} else {
	set terminal pngcairo size width, height font 'sans-serif,14' fontscale 0.75 noenhanced \
		background 'white' dashlength 2.0
	mark_scale = 1.3
}
set output out.'.'.format

# 1 is a solid line; these are the others that layout.awk hands out.
set dashtype 2 (9, 4)
set dashtype 3 (9, 3, 2, 3)
set dashtype 4 (2, 3)
set dashtype 5 (4, 4)

# From pixels, counted from the upper left corner, to gnuplot's screen coordinates.
across(x) = real(x) / width
down(y) = 1.0 - real(y) / height
