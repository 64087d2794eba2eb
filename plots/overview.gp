# SPDX-License-Identifier: BSD-2-Clause
# All kernels at a glance: one panel of small multiples, called once per kernel and placement
# within a multiplot. The title and the legend come with the first panel.

unset label
unset arrow
unset logscale
load 'frame.gp'
load 'lines.gp'
