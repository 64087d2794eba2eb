# SPDX-License-Identifier: BSD-2-Clause
# Operations per second against workers. Ideal and attainable lines start from the sequential program.

load 'frame.gp'
load 'lines.gp'

