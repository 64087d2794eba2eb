# SPDX-License-Identifier: BSD-2-Clause
# Speedup per worker: the part of each worker's speed that is left. The ideal line is level.

load 'frame.gp'
load 'lines.gp'

