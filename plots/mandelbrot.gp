# SPDX-License-Identifier: BSD-2-Clause
# The image of the mandelbrot kernel, a pixel for each of its points: `skip` bytes of header in
# file `image`, then width x height little-endian counts of iterations, top row first. Points that
# never escaped (count `limit`) are black; the others by the logarithm of their count, in cividis,
# which is read alike with and without colour blindness. gnuplot does not paint the outermost
# pixels of a canvas: they stay dark, as a frame.

reset
set terminal pngcairo size width, height background 'black' font 'sans-serif,10'
set output out.'.png'
unset border
unset tics
unset key
unset colorbox
set lmargin at screen 0
set rmargin at screen 1
set bmargin at screen 0
set tmargin at screen 1
set xrange [-0.5:width - 0.5]
set yrange [height - 0.5:-0.5]
set cbrange [0:log(1 + limit)]
set palette defined (0 '#00204C', 1 '#213D6B', 2 '#555B6C', 3 '#7B7A77', 4 '#A59C74', 5 '#D3C064', 6 '#FFE945')
plot image binary array=(width, height) skip=skip format='%uint16' endian=little \
	using ($1 >= limit ? NaN : log(1 + $1)) with image
unset output
