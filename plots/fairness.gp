# SPDX-License-Identifier: BSD-2-Clause
# Operations of the slowest worker over those of the fastest: 1 is fair, 0 starves someone.

load 'frame.gp'
load 'lines.gp'

